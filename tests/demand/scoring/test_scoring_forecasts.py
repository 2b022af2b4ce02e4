from dataclasses import replace

import builders
import numpy as np
import pandas as pd
import pytest
from ensembles import META, built_data, data_set, drawn_encoder, drawn_ensemble, drawn_model, write

from demand.bundle import open_graph
from demand.config import NetworkConfig
from demand.contracts import check
from demand.errors import IntegrityError, UsageError
from demand.evaluation import evaluate
from demand.export import export_graphs
from demand.models.network import Network
from demand.scoring import read_bundle, score, score_all
from demand.segments import Segment

AS_OF = builders.monday(builders.WEEKS - 1).date()
SERIES = ["store_id", "product_id"]


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    return read_bundle(write(tmp_path_factory.mktemp("forecasts") / "bundle"))


@pytest.fixture(scope="module")
def forecasts(bundle):
    return score(bundle, built_data().panels, AS_OF)


def test_every_live_series_has_a_contracted_row_for_each_of_the_next_weeks(forecasts):
    pd.testing.assert_frame_equal(check("forecasts", forecasts, "test"), forecasts)
    assert len(forecasts) == 4 * 4 * 4  # stores x products x weeks
    assert sorted(forecasts["week"].unique()) == [builders.monday(builders.WEEKS + i) for i in range(4)]
    ahead = (forecasts["week"] - pd.Timestamp(AS_OF)).dt.days // 7
    assert ahead.tolist() == forecasts["horizon"].tolist()
    assert set(forecasts["source"]) == {"champion"}
    assert set(forecasts["reason"]) == {""}


def test_rows_say_which_model_they_come_from(forecasts):
    assert set(forecasts["model_version"]) == {"v7"}
    assert set(forecasts["trained_at"]) == {pd.Timestamp(META.trained_at)}
    assert set(forecasts["data_hash"]) == {"c0ffee"}


def test_forecasts_are_those_of_the_python_path(bundle):
    """Evaluation, on torch and numpy, of the same origin; its weeks are known, so the origin lies earlier."""
    origin = builders.WEEKS - 5
    expected = evaluate(built_data(), replace(drawn_ensemble(), origin=59), np.array([origin]))
    found = score(bundle, built_data().panels, builders.monday(origin).date())
    both = found.merge(expected, on=["region", *SERIES, "week"], validate="1:1", suffixes=("", "_expected"))
    assert len(both) == len(expected) == len(found)
    np.testing.assert_allclose(both["units"], both["ensemble"], rtol=1e-4, atol=1e-3)
    for name in ("lower", "upper"):
        np.testing.assert_allclose(both[name], both[f"{name}_expected"], rtol=1e-4, atol=1e-3)


def test_fewer_weeks_are_the_first_of_all(bundle, forecasts):
    two = score(bundle, built_data().panels, AS_OF, weeks=2)
    expected = forecasts[forecasts["horizon"] <= 2].reset_index(drop=True)
    pd.testing.assert_frame_equal(two, expected, rtol=1e-5)


@pytest.mark.parametrize("weeks", [0, 5, -1])
def test_weeks_that_were_not_trained_are_refused(bundle, weeks):
    with pytest.raises(UsageError, match=f"weeks: expected 1 to 4, as trained; got {weeks}"):
        score(bundle, built_data().panels, AS_OF, weeks=weeks)


@pytest.mark.parametrize("days", [1, 7, -7 * builders.WEEKS])
def test_a_day_that_is_no_known_monday_is_refused(bundle, days):
    day = (pd.Timestamp(AS_OF) + pd.Timedelta(days=days)).date()
    with pytest.raises(UsageError, match=f"as_of: expected a known Monday .* to {AS_OF}; got {day}"):
        score(bundle, built_data().panels, day)


def test_no_panel_is_refused(bundle):
    with pytest.raises(UsageError, match="panels: expected the panel of at least one region"):
        score(bundle, [], AS_OF)


def test_units_after_as_of_change_no_forecast(bundle):
    at, panels = builders.monday(40).date(), built_data().panels
    later = []
    for panel in panels:
        units = panel.units.copy()
        units[:, 41:] *= 7
        later.append(replace(panel, units=units))
    pd.testing.assert_frame_equal(score(bundle, panels, at), score(bundle, later, at))


def test_a_new_store_and_a_new_product_take_the_unknown_path_and_say_so(bundle):
    shipments = builders.shipments()
    more = builders.own(shipments, "S1", "P4").reset_index().assign(store_id="S9", product_id="P9")
    stores, products = builders.stores(), builders.products()
    raw = builders.raw_tables(
        shipments=pd.concat([shipments, more[shipments.columns]], ignore_index=True),
        stores=pd.concat([stores, stores.iloc[:1].assign(store_id="S9")], ignore_index=True),
        products=pd.concat([products, products.iloc[-1:].assign(product_id="P9")], ignore_index=True),
    )
    found = score(bundle, data_set(raw).panels, AS_OF)
    new = builders.own(found, "S9", "P9")
    assert set(new["reason"]) == {"not seen in training: store_id S9, product_id P9"}
    assert set(new["source"]) == {"champion"}
    assert (new["units"] > 0).all()
    old = found[found["store_id"] != "S9"]
    assert set(old["reason"]) == {""}


def test_series_of_a_new_region_are_absent_and_said_so(bundle):
    stores = builders.stores().assign(region=lambda s: s["region"].where(s["store_id"] != "S3", "west"))
    panels = data_set(builders.raw_tables(stores=stores, events=None)).panels
    found = score_all(bundle, panels, AS_OF)
    assert set(found.absent["region"]) == {"west"}
    assert set(found.absent["reason"]) == {"no model for segment west-large-slow"}
    assert found.absent["horizon"].tolist() == [1, 2, 3, 4] * 4
    assert found.absent["week"].tolist() == [builders.monday(builders.WEEKS + i) for i in range(4)] * 4
    assert set(found.forecasts["region"]) == {"north", "south"}
    assert set(found.forecasts["source"]) == {"champion"}
    assert len(found.forecasts) + len(found.absent) == 64
    pd.testing.assert_frame_equal(score(bundle, panels, AS_OF), found.forecasts)


def test_where_everything_is_absent_the_forecasts_are_empty_and_keep_their_contract(bundle):
    stores = builders.stores().assign(region="west")
    panels = data_set(builders.raw_tables(stores=stores, events=None)).panels
    found = score_all(bundle, panels, AS_OF)
    assert len(found.absent) == 64
    assert found.forecasts.empty
    assert list(found.forecasts.columns) == list(check("forecasts", found.forecasts, "test").columns)


def test_a_segment_without_a_model_falls_to_the_average_of_its_series(bundle):
    missing = Segment("north", "large", "fast")
    fewer = replace(bundle, sessions={s: each for s, each in bundle.sessions.items() if s != missing})
    found = score(fewer, built_data().panels, AS_OF)
    fallen = found[found["source"] == "baseline"]
    assert set(fallen["reason"]) == {"no model for segment north-large-fast"}
    assert set(map(tuple, fallen[SERIES].to_numpy())) == {("S1", "P3"), ("S1", "P4")}
    known = pd.Series(built_data().mean_units(59), pd.MultiIndex.from_frame(built_data().series[SERIES]))
    for key, rows in fallen.groupby(SERIES):
        assert rows["units"].tolist() == pytest.approx([known[key]] * 4)
        # the interval of log ratios -3 and 3 around level S, with k = 0.1 S: e^3 x 1.1 S - 0.1 S
        assert rows["upper"].tolist() == pytest.approx([(np.exp(3) * 1.1 - 0.1) * known[key]] * 4, rel=1e-5)
        assert rows["lower"].tolist() == [0.0] * 4
    assert len(found) == 64


def test_a_failing_model_falls_to_the_baseline_and_the_others_do_not(bundle):
    failing = Segment("south", "small", "slow")
    encoder = drawn_encoder(3, 2, 2)  # a graph of three features cannot take these rows
    base = drawn_ensemble()
    other = replace(base, encoder=encoder, models={failing: drawn_small(encoder)})
    session = open_graph(export_graphs(other)[failing], "graph")
    found = score(replace(bundle, sessions={**bundle.sessions, failing: session}), built_data().panels, AS_OF)
    fallen = found[found["source"] == "baseline"]
    assert fallen["reason"].str.startswith("the model of segment south-small-slow failed: ").all()
    assert len(fallen) == 8
    assert len(found) == 64


def test_a_model_that_gives_nan_falls_to_the_baseline(bundle):
    segment = Segment("north", "small", "slow")
    base = drawn_ensemble()
    model = base.models[segment]
    poisoned = replace(model, weight=float("nan"))
    graph = export_graphs(replace(base, models={segment: poisoned}))[segment]
    sessions = {**bundle.sessions, segment: open_graph(graph, "graph")}
    found = score(replace(bundle, sessions=sessions), built_data().panels, AS_OF)
    fallen = found[found["source"] == "baseline"]
    assert set(fallen["reason"]) == {"the model of segment north-small-slow gave no finite number"}
    assert len(fallen) == 8


def test_a_delisted_product_is_not_forecast_beyond_its_last_week(bundle):
    gone = builders.monday(builders.WEEKS + 1)  # delisted in the second week ahead
    products = builders.products()
    dates = products["delisted"].mask(products["product_id"] == "P2", gone)
    found = score(
        bundle, data_set(builders.raw_tables(products=products.assign(delisted=dates))).panels, AS_OF
    )
    weeks = found[found["product_id"] == "P2"].groupby("store_id")["week"].max()
    assert len(weeks) == 4  # it is forecast up to then
    assert (weeks <= gone).all()
    assert (found[found["product_id"] == "P1"].groupby("store_id")["week"].size() == 4).all()


def test_a_series_that_begins_later_is_not_forecast_yet(bundle):
    shipments = builders.shipments()
    late = (shipments["product_id"] == "P3") & (shipments["week"] < builders.monday(42))
    panels = data_set(
        builders.raw_tables(shipments=shipments[~late].reset_index(drop=True), returns=None)
    ).panels
    early = score(bundle, panels, builders.monday(40).date())
    assert set(early["product_id"]) == {"P1", "P2", "P4"}
    assert set(score(bundle, panels, builders.monday(42).date())["product_id"]) == {"P1", "P2", "P3", "P4"}


def test_a_series_unknown_for_a_year_has_the_baseline_and_says_why(bundle):
    panel = built_data().panels[0]
    units = panel.units.copy()
    units[0, 5:] = np.nan
    found = score(bundle, [replace(panel, units=units)], AS_OF)
    silent = found.iloc[:4]
    assert set(silent["source"]) == {"baseline"}
    assert set(silent["reason"]) == {"no week is known of the year up to as_of"}
    assert set(found.iloc[4:]["source"]) == {"champion"}


def test_features_of_another_version_are_refused(bundle):
    form = replace(bundle.form, names=("lag_77", *bundle.form.names[1:]))
    other = replace(bundle, forms={"encoder.json": form})
    with pytest.raises(IntegrityError, match=r"features: expected those the bundle was trained on.*lag_77"):
        score(other, built_data().panels, AS_OF)


def drawn_small(encoder):
    """A model of three features."""
    model = drawn_model(drawn_ensemble().encoder, (4,), 0)
    lasso = replace(
        model.lasso,
        linear=model.lasso.linear[:3],
        products=np.empty(0, np.float32),
        pairs=np.empty((0, 2), np.intp),
        one_hot=(np.zeros(3, np.float32), np.zeros(3, np.float32)),
    )

    return replace(
        model, lasso=lasso, network=Network(3, encoder.vocabulary.sizes, NetworkConfig(hidden=(4,)))
    )
