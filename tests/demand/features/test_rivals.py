from math import log

import numpy as np
import pytest
from panels import NAN, block_of, hand_panel

from demand.features.rivals import MOST_PRODUCTS, build_shelf, rival_plan, shelf_vocabulary

SERIES = {
    "store_id": ["S1", "S1", "S1", "S2"],
    "product_id": ["P1", "P2", "P3", "P1"],
    "category": ["bread", "bread", "bread", "bread"],
}
KNOWN = 2  # weeks; with the outlook the columns are 0 to 9


def prices(*rows: tuple[float, float, float]) -> np.ndarray:
    """Prices of weeks 0 and 1, and of every week after them."""
    return np.array([[first, second, *[later] * 8] for first, second, later in rows])


@pytest.fixture(scope="module")
def panel():
    """Price plans of three products in S1 and one, alone on its shelf, in S2."""
    price = prices((2.0, 2.0, 4.0), (3.0, 3.0, 2.0), (8.0, 8.0, 8.0), (5.0, 5.0, 5.0))
    feature = prices((0, 0, 1.0), (0, 0.25, 0), (0, 0, 0.5), (0, 0, 0))
    deal = prices((0, 0, 0), (0, 0, 1.0), (0, 0, 0.25), (0, 0, 0))
    inputs = {"price": price, "feature": feature, "deal": deal}
    return hand_panel([[1.0] * KNOWN] * 4, series=SERIES, inputs=inputs)


@pytest.fixture(scope="module")
def plan(panel):
    return rival_plan(block_of(panel, 1), build_shelf(panel, shelf_vocabulary([panel])), 1)


def column(plan: dict[str, np.ndarray], name: str) -> np.ndarray:
    return plan[name][:, 0]


def test_shelves_are_the_products_of_a_category_in_any_panel(panel):
    other = hand_panel([[1.0]], series={"product_id": ["P9"], "category": ["bread"]})
    assert shelf_vocabulary([panel, other]) == {"bread": ("P1", "P2", "P3", "P9")}


@pytest.mark.parametrize(
    ("count", "known"), [(1, False), (2, True), (MOST_PRODUCTS, True), (MOST_PRODUCTS + 1, False)]
)
def test_a_shelf_has_two_products_and_not_too_many(count, known):
    panel = hand_panel([[1.0]] * count, series={"product_id": [f"P{i:02}" for i in range(count)]})
    assert bool(shelf_vocabulary([panel])) is known


def test_a_shelf_holds_the_plans_of_a_store_side_by_side(panel):
    shelf = build_shelf(panel, {"bread": ("P1", "P3")})
    np.testing.assert_array_equal(shelf.of_series, [0, 0, 0, 1])
    np.testing.assert_array_equal(shelf.slot, [0, -1, 1, 0])
    np.testing.assert_allclose(shelf.price[:, 0], [[log(2), log(8)], [log(5), NAN]], rtol=1e-6)
    np.testing.assert_array_equal(shelf.feature[:, 2], [[1, 0.5], [0, 0]])


def test_a_price_of_nothing_and_an_unknown_promotion_say_nothing():
    inputs = {"price": [[0.0] * 9, [NAN] * 9], "feature": NAN, "deal": NAN}
    panel = hand_panel(
        [[1.0], [1.0]], series={"store_id": ["S1", "S1"], "product_id": ["P1", "P2"]}, inputs=inputs
    )
    shelf = build_shelf(panel, shelf_vocabulary([panel]))
    assert np.isnan(shelf.price).all()
    assert not shelf.feature.any() and not shelf.deal.any()


def test_the_own_price_is_held_against_the_rivals(plan):
    # Week 2, P1 4, P2 2, P3 8: least rivals 2, 4, 2
    np.testing.assert_allclose(
        column(plan, "rival_price_least"), np.log([4 / 2, 2 / 4, 8 / 2, NAN]), rtol=1e-5
    )
    means = [(log(2) + log(8)) / 2, (log(4) + log(8)) / 2, (log(4) + log(2)) / 2]
    expected = [log(4) - means[0], log(2) - means[1], log(8) - means[2], NAN]
    np.testing.assert_allclose(column(plan, "rival_price_mean"), expected, rtol=1e-5, atol=1e-6)


def test_a_featured_rival_counts_by_its_price_and_without_one_their_mean(plan):
    # Featured from a half: P1 at 4 and P3 at 8. P1 sees 8, P2 the lower of both, P3 sees 4
    expected = [log(4 / 8), log(2 / 4), log(8 / 4), NAN]
    np.testing.assert_allclose(column(plan, "rival_price_featured"), expected, rtol=1e-5)


def test_without_a_featured_rival_their_mean_stands_in(panel):
    plan = rival_plan(block_of(panel, 0), build_shelf(panel, shelf_vocabulary([panel])), 1)  # week 1
    mean = (log(3) + log(8)) / 2
    np.testing.assert_allclose(column(plan, "rival_price_featured")[0], log(2) - mean, rtol=1e-5)


def test_rivals_prices_are_held_against_their_own_past(plan):
    # P1: least rival 3 in both known weeks, 2 in the target week; P2: 2, then 4
    np.testing.assert_allclose(
        column(plan, "rival_price_least_step")[:2], [log(2 / 3), log(4 / 2)], rtol=1e-5
    )
    # P1's rivals on average: (log 3 + log 8) / 2, then (log 2 + log 8) / 2
    np.testing.assert_allclose(column(plan, "rival_price_mean_step")[0], log(2 / 3) / 2, rtol=1e-5)


def test_promotions_of_rivals_are_summed_without_the_own(plan):
    np.testing.assert_array_equal(column(plan, "rival_features"), [0.5, 1.5, 1.0, 0])
    np.testing.assert_array_equal(column(plan, "rival_features_before"), [0.25, 0, 0.25, 0])  # week 1
    np.testing.assert_array_equal(column(plan, "rival_features_mean_8"), [0.125, 0, 0.125, 0])  # 0.25 / 2
    np.testing.assert_array_equal(column(plan, "rival_deals"), [1.25, 0.25, 1.0, 0])


def test_every_place_on_the_shelf_has_its_price_step_and_feature(plan):
    np.testing.assert_allclose(
        column(plan, "shelf_price_0"), [log(2), log(2), log(2), 0], rtol=1e-5, atol=1e-6
    )
    np.testing.assert_array_equal(column(plan, "shelf_feature_2"), [0.5, 0.5, 0.5, 0])
    assert np.isnan(column(plan, "shelf_price_1")[3])  # S2 does not carry P2


def test_a_product_that_has_no_place_knows_no_own_price(panel):
    plan = rival_plan(block_of(panel, 1), build_shelf(panel, {"bread": ("P1", "P3")}), 1)
    assert np.isnan(column(plan, "rival_price_least")[1])
    assert column(plan, "rival_price_least")[0] == pytest.approx(log(4 / 8))


def test_everything_is_float32(plan):
    assert {values.dtype for values in plan.values()} == {np.dtype(np.float32)}
