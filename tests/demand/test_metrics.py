import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from demand.metrics import bias, coverage, mape, rmse, rmse_zero, wape

ACTUAL = [10.0, 20.0, 0.0, 40.0]
FORECAST = [12.0, 15.0, 3.0, 40.0]
POINT_METRICS = [mape, wape, rmse, rmse_zero, bias]


def test_mape_averages_relative_errors_where_something_was_sold():
    assert mape(ACTUAL, FORECAST) == pytest.approx(15.0)  # (2/10 + 5/20 + 0/40) / 3 = 0.45 / 3


def test_wape_is_all_errors_over_all_sales():
    assert wape(ACTUAL, FORECAST) == pytest.approx(100 * 10 / 70)  # (2 + 5 + 3 + 0) / (10 + 20 + 0 + 40)


def test_rmse_counts_every_row():
    assert rmse(ACTUAL, FORECAST) == pytest.approx(math.sqrt(9.5))  # (4 + 25 + 9 + 0) / 4 = 9.5


def test_rmse_zero_counts_rows_without_sales_only():
    assert rmse_zero([0.0, 0.0, 5.0], [3.0, 4.0, 99.0]) == pytest.approx(math.sqrt(12.5))  # (9 + 16) / 2


def test_bias_keeps_its_sign():
    assert bias(ACTUAL, [5.0, 15.0, 0.0, 36.0]) == pytest.approx(-20.0)  # (-5 - 5 + 0 - 4) / 70 = -14 / 70
    assert bias([10.0, 10.0], [12.0, 9.0]) == pytest.approx(5.0)  # (2 - 1) / 20


def test_coverage_counts_both_ends_as_inside():
    lower, upper = [1.0, 0.0, 4.0, 0.0], [2.0, 2.0, 5.0, 3.0]
    assert coverage([1.0, 2.0, 3.0, 4.0], lower, upper) == 50.0  # yes, yes, no, no


@pytest.mark.parametrize("metric", POINT_METRICS)
def test_a_row_whose_actual_is_not_known_is_not_scored(metric):
    assert metric([*ACTUAL, np.nan], [*FORECAST, 1e9]) == metric(ACTUAL, FORECAST)


@pytest.mark.parametrize("metric", [wape, rmse, bias])
def test_a_missing_forecast_of_a_known_week_shows(metric):
    assert math.isnan(metric([1.0, 2.0], [1.0, np.nan]))


def test_a_missing_forecast_shows_in_the_metrics_of_its_own_rows():
    assert math.isnan(mape([1.0, 0.0], [np.nan, 0.0]))
    assert math.isnan(rmse_zero([1.0, 0.0], [1.0, np.nan]))
    assert math.isnan(coverage([1.0, 2.0], [0.0, np.nan], [2.0, 3.0]))


@pytest.mark.parametrize("metric", POINT_METRICS)
def test_nothing_to_average_gives_nan_without_a_warning(metric, recwarn):
    assert math.isnan(metric([], []))
    assert math.isnan(metric([np.nan], [1.0]))
    assert math.isnan(coverage([], [], []))
    assert not recwarn.list


def test_metrics_over_sales_are_nan_where_nothing_was_sold():
    assert math.isnan(mape([0.0], [1.0]))
    assert math.isnan(wape([0.0], [1.0]))
    assert math.isnan(bias([0.0], [1.0]))


def test_rmse_zero_is_nan_where_every_row_sold():
    assert math.isnan(rmse_zero([1.0], [1.0]))


def test_columns_of_a_frame_are_taken_by_position():
    frame = pd.DataFrame({"actual": ACTUAL, "forecast": FORECAST}, index=[3, 3, 1, 0])
    assert mape(frame["actual"], frame["forecast"]) == pytest.approx(15.0)


@pytest.mark.parametrize("metric", POINT_METRICS)
def test_columns_of_different_shape_are_refused(metric):
    with pytest.raises(ValueError, match=r"one shape \(n_rows,\), got \[\(2,\), \(1,\)\]"):
        metric([1.0, 2.0], [1.0])
    with pytest.raises(ValueError, match="one shape"):
        metric([[1.0]], [[1.0]])


@pytest.mark.parametrize("wrong", [["1", "2"], [True, False], [1.0, None]])
def test_values_that_are_not_numbers_are_refused(wrong):
    with pytest.raises(TypeError, match="expects numbers, got dtype"):
        mape([1.0, 2.0], wrong)


units = st.floats(0.01, 1e6) | st.just(0.0)
rows = st.lists(st.tuples(units, units, units), min_size=1, max_size=50)


@given(rows)
def test_metrics_agree_with_their_plain_twins(rows):
    actual, forecast, upper = zip(*rows, strict=True)
    errors = [f - a for a, f, _ in rows]
    relative = [abs(f - a) / a for a, f, _ in rows if a > 0]
    unsold = [f * f for a, f, _ in rows if a == 0]
    inside = [f <= a <= u for a, f, u in rows]
    assert mape(actual, forecast) == close(100 * sum(relative) / len(relative) if relative else math.nan)
    sold = sum(actual) or math.nan
    assert wape(actual, forecast) == close(100 * sum(map(abs, errors)) / sold)
    assert bias(actual, forecast) == close(100 * sum(errors) / sold)
    assert rmse(actual, forecast) == close(math.sqrt(sum(e * e for e in errors) / len(errors)))
    assert rmse_zero(actual, forecast) == close(math.sqrt(sum(unsold) / len(unsold)) if unsold else math.nan)
    assert coverage(actual, forecast, upper) == close(100 * sum(inside) / len(inside))


@given(rows, st.floats(0.01, 100))
def test_percentages_do_not_depend_on_the_unit(rows, factor):
    actual, forecast, _ = (np.asarray(column) for column in zip(*rows, strict=True))
    scaled = wape(actual * factor, forecast * factor)
    assert scaled == close(wape(actual, forecast), rel=1e-6)


def close(expected: float, rel: float = 1e-9):
    return pytest.approx(expected, rel=rel, abs=1e-6, nan_ok=True)
