import numpy as np
import pytest

from demand.models.blend import (
    EQUAL,
    GRID,
    PRIOR,
    Curve,
    anchored,
    blend,
    choose_weight,
    error_curve,
    pooled_curve,
)

UNITS = np.array([10.0, 20.0, 40.0], np.float32)
LEVEL = np.full(3, 20.0, np.float32)
OFFSET = np.full(3, 2.0, np.float32)
NO_PRIOR = pooled_curve([])
RIGHT = np.log((UNITS + OFFSET) / (LEVEL + OFFSET))
HIGH = RIGHT + np.float32(0.5)
LOW = RIGHT - np.float32(0.5)


def chosen(
    lasso: np.ndarray, network: np.ndarray, objective: str = "mape", units: np.ndarray = UNITS
) -> float:
    curve = error_curve((lasso, network), units, (LEVEL, OFFSET), objective)
    return choose_weight(curve, NO_PRIOR)


def test_a_blend_is_a_mean_of_logs():
    found = blend(np.array([1.0, 0.0], np.float32), np.array([3.0, -2.0], np.float32), 0.25)
    np.testing.assert_allclose(found, [1.5, -0.5])  # 0.75 x 1 + 0.25 x 3; 0.25 x -2
    assert found.dtype == np.float32


@pytest.mark.parametrize("objective", ["mape", "balanced"])
def test_a_member_that_is_right_gets_all_of_the_weight(objective):
    assert chosen(HIGH, RIGHT, objective) == 1
    assert chosen(RIGHT, HIGH, objective) == 0


def test_members_that_err_on_both_sides_share():
    assert chosen(HIGH, LOW) == pytest.approx(0.5)


def test_the_objective_decides_what_an_error_costs():
    """The network errs on the smallest row alone, LASSO on the largest: MAPE minds one, WAPE the other."""
    small, large = np.array([1, 0, 0], np.float32), np.array([0, 0, 1], np.float32)
    lasso, network = RIGHT - np.float32(0.3) * large, RIGHT + np.float32(0.4) * small
    assert chosen(lasso, network, "mape") < 0.5 < chosen(lasso, network, "balanced")


def test_without_a_row_that_can_be_scored_members_weigh_the_same():
    assert chosen(HIGH, RIGHT, units=np.zeros(3, np.float32)) == EQUAL == 0.5


def curve(best: int, rows: int) -> Curve:
    """An error of one percent for each step of the grid away from `best`."""
    return Curve(np.abs(np.arange(len(GRID)) - best).astype(float), rows)


def test_a_small_segment_follows_all_segments_together_and_a_large_one_itself():
    prior = curve(0, 5000)  # all together trust the LASSO
    assert choose_weight(curve(20, round(PRIOR) - 1), prior) == 0
    assert choose_weight(curve(20, round(PRIOR) + 1), prior) == 1


def test_a_segment_without_sales_follows_all_segments_together():
    nothing = Curve(np.full(len(GRID), np.nan), 0)
    assert choose_weight(nothing, curve(20, 10)) == 1
    assert choose_weight(nothing, NO_PRIOR) == EQUAL


def test_pooled_curves_count_by_their_rows():
    found = pooled_curve([curve(0, 30), curve(20, 10), Curve(np.full(len(GRID), np.nan), 0)])
    assert found.rows == 40
    assert found.error[0] == pytest.approx(5)  # (30 x 0 + 10 x 20) / 40
    assert found.error[20] == pytest.approx(15)  # (30 x 20 + 10 x 0) / 40


def test_an_anchor_draws_a_forecast_two_thirds_of_the_way_where_there_is_one():
    ratio, anchor = np.array([0.3, 0.3], np.float32), np.array([np.nan, 0.9], np.float32)
    np.testing.assert_allclose(anchored(ratio, anchor), [0.3, 0.7], rtol=1e-6)  # 0.3 / 3 + 2 x 0.9 / 3
    assert anchored(ratio, anchor).dtype == np.float32
