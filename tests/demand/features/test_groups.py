from math import log

import numpy as np
import pytest
from panels import NAN, block_of, hand_panel

from demand.features.groups import GROUPS, Group, build_groups, group_recent, group_season
from demand.features.windows import Windows

SERIES = {
    "region": ["R", "R", "R", "Q"],
    "store_id": ["S1", "S1", "S2", "S3"],
    "product_id": ["P1", "P2", "P1", "P1"],
    "category": ["bread", "bread", "bread", "bread"],
    "format": ["large", "large", "small", "large"],
}


def only(name: str, panel) -> Group:
    return next(group for group in build_groups(panel) if group.name == name)


@pytest.fixture(scope="module")
def panel():
    return hand_panel([[2.0, NAN], [4.0, 6.0], [NAN, 10.0], [100.0, NAN]], series=SERIES)


@pytest.mark.parametrize(
    ("name", "members", "means"),
    [  # one row per group in the order of its keys: region Q before R
        ("product", [1, 2, 1, 0], [[100, NAN], [2, 10], [4, 6]]),
        ("category", [1, 1, 1, 0], [[100, NAN], [3, 8]]),  # (2 + 4) / 2 and (6 + 10) / 2
        ("store", [1, 1, 2, 0], [[100, NAN], [3, 6], [NAN, 10]]),
        ("product_format", [1, 3, 2, 0], [[100, NAN], [2, NAN], [NAN, 10], [4, 6]]),
        ("region", [1, 1, 1, 0], [[100, NAN], [3, 8]]),
    ],
)
def test_a_group_is_the_mean_of_the_series_known_that_week(panel, name, members, means):
    group = only(name, panel)
    np.testing.assert_array_equal(group.of_series, members)
    np.testing.assert_array_equal(group.units.values, np.array(means, np.float32))


def test_every_kind_of_group_is_built(panel):
    assert [group.name for group in build_groups(panel)] == list(GROUPS)


@pytest.fixture(scope="module")
def year():
    """One group of a series of 115 weeks, with the origin at 110, the weeks of a year before it at 58, 6."""
    units = np.full(115, 20.0)
    units[:60] = 10
    units[[110, 109, 59, 60, 61, 8]] = [46, 26, 12, 30, 18, 13]
    return hand_panel([units])


def at_origin(found: dict[str, np.ndarray], name: str) -> float:
    assert found[name].shape == (1, 1)
    return float(found[name][0, 0])


LEVEL = (24 * 20 + 46 + 26) / 26  # weeks 85 to 110
OFFSET = 0.02 * LEVEL + 1e-3


def test_a_groups_recent_weeks_are_held_against_its_own_level(year):
    found = group_recent(block_of(year, 110), only("product", year))
    for name, units in (("lag_0", 46), ("lag_1", 26), ("mean_4", 28), ("mean_13", 292 / 13)):
        expected = log((units + OFFSET) / (LEVEL + OFFSET))  # (20 + 20 + 26 + 46) / 4; (11 x 20 + 72) / 13
        assert at_origin(found, f"product_{name}") == pytest.approx(expected, rel=1e-5)


def test_a_groups_growth_is_against_a_year_ago(year):
    found = group_recent(block_of(year, 110), only("product", year))
    # A year ago the level and the four weeks up to the origin were 10
    assert at_origin(found, "product_growth_26") == pytest.approx(
        log((LEVEL + OFFSET) / (10 + OFFSET)), rel=1e-5
    )
    assert at_origin(found, "product_growth_4") == pytest.approx(log((28 + OFFSET) / (10 + OFFSET)), rel=1e-5)
    assert at_origin(found, "product_year_ago_origin") == pytest.approx(0, abs=1e-6)
    assert at_origin(found, "product_year_ago_mean_4") == pytest.approx(0, abs=1e-6)


def test_a_groups_season_is_the_target_week_of_earlier_years(year):
    found = group_season(block_of(year, 110), only("product", year), 2)  # week 60 of then, week 8 before
    offset = 0.02 * 10 + 1e-3
    for name, units in (("-1", 12), ("+0", 30), ("+1", 18), ("3", 20)):  # (12 + 30 + 18) / 3
        expected = log((units + offset) / (10 + offset))
        assert at_origin(found, f"product_year_ago_{name}") == pytest.approx(expected, rel=1e-5)
    assert at_origin(found, "product_year_ago_step") == pytest.approx(
        log((30 + offset) / (10 + offset)), rel=1e-5
    )
    assert at_origin(found, "product_two_years_ago") == pytest.approx(
        log((13 + offset) / (10 + offset)), rel=1e-5
    )


def test_every_series_has_the_values_of_its_own_group():
    panel = hand_panel([[1.0, 1.0], [3.0, 3.0], [8.0, 16.0]], series={"product_id": ["P1", "P2", "P1"]})
    found = group_recent(block_of(panel, 1), only("product", panel))["product_lag_0"]
    # P1: (1 + 8) / 2 = 4.5 and (1 + 16) / 2 = 8.5, level 6.5, offset 0.131; P2: its level itself
    steps = [[log((8.5 + 0.131) / (6.5 + 0.131))], [0], [log((8.5 + 0.131) / (6.5 + 0.131))]]
    np.testing.assert_allclose(found, steps, rtol=1e-5, atol=1e-6)


def test_a_group_that_sold_nothing_has_no_infinite_feature():
    panel = hand_panel([np.zeros(60), np.zeros(60)])
    group = only("store", panel)
    block = block_of(panel, 58)
    for found in (group_recent(block, group), group_season(block, group, 1)):
        for values in found.values():
            assert not np.isinf(values).any()


def test_a_group_is_a_name_the_group_of_each_series_and_its_units():
    group = Group("mine", np.array([0]), Windows(np.array([[5.0]])))
    found = group_recent(block_of(hand_panel([[5.0]]), 0), group)
    assert all(name.startswith("mine_") for name in found)
