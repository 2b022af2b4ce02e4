from math import exp, log, log1p

import numpy as np
import pytest
from panels import NAN, block_of, hand_panel

from demand.features import promotion

WEEKS = 12
PRICES = [2.0] * 8 + [4.0] * 4 + [1.0, 3.0] + [2.0] * 6  # known in all 20 columns


def at_origin(found: dict[str, np.ndarray], name: str) -> float:
    assert found[name].shape == (1, 1)
    return float(found[name][0, 0])


@pytest.fixture(scope="module")
def block():
    """Origin 11: the price rose from 2 to 4 in week 8, falls to 1 in week 12 and is 3 in week 13."""
    feature = [0.0] * 10 + [0.5, 0.25, 1.0, 0.75, *[0.0] * 6]
    return block_of(hand_panel([[10.0] * WEEKS], inputs={"price": PRICES, "feature": feature}), 11)


def test_prices_are_logs_and_a_price_of_nothing_is_not_known():
    block = block_of(hand_panel([[1.0]], inputs={"price": [2.0, 0.0, NAN, *[1.0] * 6]}), 0)
    np.testing.assert_allclose(promotion.log_price(block)[0, :4], [log(2), NAN, NAN, 0], rtol=1e-6)


def test_the_price_of_the_target_week_is_held_against_recent_weeks(block):
    found = promotion.price_plan(block, 2)  # week 13: 3
    mean_26 = (8 * log(2) + 4 * log(4)) / 12
    mean_8 = (4 * log(2) + 4 * log(4)) / 8
    expected = {
        "price": log(3),
        "price_step_4": log(3) - log(4),
        "price_step_8": log(3) - mean_8,
        "price_step_26": log(3) - mean_26,
        "price_step_26_squared": (log(3) - mean_26) ** 2,
        "price_step_origin": log(3) - log(4),
        "price_before_1": log(1) - mean_8,  # week 12
        "price_before_2": log(4) - mean_8,  # week 11
        "price_after": log(2) - log(3),  # week 14
        "price_drift": mean_8 - mean_26,
        "price_step_featured": (log(3) - mean_26) * 0.75,
    }
    assert {name: at_origin(found, name) for name in expected} == pytest.approx(expected, rel=1e-5)


def test_a_plan_that_ends_leaves_the_weeks_after_it_unknown():
    block = block_of(hand_panel([[10.0] * WEEKS], inputs={"price": [2.0] * 13 + [NAN] * 7}), 11)
    assert np.isnan(at_origin(promotion.price_plan(block, 2), "price"))
    assert np.isnan(at_origin(promotion.price_plan(block, 1), "price_after"))
    assert at_origin(promotion.price_plan(block, 1), "price_step_8") == pytest.approx(0, abs=1e-6)


def test_promotion_is_that_of_the_target_week_and_of_those_beside_it(block):
    found = promotion.promotion_plan(block, 2)
    expected = {
        "feature_target": 0.75,
        "feature_before_1": 1.0,
        "feature_before_2": 0.25,
        "feature_after": 0.0,
        "feature_origin": 0.25,
        "feature_mean_8": 0.75 / 8,  # 0.5 + 0.25
        "feature_mean_26": 0.75 / 12,
        "feature_before_sum": 1.75,  # weeks 12, 11, 10: 1 + 0.25 + 0.5
        "deal_target": 0.0,
    }
    assert {name: at_origin(found, name) for name in expected} == pytest.approx(expected, rel=1e-5)


def test_promoted_levels_are_means_of_the_weeks_with_and_without():
    feature = [0, 1, 0.5, 1, *[0] * 8]
    deal = [0.6, 0, 0, 0, *[0] * 8]
    units = [[6.0, 40.0, 2.0, 20.0]]
    block = block_of(hand_panel(units, inputs={"feature": feature, "deal": deal}), 3)
    found = promotion.promoted_levels(block)
    level, offset = 17, 1.7  # (6 + 40 + 2 + 20) / 4
    for name, mean in (("featured", 30), ("unfeatured", 4), ("dealt", 6)):  # a half is not a feature week
        expected = log((mean + offset) / (level + offset))
        for weeks in (13, 52):
            assert at_origin(found, f"{name}_level_{weeks}") == pytest.approx(expected, rel=1e-5)


def test_promoted_levels_forget_what_is_older():
    feature = [1.0] + [0.0] * 21
    block = block_of(hand_panel([[50.0] + [10.0] * 13], inputs={"feature": feature}), 13)
    found = promotion.promoted_levels(block)
    assert np.isnan(at_origin(found, "featured_level_13"))
    assert at_origin(found, "featured_level_52") == pytest.approx(log(51 / 11))  # level of 13 weeks 10


def test_the_kernel_leans_on_weeks_at_prices_near_the_targets():
    """Three weeks at price 1, 1 and e^0.1; level (10 + 30 + 20) / 3 = 20, scale 22; target price e^0.1."""
    price = [1.0, 1.0, exp(0.1), exp(0.1), *[1.0] * 7]
    block = block_of(hand_panel([[10.0, 30.0, 20.0]], inputs={"price": price}), 2)
    found = promotion.price_kernel(block, 1)
    far = exp(-0.5 * 2**2)  # a step of 0.1 is two widths of 0.05
    weights = [far * 0.98**2, far * 0.98, 1.0]
    values = [log(12 / 22), log(32 / 22), 0]
    expected = sum(w * v for w, v in zip(weights, values, strict=True)) / (sum(weights) + 0.3)
    assert at_origin(found, "price_kernel") == pytest.approx(expected, rel=1e-4)
    assert at_origin(found, "price_kernel_weeks") == pytest.approx(log1p(sum(weights)), rel=1e-4)


def test_the_second_kernel_also_asks_for_the_same_promotion():
    feature = [0.0, 1.0, 0.0, 1.0, *[0.0] * 7]
    block = block_of(hand_panel([[10.0, 30.0, 20.0]], inputs={"price": 1.0, "feature": feature}), 2)
    found = promotion.price_kernel(block, 1)
    unlike = exp(-12.5)
    weights = [unlike * 0.98**2, 0.98, unlike]
    values = [log(12 / 22), log(32 / 22), 0]
    expected = sum(w * v for w, v in zip(weights, values, strict=True)) / (sum(weights) + 0.3)
    assert at_origin(found, "promotion_kernel") == pytest.approx(expected, rel=1e-4)
    assert at_origin(found, "promotion_kernel_weeks") == pytest.approx(log1p(sum(weights)), rel=1e-4)


def test_a_kernel_without_a_price_or_a_past_gives_the_level():
    block = block_of(hand_panel([[NAN, 30.0]], inputs={"price": NAN}), 1)
    found = promotion.price_kernel(block, 1)
    assert {name: at_origin(found, name) for name in found} == dict.fromkeys(found, 0.0)
