from datetime import date

import pandas as pd
import pytest

from level1_pipeline.replay.change import Change
from level1_pipeline.replay.figures import reasons, summary, weekly
from level1_pipeline.replay.log import Entry
from level1_pipeline.replay.plan import Costs

WEEKS = pd.to_datetime(["2024-01-08", "2024-01-15", "2024-01-22"]).as_unit("us")
CHANGE = Change(date(2024, 1, 15), 1)
ENTRIES = [
    Entry("2024-01-08", "a", 0, seconds={"score": 1.0}),
    Entry("2024-01-15", "a", 7, seconds={"score": 1.0}),
    Entry("2024-01-22", "b", 0, "d1", ("age", "drift"), "b", 3, seconds={"train": 5.0, "score": 1.0}),
]
ROWS = pd.DataFrame(
    {
        "region": "R01",
        "store_id": "S1",
        "product_id": "P1",
        "week": [*WEEKS, WEEKS[0]],
        "horizon": [1, 1, 1, 2],
        "actual": [10.0, 20.0, 0.0, 10.0],
        "policy": [12.0, 10.0, 4.0, 10.0],
    }
)


@pytest.fixture
def line():
    (found,) = summary(ROWS, {"policy": ENTRIES}, CHANGE, Costs(over=2.0, under=3.0))
    return found


def test_errors_are_those_of_all_forecasts_with_an_actual(line):
    # |12-10|/10 = 20 %, |10-20|/20 = 50 %, no sales, |10-10|/10 = 0 %
    assert line["mape"] == pytest.approx(70 / 3)
    # (2 + 10 + 4 + 0) / 40 and (12 + 10 + 4 + 10 - 40) / 40
    assert line["wape"] == pytest.approx(40.0)
    assert line["bias"] == pytest.approx(-10.0)


def test_the_weeks_before_in_and_after_the_change_have_errors_of_their_own(line):
    assert line["mape_before"] == pytest.approx(10.0)  # of 20 % and 0 %
    assert line["mape_inside"] == pytest.approx(50.0)
    assert line["mape_after"] is None  # nothing was sold


def test_stock_is_what_was_forecast_one_week_ahead(line):
    # too many: 2 + 4 units at 2 USD; too few: 10 units at 3 USD; the row two weeks ahead costs nothing
    assert (line["over_usd"], line["under_usd"], line["stock_usd"]) == (12.0, 30.0, 42.0)


def test_age_trainings_and_seconds_are_counted(line):
    assert line["age_days"] == pytest.approx(7 / 3)
    assert (line["trainings"], line["promotions"], line["segments"]) == (1, 1, 3)
    assert (line["seconds"], line["training_seconds"]) == (8.0, 5.0)


def test_without_a_change_every_week_lies_before_it():
    (line,) = summary(ROWS, {"policy": ENTRIES}, Change(CHANGE.first, 0), Costs())
    assert line["mape_before"] == line["mape"]
    assert line["mape_inside"] is None and line["mape_after"] is None


def test_the_chart_has_a_row_per_week_with_the_error_of_four_weeks():
    found = weekly(ROWS, {"policy": ENTRIES})
    assert list(found["mape"].round(1)) == [10.0, 30.0, pytest.approx(float("nan"), nan_ok=True)]
    assert list(found["trained"]) == [False, False, True]


def test_triggers_are_counted_where_a_model_was_trained():
    assert reasons(ENTRIES) == {"age": 1, "drift": 1}
