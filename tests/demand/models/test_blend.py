import numpy as np
import pytest

from demand.models.blend import EQUAL, LARGEST_SHIFT, blend, choose_shift, choose_weight

UNITS = np.array([10.0, 20.0, 40.0], np.float32)
LEVEL = np.full(3, 20.0, np.float32)
OFFSET = np.full(3, 2.0, np.float32)
RIGHT = np.log((UNITS + OFFSET) / (LEVEL + OFFSET))
HIGH = RIGHT + np.float32(0.5)
LOW = RIGHT - np.float32(0.5)


def chosen(
    lasso: np.ndarray, network: np.ndarray, objective: str = "mape", units: np.ndarray = UNITS
) -> float:
    return choose_weight((lasso, network), units, (LEVEL, OFFSET), objective)


def test_a_blend_is_a_mean_of_logs():
    found = blend(np.array([1.0, 0.0], np.float32), np.array([3.0, -2.0], np.float32), 0.25)
    np.testing.assert_allclose(found, [1.5, -0.5])  # 0.75 x 1 + 0.25 x 3; 0.25 x -2
    assert found.dtype == np.float32


@pytest.mark.parametrize("objective", ["mape", "balanced"])
def test_a_member_that_is_right_gets_nine_tenths_of_the_weight(objective):
    assert chosen(HIGH, RIGHT, objective) == pytest.approx(0.9)  # 0.8 x 1 + 0.2 x 0.5
    assert chosen(RIGHT, HIGH, objective) == pytest.approx(0.1)


def test_members_that_err_on_both_sides_share():
    assert chosen(HIGH, LOW) == pytest.approx(0.5)


def test_the_objective_decides_what_an_error_costs():
    """The network errs on the smallest row alone, LASSO on the largest: MAPE minds one, WAPE the other."""
    small, large = np.array([1, 0, 0], np.float32), np.array([0, 0, 1], np.float32)
    lasso, network = RIGHT - np.float32(0.3) * large, RIGHT + np.float32(0.4) * small
    assert chosen(lasso, network, "mape") < 0.5 < chosen(lasso, network, "balanced")


def test_without_a_row_that_can_be_scored_members_weigh_the_same():
    assert chosen(HIGH, RIGHT, units=np.zeros(3, np.float32)) == EQUAL == 0.5


def test_a_shift_makes_forecasts_sum_to_the_units():
    low = RIGHT - np.array([0.1, 0.2, 0.3], np.float32)
    shift = choose_shift(low, UNITS, (LEVEL, OFFSET))
    shifted = np.exp(low + shift) * 22 - 2
    assert shifted.sum() == pytest.approx(70, abs=0.02)  # 10 + 20 + 40
    assert 0.1 < shift < 0.3


def test_forecasts_that_sum_to_the_units_are_not_shifted():
    assert choose_shift(RIGHT, UNITS, (LEVEL, OFFSET)) == pytest.approx(0, abs=1e-3)


@pytest.mark.parametrize(("error", "shift"), [(-2.0, LARGEST_SHIFT), (2.0, -LARGEST_SHIFT)])
def test_a_shift_stays_in_bounds(error, shift):
    assert choose_shift(RIGHT + np.float32(error), UNITS, (LEVEL, OFFSET)) == shift
