from dataclasses import replace
from datetime import date, timedelta

import pandas as pd
import pytest

from level2_cicd.dashboards.gathered import Elsewhere, gather
from level2_cicd.dashboards.reading import Part
from level2_cicd.dashboards.segments import STALE_DAYS, TARGET_GAIN, TARGET_MAPE, pooled, segment_table
from level2_cicd.dashboards.series import series_table

CELLS = 300_000


@pytest.fixture(scope="module")
def found(small_store):
    return gather(small_store, None, Elsewhere())


def test_the_targets_are_those_that_a_report_judges_by(root):
    judge = (root / "shared" / "demand" / "evaluation.py").read_text()  # importing it would load torch
    assert f"TARGET_MAPE, TARGET_GAIN = {TARGET_MAPE}, {TARGET_GAIN}" in judge


def test_the_age_that_is_stale_is_the_age_at_which_a_model_is_trained_again():
    from level1_pipeline.triggers import Policy

    assert Policy().max_age_days == STALE_DAYS


def test_ages_are_counted_to_the_last_week_that_came(found, stores):
    assert found.as_of == stores.LAST.date()


@pytest.mark.parametrize(("days", "stale"), [(59, False), (60, False), (61, True)])
def test_a_model_is_stale_from_the_61st_day_on(found, days, stale):
    trained = found.manifest.value.meta.as_of
    table = segment_table(replace(found, as_of=trained + timedelta(days=days)))
    own = table[table["source"] == "champion"]
    assert set(own["age"]) == {float(days)}
    assert set(own["stale"]) == {stale}


def test_each_segment_says_what_serves_it_and_why(found):
    table = segment_table(found)
    assert set(table["source"]) == {"champion", "previous", "baseline"}
    carried = table[table["source"] == "previous"].iloc[0]
    assert carried["reason"] == "gate: 7.2 % worse than the champion"
    # The old run's bundle is gone: its last week lies as far before 2026-11-02 as 09-01 lies before 11-09.
    assert carried["age"] == (date(2026, 11, 16) - date(2026, 11, 2)).days + 69
    assert (table.loc[table["source"] == "baseline", "version"] == "").all()


def test_the_error_of_the_average_comes_from_the_rows_that_judged(found):
    table = segment_table(found)
    rows = found.backtest.value
    own = rows[(rows["region"] == "R01") & (rows["format"] == "large") & (rows["speed"] == "fast")]
    expected = ((own["baseline"] - own["actual"]) ** 2).mean() ** 0.5
    assert table.iloc[0]["baseline_rmse"] == pytest.approx(expected)


def test_a_mean_over_horizons_weighs_by_rows_and_leaves_out_what_is_not_known():
    rows = pd.DataFrame({"region": "R01", "n": [10, 30, 5], "mape": [20.0, 40.0, float("nan")]})
    assert pooled(rows, ["region"], "mape").tolist() == [35.0]  # (10 x 20 + 30 x 40) / 40


def test_of_two_forecasts_of_a_week_the_later_one_counts(found):
    early = found.history.value.iloc[:1]
    late = pd.concat([early.assign(horizon=3.0, units=1.0), early.assign(horizon=1.0, units=2.0)])
    only = replace(found, history=Part(late), forecasts=Part(), backtest=Part())
    table = series_table(only, CELLS)
    assert table.units[0, table.weeks.get_loc(early["week"].iloc[0])] == 2.0


def test_weeks_come_from_the_first_forecast_or_actual_to_the_last_forecast(found, stores):
    table = series_table(found, CELLS)
    assert table.weeks[0] == stores.LAST - pd.Timedelta(weeks=11)
    assert table.weeks[-1] == stores.LAST + pd.Timedelta(weeks=4)
    assert table.units.shape == table.actual.shape == (8, 16)


def test_what_came_stands_beside_its_forecast(found):
    table = series_table(found, CELLS)
    row = found.actuals.value.iloc[5]
    series = (table.keys == row[list(table.keys)]).all(axis=1).to_numpy().argmax()
    assert table.actual[series, table.weeks.get_loc(row["week"])] == row["units"]


def test_where_there_is_no_room_the_smallest_series_are_left_out(found):
    everything = series_table(found, CELLS)
    few = series_table(found, 16 * 3)
    assert (len(few.keys), few.left_out) == (3, 5)
    total = pd.Series(everything.units.sum(axis=1))
    largest = everything.keys.loc[sorted(total.nlargest(3).index)].reset_index(drop=True)
    pd.testing.assert_frame_equal(few.keys, largest)


def test_a_store_without_forecasts_has_no_series(tmp_path):
    assert series_table(gather(tmp_path, None, Elsewhere()), CELLS) is None
    assert segment_table(gather(tmp_path, None, Elsewhere())).empty
