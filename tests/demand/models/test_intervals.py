import numpy as np
import pytest

from demand.models.intervals import BANDS, FEWEST, Intervals, learn_intervals


def simulated(count: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Errors whose spread falls with the level and grows with the horizon, their levels and horizons."""
    random = np.random.default_rng(seed)
    level = random.lognormal(3, 1, count).astype(np.float32)
    horizon = random.integers(1, 5, count)
    spread = (1 + 0.3 * horizon) / (1 + 0.05 * level)
    return (random.normal(0, 1, count) * spread).astype(np.float32), level, horizon


@pytest.mark.parametrize("nominal", [0.8, 0.9])
def test_intervals_cover_the_share_they_promise_in_every_band_and_horizon(nominal):
    intervals = learn_intervals(*simulated(20_000, 1), 4, nominal)
    error, level, horizon = simulated(20_000, 2)
    lower, upper = intervals.bounds(np.zeros_like(error), level, horizon)
    inside = (lower <= error) & (error <= upper)
    assert inside.mean() == pytest.approx(nominal, abs=0.01)
    band = np.searchsorted(intervals.edges, level, side="right")
    for row in range(BANDS):
        for step in range(1, 5):
            assert inside[(band == row) & (horizon == step)].mean() == pytest.approx(nominal, abs=0.035)


def test_bands_are_thirds_of_the_levels():
    level = np.arange(1.0, 10.0, dtype=np.float32)
    found = learn_intervals(np.zeros(9, np.float32), level, np.ones(9, int), 1, 0.9)
    np.testing.assert_allclose(found.edges, np.quantile(level, [1 / 3, 2 / 3]), rtol=1e-6)


def test_ranks_are_those_of_split_conformal():
    error = np.arange(-59, 60, 2, dtype=np.float32)  # 60 errors of one level: all in the highest band
    found = learn_intervals(error, np.ones(60, np.float32), np.ones(60, int), 1, 0.9)
    # floor(61 x 0.05) = 3: the third from either end
    assert (found.lower[-1, 0], found.upper[-1, 0]) == (-55, 55)


def test_few_errors_give_their_extremes():
    found = learn_intervals(np.array([-3, 1, 3], np.float32), np.ones(3, np.float32), np.ones(3, int), 2, 0.9)
    np.testing.assert_array_equal(found.lower, np.full((BANDS, 2), -3))
    np.testing.assert_array_equal(found.upper, np.full((BANDS, 2), 3))


@pytest.mark.parametrize(("sign", "bounds"), [(1, (0, 3)), (-1, (-3, 0))])
def test_an_interval_holds_its_forecast_even_where_every_error_has_one_sign(sign, bounds):
    error = np.array([1, 2, 3], np.float32) * sign
    found = learn_intervals(error, np.ones(3, np.float32), np.ones(3, int), 1, 0.9)
    assert (found.lower[0, 0], found.upper[0, 0]) == bounds


def cells(own: int) -> Intervals:
    """Small series: `own` errors of 5 at horizon 1, many of 2 at horizon 2; large series err by 1."""
    error = np.concatenate([np.full(own, 5.0), np.full(4 * FEWEST - own, 2.0), np.full(8 * FEWEST, 1.0)])
    level = np.concatenate([np.full(4 * FEWEST, 1.0), np.full(4 * FEWEST, 10.0), np.full(4 * FEWEST, 100.0)])
    horizon = np.concatenate([np.full(own, 1), np.full(12 * FEWEST - own, 2)])
    return learn_intervals(error.astype(np.float32), level.astype(np.float32), horizon, 2, 0.9)


def test_a_cell_with_enough_errors_stands_for_itself():
    assert cells(FEWEST).upper[0, 0] == 5


def test_a_smaller_cell_takes_the_errors_of_its_band():
    assert cells(1).upper[0, 0] == 2


def test_a_band_with_few_errors_takes_those_of_all():
    error = np.array([9.0] * 5 + [1.0] * 40, np.float32)
    level = np.array([100.0] * 5 + [1.0] * 40, np.float32)
    found = learn_intervals(error, level, np.ones(45, int), 1, 0.5)
    assert (found.upper == found.upper[0, 0]).all()


def test_bounds_follow_the_level_and_stop_at_the_last_horizon():
    intervals = Intervals(
        np.array([10, 20], np.float32),
        -np.array([[1, 2], [3, 4], [5, 6]], np.float32),
        np.array([[1, 2], [3, 4], [5, 6]], np.float32),
    )
    ratio = np.full(4, 0.5, np.float32)
    lower, upper = intervals.bounds(ratio, np.array([9, 10, 20, 5], np.float32), np.array([1, 2, 2, 7]))
    np.testing.assert_array_equal(lower, [-0.5, -3.5, -5.5, -1.5])  # an edge belongs to the band above it
    np.testing.assert_array_equal(upper, [1.5, 4.5, 6.5, 2.5])
