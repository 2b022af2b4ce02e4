import re
from dataclasses import dataclass, replace

import numpy as np
import pytest

from demand.config import Config, ForecastConfig, LassoConfig, TrainingConfig
from demand.training import Failed, Rows
from demand.training.linear import (
    alphas,
    fit_region,
    hot_codes,
    pick_by_validation,
    pick_chosen,
    region_design,
    row_weights,
)

LASSO = LassoConfig(passes=1, pool=0.5, alphas=5, highest_alpha=0.1, lowest_alpha=1e-5)
CONFIG = Config(lasso=LASSO, training=TrainingConfig(half_life=10, floor=0.02, zero_weight=0.3))
NAMES = ("a", "b")
SIZES = (2, 4, 4, 2, 2)


def rows(count: int, slope: float, store: int = 1, seed: int = 0) -> Rows:
    """Rows of one store whose log ratio is `slope` times the first feature; level 20, offset 2."""
    random = np.random.default_rng(seed)
    values = random.normal(0, 1, (count, 2)).astype(np.float32)
    ratio = (slope * values[:, 0] + random.normal(0, 0.05, count)).astype(np.float32)
    codes = np.tile([1, store, 1, 1, 1], (count, 1))
    level, offset = np.full((2, count), [[20], [2]], np.float32)
    units = (np.exp(ratio) * 22 - 2).clip(0).astype(np.float32)
    origin = np.arange(count) % 30
    return Rows(
        values,
        codes,
        np.zeros(count, int),
        origin,
        np.ones(count, int),
        level,
        offset,
        units,
        ratio,
        np.full(count, np.nan),
    )


def middle(*_: object) -> int:
    return LASSO.alphas // 2


def last(*_: object) -> int:
    return LASSO.alphas - 1


@dataclass(frozen=True)
class Found:
    members: list
    chosen: list


def fitted(parts: list[Rows], pick=last, config: Config = CONFIG) -> Found:
    found = linear_of(parts, pick, config)
    return Found([each.member for each in found], [each.alphas for each in found])


def linear_of(parts: list[Rows], pick=last, config: Config = CONFIG):
    return fit_region(region_design(NAMES, parts, SIZES), parts, 30, pick, config)


def test_the_path_runs_from_the_highest_alpha_to_the_lowest():
    np.testing.assert_allclose(alphas(CONFIG), [1e-1, 1e-2, 1e-3, 1e-4, 1e-5])


def test_a_row_weighs_half_as_much_every_half_life():
    given = replace(rows(3, 1.0), origin=np.array([29, 19, 9]))  # targets 30, 20, 10
    np.testing.assert_allclose(row_weights(given, 30, CONFIG), [1, 0.5, 0.25])


def test_a_row_weighs_by_its_scale_as_well_where_units_count():
    given = replace(
        rows(2, 1.0), origin=np.array([29, 29]), level=np.float32([9, 29]), offset=np.float32([1, 1])
    )
    balanced = replace(CONFIG, forecast=replace(CONFIG.forecast, objective="balanced"))
    np.testing.assert_allclose(row_weights(given, 30, balanced), [0.5, 1.5])  # 10 and 30 over their mean, 20


def test_hot_codes_are_those_of_store_and_product():
    np.testing.assert_array_equal(hot_codes(np.array([[9, 1, 2, 9, 9]])), [[1, 2]])


def test_a_region_has_columns_for_the_stores_of_all_its_segments():
    design = region_design(NAMES, [rows(2, 1, store=3), rows(2, 1, store=1)], SIZES)
    np.testing.assert_array_equal(design.levels[0], [1, 3])


def test_members_find_the_slope_of_their_own_segment():
    config = replace(CONFIG, lasso=replace(LASSO, pool=0.0))
    found = fitted([rows(300, 0.5), rows(300, -0.3, store=2, seed=1)], config=config).members
    assert found[0].linear[0] == pytest.approx(0.5, abs=0.02)
    assert found[1].linear[0] == pytest.approx(-0.3, abs=0.02)


def test_pooling_draws_members_together_and_a_whole_pool_makes_them_one():
    parts = [rows(300, 0.5), rows(300, -0.3, store=1, seed=1)]
    own, some, whole = (
        [
            each.linear[0]
            for each in fitted(parts, config=replace(CONFIG, lasso=replace(LASSO, pool=pool))).members
        ]
        for pool in (0.0, 0.5, 1.0)
    )
    assert own[0] > some[0] > some[1] > own[1]
    assert whole[0] == pytest.approx(whole[1], abs=1e-6)


def test_a_segment_without_rows_borrows_the_member_of_the_others():
    one = rows(200, 0.5)
    found = fitted([one, one.take(slice(0, 0))]).members
    assert found[1].linear[0] == pytest.approx(found[0].linear[0], abs=1e-5)
    assert found[0].linear[0] == pytest.approx(0.5, abs=0.02)


def test_a_region_without_any_row_forecasts_the_level():
    nothing = rows(2, 1.0).take(slice(0, 0))
    found = fitted([nothing, nothing]).members
    given = rows(5, 1.0)
    np.testing.assert_array_equal(found[0].predict(given.values, hot_codes(given.codes)), np.zeros(5))


@pytest.mark.parametrize("passes", [0, 2])
def test_every_pass_picks_its_alpha(passes):
    config = replace(CONFIG, lasso=replace(LASSO, passes=passes))
    found = fitted([rows(50, 0.5), rows(50, 0.5, seed=1)], middle, config)
    assert found.chosen == [(2,) * (passes + 1)] * 2


def test_what_was_chosen_can_be_fitted_again():
    parts = [rows(100, 0.5), rows(100, -0.2, seed=1)]
    first = fitted(parts, lambda segment, step, *_: segment + step)
    again = fitted(parts, pick_chosen(first.chosen))
    assert first.chosen == again.chosen == [(0, 1), (1, 2)]
    for a, b in zip(first.members, again.members, strict=True):
        np.testing.assert_array_equal(a.linear, b.linear)


@pytest.mark.parametrize("objective", ["mape", "balanced"])
def test_validation_picks_the_alpha_with_the_least_error(objective):
    config = replace(CONFIG, forecast=ForecastConfig(objective=objective))
    judge = rows(50, 0.5)
    design = region_design(NAMES, [judge], SIZES)
    coefficients = np.zeros((design.width, 3))
    coefficients[0] = [0.1, 0.5, 0.9]  # the second is the slope
    assert pick_by_validation(design, [judge], [0], config)(0, 0, coefficients, np.zeros(3)) == 1


def test_the_objective_decides_by_which_error_an_alpha_is_picked():
    """Two rows, 1 and 100 units: the first alpha is right on the small one, the second on the large one."""
    judge = rows(2, 1.0)
    units = np.array([1.0, 100.0], np.float32)
    judge = replace(judge, units=units, values=np.array([[1, 0], [0, 1]], np.float32))
    design = region_design(NAMES, [judge], SIZES)
    small, large = np.log(3 / 22), np.log(102 / 22)
    coefficients = np.zeros((design.width, 2))
    coefficients[:2] = [[small, np.log(4 / 22)], [np.log(60 / 22), large]]  # wrong: 2 units; 58 units
    found = [
        pick_by_validation(
            design, [judge], [0], replace(CONFIG, forecast=ForecastConfig(objective=objective))
        )(0, 0, coefficients, np.zeros(2))
        for objective in ("mape", "balanced")
    ]
    # MAPE 42 / 100 / 2 against 1 / 1 / 2; WAPE 42 against 1
    assert found == [0, 1]


def test_without_rows_to_judge_by_the_middle_of_the_path_is_picked():
    nothing = rows(2, 1.0).take(slice(0, 0))
    design = region_design(NAMES, [rows(2, 1.0)], SIZES)
    pick = pick_by_validation(design, [nothing], [0], CONFIG)
    assert pick(0, 0, np.zeros((design.width, 5)), np.zeros(5)) == 2


def test_relative_error_pulls_a_forecast_below_the_mean():
    """Without a feature that says anything, half the weeks sell 10 and half 40: least MAPE is near 10."""
    given = rows(400, 0.0)
    units = np.where(np.arange(400) % 2 == 0, 10, 40).astype(np.float32)
    ratio = np.log((units + 2) / 22).astype(np.float32)
    parts = [replace(given, units=units, ratio=ratio, values=np.zeros_like(given.values))]
    means = []
    for objective in ("mape", "balanced"):
        settings = replace(
            CONFIG, forecast=ForecastConfig(objective=objective), lasso=replace(LASSO, passes=8)
        )
        member = fitted(parts, config=settings).members[0]
        means.append(float(np.exp(member.predict(parts[0].values, hot_codes(given.codes))).mean() * 22 - 2))
    assert means[0] < 13  # |c - 10| / 10 + |c - 40| / 40 is least at 10
    assert means[1] > 18


def poisoned(given: Rows) -> Rows:
    """Rows whose Gram holds a NaN, which no factor can be made of."""
    return replace(given, values=np.full_like(given.values, np.nan))


def test_a_segment_that_fails_says_why_and_the_others_are_as_if_it_were_not_there():
    good, bad = rows(200, 0.5), poisoned(rows(200, -0.3, seed=1))
    found = linear_of([good, bad])
    assert isinstance(found[1], Failed)
    assert re.match("ValueError: rows: expected finite inputs", found[1].reason)
    alone = linear_of([good])
    np.testing.assert_array_equal(found[0].member.linear, alone[0].member.linear)


def test_a_segment_that_fails_in_a_pass_stays_failed_and_keeps_its_reason():
    def pick(segment: int, step: int, *_: object) -> int:
        if (segment, step) == (0, 1):
            raise RuntimeError("no alpha")
        return 2

    found = linear_of([rows(50, 0.5), rows(50, 0.5, seed=1)], pick)
    assert found[0] == Failed("RuntimeError: no alpha")
    assert found[1].alphas == (2,) * (1 + CONFIG.lasso.passes)


def test_all_segments_of_a_region_may_fail():
    found = linear_of([poisoned(rows(50, 0.5)), poisoned(rows(50, 0.5))])
    assert [type(each) for each in found] == [Failed, Failed]
