from dataclasses import replace

import builders
import pandas as pd
import pytest
from ensembles import META, built_data, drawn_ensemble, eventless_ensemble, write

from demand.bundle import InputForm
from demand.export import Carried
from demand.scoring import read_bundle, read_snapshot, score, score_all, score_rows
from demand.segments import Segment

AS_OF = builders.monday(builders.WEEKS - 1).date()
NORTH, SOUTH = Segment("north", "large", "fast"), Segment("south", "small", "slow")
LOST = Segment("south", "large", "fast")
WHY = "gate: 4.1 % worse than the champion"
KEY = ["region", "store_id", "product_id", "week"]
NUMBERS = ["units", "lower", "upper"]


@pytest.fixture(scope="module")
def first(tmp_path_factory):
    return read_bundle(write(tmp_path_factory.mktemp("first") / "bundle"))


@pytest.fixture(scope="module")
def second(first, tmp_path_factory):
    """v8, which reads another form: two segments carried over from v7, one failed."""
    carried = {NORTH: Carried(first, WHY), SOUTH: Carried(first, WHY)}
    folder = tmp_path_factory.mktemp("second") / "bundle"
    failed = {LOST: "training: took longer than 600 s"}
    return read_bundle(write(folder, eventless_ensemble(), "v8", carried=carried, failed=failed))


@pytest.fixture(scope="module")
def forecasts(second):
    return score(second, built_data().panels, AS_OF)


def of(frame, segment):
    """The rows of a segment: S1 and S2 are north, S3 and S4 south; P3 and P4 are fast."""
    store = {"north-large": "S1", "south-large": "S3", "south-small": "S4"}[
        f"{segment.region}-{segment.format}"
    ]
    fast = frame["product_id"].isin(["P3", "P4"])
    return frame[(frame["store_id"] == store) & (fast == (segment.speed == "fast"))].reset_index(drop=True)


@pytest.mark.parametrize("segment", [NORTH, SOUTH])
def test_a_carried_segment_forecasts_what_it_did_and_says_where_it_is_from(first, forecasts, segment):
    before, now = of(score(first, built_data().panels, AS_OF), segment), of(forecasts, segment)
    assert len(now) == 8
    pd.testing.assert_frame_equal(now[KEY + NUMBERS], before[KEY + NUMBERS])
    told = ["source", "model_version", "trained_at", "data_hash", "reason"]
    expected = ("previous", "v7", pd.Timestamp(META.trained_at), "c0ffee", WHY)
    assert set(now[told].itertuples(index=False, name=None)) == {expected}


def test_own_segments_are_champions_and_failed_ones_have_the_average_and_say_why(forecasts):
    lost = of(forecasts, LOST)
    assert set(zip(lost["source"], lost["model_version"], lost["reason"], strict=True)) == {
        ("baseline", "v8", "training: took longer than 600 s")
    }
    assert len(lost) == 8
    own = forecasts[forecasts["source"] == "champion"]
    assert len(own) == 64 - 3 * 8
    assert set(zip(own["model_version"], own["reason"], strict=True)) == {("v8", "")}


def test_a_carried_model_that_has_not_seen_a_product_says_both(second):
    panels = [
        replace(p, series=p.series.assign(category=p.series["category"].replace("bread", "cake")))
        for p in built_data().panels
    ]
    found = of(score(second, panels, AS_OF), NORTH)
    assert set(found["reason"]) == {f"{WHY}; not seen in training: category cake"}
    assert set(found["source"]) == {"previous"}


def test_a_carried_form_that_this_package_no_longer_builds_costs_its_own_segments_alone(second, forecasts):
    old = second.forms["encoder-v7.json"]
    gone = InputForm(old.spec, ("lag_77", *old.names[1:]), old.vocabulary)
    found = score(
        replace(second, forms={**second.forms, "encoder-v7.json": gone}), built_data().panels, AS_OF
    )
    carried = pd.concat([of(found, NORTH), of(found, SOUTH)])
    assert set(carried["source"]) == {"baseline"}
    assert carried["reason"].str.startswith("the carried model cannot be asked: features: expected").all()
    rest = ~forecasts["source"].eq("previous")
    pd.testing.assert_frame_equal(found[rest], forecasts[rest])


def test_weeks_beyond_a_carried_model_s_horizon_have_the_average_and_say_so(second, forecasts):
    old = second.forms["encoder-v7.json"]
    short = replace(old, spec=replace(old.spec, horizons=(1, 2)))
    found = of(
        score(replace(second, forms={**second.forms, "encoder-v7.json": short}), built_data().panels, AS_OF),
        NORTH,
    )
    late = found["horizon"] > 2
    assert set(found.loc[late, "reason"]) == {"the model of segment north-large-fast forecasts 2 weeks"}
    assert set(found.loc[late, "source"]) == {"baseline"}
    pd.testing.assert_frame_equal(found[~late], of(forecasts, NORTH)[~late])


@pytest.mark.parametrize("which", ["first", "second"])
def test_rows_of_the_snapshot_give_the_forecasts_of_the_panels(which, request):
    bundle = request.getfixturevalue(which)
    rows = read_snapshot(bundle).sample(frac=1, random_state=3)  # order means nothing
    found = score_rows(bundle, rows)
    assert found.index.equals(rows.index)
    table = pd.concat([rows[[*KEY, "horizon"]], found], axis=1).sort_values(KEY, ignore_index=True)
    expected = score(bundle, built_data().panels, AS_OF).sort_values(KEY, ignore_index=True)
    pd.testing.assert_frame_equal(table, expected[table.columns], check_dtype=False, rtol=1e-5)
    assert set(found["source"]) == (
        {"champion"} if which == "first" else {"champion", "previous", "baseline"}
    )


def test_a_row_without_graph_and_average_is_absent_and_has_no_number(first):
    rows = read_snapshot(first).iloc[:2].assign(region="west")
    found = score_rows(first, rows)
    assert found["source"].tolist() == ["absent", "absent"]
    assert found["units"].isna().all()
    assert set(found["reason"]) == {"no model for segment west-large-slow"}


def test_a_row_too_far_ahead_has_the_average(first):
    rows = read_snapshot(first).iloc[:1].assign(horizon=9)
    (found,) = score_rows(first, rows).to_dict(orient="records")
    assert found["source"] == "baseline"
    assert found["reason"].endswith("forecasts 4 weeks")


def test_rows_that_lack_a_column_are_refused_by_name(first):
    rows = read_snapshot(first)
    for name in ("level", "category", "lag_0"):
        with pytest.raises(ValueError, match=f"1 are missing, first {name}"):
            score_rows(first, rows.drop(columns=name))


def test_forecasts_and_absent_series_together_are_all_that_live(first):
    """North's average is gone and one of its segments too: these series are absent, not left out."""
    baseline = first.baseline
    without = replace(
        baseline,
        series=baseline.series.drop("north", level="region"),
        groups=baseline.groups.drop("north", level="region"),
    )
    sessions = {s: each for s, each in first.sessions.items() if s != NORTH}
    found = score_all(replace(first, baseline=without, sessions=sessions), built_data().panels, AS_OF)
    assert len(found.forecasts) == 64 - 8
    assert set(zip(found.absent["store_id"], found.absent["product_id"], strict=True)) == {
        ("S1", "P3"),
        ("S1", "P4"),
    }
    assert set(found.absent["reason"]) == {"no model for segment north-large-fast"}
    both = pd.concat([found.forecasts[KEY], found.absent[KEY]])
    whole = score(first, built_data().panels, AS_OF)[KEY]
    pd.testing.assert_frame_equal(
        both.sort_values(KEY, ignore_index=True), whole.sort_values(KEY, ignore_index=True)
    )


def test_the_ensemble_given_is_the_one_that_was_drawn():
    """The segments named above are those of the drawn speeds."""
    speeds = drawn_ensemble().speeds
    assert set(speeds.loc[speeds["speed"] == "fast", "product_id"]) == {"P3", "P4"}
