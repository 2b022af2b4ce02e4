from math import log, log1p, sqrt

import numpy as np
import pytest
from panels import NAN, block_of, hand_panel

from demand.features import history


def value(found: dict[str, np.ndarray], name: str) -> float:
    assert found[name].shape == (1, 1)
    return float(found[name][0, 0])


@pytest.fixture(scope="module")
def young():
    """Ten weeks; level at week 9: (10 + 0 + 30 + 20 + 5 x 10 + 40) / 10 = 15, offset 1.5, scale 16.5."""
    return block_of(hand_panel([[10.0, 0.0, 30.0, 20.0, *[10.0] * 5, 40.0]]), 9)


def test_lags_start_with_the_week_of_the_origin(young):
    found = history.recent(young)
    assert value(found, "lag_0") == pytest.approx(log(41.5 / 16.5))
    for lag in (1, 2, 3):
        assert value(found, f"lag_{lag}") == pytest.approx(log(11.5 / 16.5))


def test_rolling_means_are_logs_of_means(young):
    found = history.recent(young)
    assert value(found, "mean_4") == pytest.approx(log((17.5 + 1.5) / 16.5))  # (40 + 10 + 10 + 10) / 4
    assert value(found, "mean_8") == pytest.approx(log((17.5 + 1.5) / 16.5))  # (30 + 20 + 50 + 40) / 8
    assert value(found, "mean_52") == pytest.approx(0)  # everything: the level itself


def test_variation_and_zero_share_look_back_8_and_26_weeks(young):
    found = history.recent(young)
    # Eight weeks: mean 17.5, squares (30^2 + 20^2 + 5 x 10^2 + 40^2) / 8 = 425, minus 306.25 = 118.75
    assert value(found, "variation_8") == pytest.approx(sqrt(118.75) / 18.5)
    assert value(found, "zero_share_8") == 0
    assert value(found, "zero_share_26") == pytest.approx(0.1)  # one of ten known weeks


def test_the_faded_mean_weighs_a_week_with_7_tenths_of_the_next():
    found = history.recent(block_of(hand_panel([[10.0, NAN, 30.0]]), 2))
    # Level 20, scale 22; weights 1 and 0.49, the unknown week has none
    assert value(found, "faded_mean") == pytest.approx((log(32 / 22) + 0.49 * log(12 / 22)) / 1.49)


@pytest.mark.parametrize(
    ("units", "weeks"), [([5.0, 0, 0], 2), ([5.0, 0, NAN], 2), ([0.0, 0, 9], 0), ([0.0, 0, 0], 52)]
)
def test_weeks_since_the_last_sale_are_52_without_one(units, weeks):
    assert value(history.recent(block_of(hand_panel([units]), 2)), "weeks_since_sale") == pytest.approx(
        log1p(weeks)
    )


def test_age_counts_known_weeks_and_the_level_is_a_log():
    found = history.recent(block_of(hand_panel([[NAN, 20.0, NAN, 40.0, 30.0]]), 3))
    assert value(found, "age") == pytest.approx(log1p(2))
    assert value(found, "log_level") == pytest.approx(log(30 + 3))  # level (20 + 40) / 2, offset 3


def test_quantiles_are_of_the_weeks_with_sales():
    found = history.spread(block_of(hand_panel([[0.0, 50, 10, 20, NAN, 40, 30]]), 6))
    scale = 25 + 2.5  # level (0 + 50 + 10 + 20 + 40 + 30) / 6 = 25
    # Five weeks sold: 10 20 30 40 50; ranks 0.1, 0.25, 0.5, 0.75, 0.9 of 4 are 0, 1, 2, 3, 4
    for name, units in (("10", 10), ("25", 20), ("50", 30), ("75", 40), ("90", 50)):
        assert value(found, f"quantile_{name}") == pytest.approx(log((units + 2.5) / scale), abs=1e-6)


def test_quantiles_forget_weeks_older_than_26():
    found = history.spread(block_of(hand_panel([[0.1] + [10.0] * 26]), 26))
    assert value(found, "quantile_10") == pytest.approx(0)  # level 10 as well
    assert value(found, "least_mape") == pytest.approx(0)  # one week of 0.1 would outweigh 26 of 10


@pytest.mark.parametrize("units", [[1.0, 10, 10, 10], [7.0, 5, 4, 6], [2.0, 3, 0, 9, 9, 9], [8.0]])
def test_the_least_mape_constant_is_the_one_with_the_least_error_on_weeks_with_sales(units):
    found = history.spread(block_of(hand_panel([units]), len(units) - 1))
    sold = [y for y in units if y > 0]
    best = min(sold, key=lambda constant: sum(abs(constant - y) / y for y in sold))
    level = sum(units) / len(units)  # below 10: the offset is 1
    assert value(found, "least_mape") == pytest.approx(log((best + 1) / (level + 1)), abs=1e-6)


def test_a_series_that_never_sold_has_no_quantiles():
    found = history.spread(block_of(hand_panel([[0.0, 0.0, 0.0]]), 2))
    assert all(np.isnan(values).all() for values in found.values())


@pytest.fixture(scope="module")
def grown():
    """60 weeks of 10, from week 30 of 20, and 40 in weeks 56 to 58; a few weeks of the first year differ.

    Origin 58, a year before it week 6. Level now: (23 x 20 + 3 x 40) / 26 = 580 / 26; then (0..6) 10.
    """
    units = np.repeat([10.0, 20.0], 30)
    units[56:59] = 40
    units[[7, 8, 9, 10]] = [12, 30, 18, 6]
    return block_of(hand_panel([units]), 58)


LEVEL = 580 / 26
OFFSET = LEVEL / 10


def test_growth_holds_the_weeks_now_against_a_year_ago(grown):
    found = history.growth(grown)
    assert value(found, "has_last_year") == 1
    assert value(found, "growth_26") == pytest.approx(log((LEVEL + OFFSET) / (10 + OFFSET)), rel=1e-5)
    assert value(found, "growth_4") == pytest.approx(log((35 + OFFSET) / (10 + OFFSET)), rel=1e-5)  # 140 / 4
    mean_13 = (10 * 20 + 3 * 40) / 13
    assert value(found, "growth_13") == pytest.approx(log((mean_13 + OFFSET) / (10 + OFFSET)), rel=1e-5)
    assert value(found, "year_ago_origin") == pytest.approx(0)
    assert value(found, "year_ago_mean_4") == pytest.approx(0)


def test_a_series_without_last_year_says_so(young):
    found = history.growth(young)
    assert value(found, "has_last_year") == 0
    assert np.isnan(value(found, "growth_26"))


def test_the_season_is_the_target_week_a_year_ago_and_its_neighbours(grown):
    found = history.season(grown, 2)  # week 8 of the first year; level then 10, offset 1
    assert value(found, "year_ago_+0") == pytest.approx(log(31 / 11))
    assert value(found, "year_ago_-1") == pytest.approx(log(13 / 11))
    assert value(found, "year_ago_+1") == pytest.approx(log(19 / 11))
    assert value(found, "year_ago_3") == pytest.approx(log(21 / 11))  # (12 + 30 + 18) / 3
    assert value(found, "year_ago_5") == pytest.approx(log(16.2 / 11))  # (10 + 12 + 30 + 18 + 6) / 5
    assert value(found, "year_ago_step") == pytest.approx(log(31 / 11))  # the four weeks of then were 10
    assert value(found, "year_ago_step_3") == pytest.approx(log(21 / 11))


def test_last_years_units_are_also_held_against_the_level_of_today(grown):
    found = history.season(grown, 2)
    assert value(found, "year_ago_units") == pytest.approx(log((30 + OFFSET) / (LEVEL + OFFSET)), rel=1e-5)
    growth = (320 / 13 + OFFSET) / (10 + OFFSET)  # of the last 13 weeks
    expected = log((30 * growth + OFFSET) / (LEVEL + OFFSET))
    assert value(found, "year_ago_grown") == pytest.approx(expected, rel=1e-5)


def test_two_years_ago_has_its_own_level():
    units = np.full(110, 50.0)
    units[:4], units[5] = 10, 43
    found = history.season(block_of(hand_panel([units]), 107), 2)  # week 107 - 104 + 2 = 5
    assert value(found, "two_years_ago") == pytest.approx(log((43 + 1) / (10 + 1)))
    assert np.isnan(value(history.season(block_of(hand_panel([units]), 60), 2), "two_years_ago"))


def test_neighbours_that_are_not_known_are_left_out_of_the_mean():
    units = np.full(60, 10.0)
    units[[6, 7, 9]] = [NAN, 20, NAN]
    found = history.season(block_of(hand_panel([units]), 58), 1)  # weeks 6, 7, 8 of then: unknown, 20, 10
    assert value(found, "year_ago_3") == pytest.approx(log(16 / 11), rel=1e-5)  # (20 + 10) / 2
