import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from demand.features import Windows, lag_features
from demand.features.windows import shifted

NAN = np.nan
ROW = np.array([[4.0, NAN, 0.0, 2.0]], np.float32)
EVERY = np.arange(4)

matrices = hnp.arrays(
    np.float32,
    st.tuples(st.integers(1, 3), st.integers(1, 12)),
    elements=st.one_of(st.just(np.float32("nan")), st.floats(0, 1e4, width=32)),
)


def twin(values: np.ndarray, weeks: int) -> pd.api.typing.Rolling:
    """The same windows by pandas; its rows are the weeks."""
    return pd.DataFrame(values.T.astype(np.float64)).rolling(weeks, min_periods=1)


def test_a_shift_takes_the_columns_asked_for_and_nan_outside():
    found = shifted(ROW, np.array([-1, 3, 0, 4]))
    np.testing.assert_array_equal(found, [[NAN, 2, 4, NAN]])
    assert found.dtype == np.float32


def test_a_shift_inside_the_weeks_is_a_plain_selection():
    np.testing.assert_array_equal(shifted(ROW, np.array([3, 0])), [[2, 4]])


def test_a_mean_is_over_the_known_weeks_of_the_window():
    found = Windows(ROW).mean(EVERY, 3)
    np.testing.assert_allclose(found, [[4, 4, 2, 1]])  # 4; 4; (4 + 0) / 2; (0 + 2) / 2


def test_a_window_without_a_known_week_gives_nan():
    windows = Windows(ROW)
    np.testing.assert_array_equal(windows.mean(np.array([1, -1]), 1), [[NAN, NAN]])
    np.testing.assert_array_equal(windows.zero_share(np.array([1]), 1), [[NAN]])
    np.testing.assert_array_equal(windows.deviation(np.array([-5]), 3), [[NAN]])


def test_a_window_past_the_last_week_ends_with_it():
    np.testing.assert_allclose(Windows(ROW).mean(np.array([5]), 3), [[2]])  # weeks 3 to 5: only week 3 exists


def test_counts_are_of_known_weeks():
    np.testing.assert_array_equal(Windows(ROW).count(EVERY, 2), [[1, 1, 1, 2]])


def test_counts_have_one_row_per_series_where_every_week_is_known():
    found = Windows(np.ones((3, 4), np.float32)).count(np.array([0, 3]), 3)
    np.testing.assert_array_equal(found, [[1, 3]] * 3)


def test_the_zero_share_is_of_known_weeks_and_counts_below_zero_too():
    values = np.array([[0.0, 3.0, NAN, -1.0]])
    np.testing.assert_allclose(
        Windows(values).zero_share(np.array([3]), 4), [[2 / 3]]
    )  # 0 and -1 of 0, 3, -1


def test_a_deviation_is_of_the_population():
    values = np.array([[2.0, 4, 4, 4, 5, 5, 7, 9, NAN]])
    # Mean 5; squares (9 + 1 + 1 + 1 + 0 + 0 + 4 + 16) / 8 = 4
    np.testing.assert_allclose(Windows(values).deviation(np.array([8]), 9), [[2]])


def test_a_steady_series_of_many_units_has_no_deviation():
    values = np.full((1, 60), 12_345.678, np.float32)
    assert (
        Windows(values).deviation(np.array([59]), 26) < 0.02
    )  # float32 sums of squares would give 2 and more


def test_windows_end_at_any_weeks_in_any_order():
    np.testing.assert_allclose(Windows(ROW).mean(np.array([3, 0, 3]), 2), [[1, 4, 1]])


@given(matrices, st.integers(1, 14))
def test_windows_equal_pandas_rolling(values, weeks):
    windows, at = Windows(values), np.arange(values.shape[1])
    rolling = twin(values, weeks)
    np.testing.assert_allclose(windows.mean(at, weeks), rolling.mean().T, rtol=1e-5, atol=1e-3)
    np.testing.assert_array_equal(windows.count(at, weeks), rolling.count().T)
    np.testing.assert_allclose(windows.deviation(at, weeks), rolling.std(ddof=0).T, rtol=1e-4, atol=1e-2)


@given(matrices, st.integers(1, 14))
def test_zero_shares_equal_a_pandas_mean_of_zeros(values, weeks):
    zeros = np.where(np.isnan(values), NAN, values <= 0)
    found = Windows(values).zero_share(np.arange(values.shape[1]), weeks)
    np.testing.assert_allclose(found, twin(zeros, weeks).mean().T, atol=1e-6)


@given(
    matrices, st.lists(st.integers(0, 14), min_size=1, max_size=3), st.lists(st.integers(1, 14), max_size=2)
)
def test_lag_features_equal_pandas_shift_and_rolling(values, lags, windows):
    weekly = pd.DataFrame(values.T)
    found = lag_features(values, tuple(lags), tuple(windows))
    assert found.dtype == np.float32
    for lag, rows in zip(lags, found, strict=False):
        np.testing.assert_array_equal(rows, weekly.shift(lag).T)
    for weeks, rows in zip(windows, found[len(lags) :], strict=True):
        np.testing.assert_allclose(rows, twin(values, weeks).mean().T, rtol=1e-5, atol=1e-3)


def test_lag_features_come_in_the_order_asked_for():
    found = lag_features(ROW, (1, 0), (2,))
    expected = [[NAN, 4, NAN, 0], [4, NAN, 0, 2], [4, 4, 0, 1]]  # lag 1; lag 0; means of 2 weeks
    np.testing.assert_array_equal(found[:, 0], expected)


@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_the_values_that_came_in_stay_as_they_are(kind):
    values = ROW.astype(kind)
    before = values.copy()
    windows = Windows(values)
    windows.mean(EVERY, 2), windows.deviation(EVERY, 2), windows.zero_share(EVERY, 2)
    lag_features(values, (1,), (2,))
    np.testing.assert_array_equal(values, before)
