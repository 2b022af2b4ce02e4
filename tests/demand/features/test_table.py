from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from panels import NAN, hand_panel

from demand.features import block as block_module
from demand.features import build_features, learn_spec

SERIES = {
    "store_id": ["S1", "S1", "S2"],
    "product_id": ["P1", "P2", "P1"],
    "format": ["large", "large", "small"],
}
UNITS = [[1.0, 2.0, 3.0, 4.0], [NAN, 5.0, 6.0, 7.0], [NAN, NAN, NAN, 8.0]]


def plain_panel():
    """Three series of four weeks; nothing beside units is known."""
    return hand_panel(UNITS, series=SERIES)


def full_panel():
    """The same with prices, promotions, weather, shoppers and an event."""
    steps = np.arange(12.0)
    inputs = {
        "price": 1 + steps % 3,
        "feature": (steps % 4 == 0).astype(float),
        "temperature": steps,
        "precipitation": steps,
    }
    shoppers = {"population": [10.0, 10.0, 20.0]}
    codes = (np.arange(12) == 2).astype(int)
    return hand_panel(UNITS, series=SERIES, inputs=inputs, shoppers=shoppers, events=(("Ball",), codes))


def names_of(panel, spec) -> tuple[str, ...]:
    return build_features(panel, spec, np.array([2])).names


@pytest.fixture(scope="module")
def table():
    panel = full_panel()
    return build_features(panel, learn_spec([panel], 2), np.array([1, 3]))


def test_rows_are_series_with_a_past_at_every_origin_and_horizon(table):
    rows = pd.DataFrame({"horizon": table.horizon, "series": table.series, "origin": table.origin})
    expected = [(1, 0, 1), (1, 0, 3), (1, 1, 1), (1, 1, 3), (1, 2, 3)]  # S2 begins in week 3
    expected += [(2, series, origin) for _, series, origin in expected]
    assert list(rows.itertuples(index=False, name=None)) == expected


def test_the_target_is_the_units_of_the_week_ahead_and_nan_where_not_known(table):
    # Horizon 1: weeks 2 and 4 of S1 P1, of S1 P2, week 4 of S2; horizon 2: weeks 3 and 5
    np.testing.assert_array_equal(table.units, [3, NAN, 6, NAN, NAN, 4, NAN, 7, NAN, NAN])


def test_level_and_offset_are_those_of_the_origin(table):
    levels = [1.5, 2.5, 5, 6, 8]  # means of the weeks known up to the origin
    np.testing.assert_allclose(table.level, levels * 2)
    np.testing.assert_allclose(table.offset, [1.0] * 10)


def test_rows_know_their_series_by_the_keys(table):
    found = table.keys.iloc[table.series][["store_id", "product_id"]].head(5).to_numpy().tolist()
    assert found == [["S1", "P1"], ["S1", "P1"], ["S1", "P2"], ["S1", "P2"], ["S2", "P1"]]


def test_names_are_unique_and_values_are_finite_or_nan_in_float32(table):
    assert len(set(table.names)) == len(table.names) == table.values.shape[1]
    assert table.values.shape[0] == len(table) == 10
    assert table.values.dtype == np.float32
    assert not np.isinf(table.values).any()


def test_a_feature_stands_in_the_column_of_its_name(table):
    horizon = table.values[:, table.names.index("horizon")]
    np.testing.assert_array_equal(horizon, table.horizon)
    log_level = table.values[:, table.names.index("log_level")]
    np.testing.assert_allclose(log_level, np.log(table.level + table.offset), rtol=1e-6)


def test_the_same_spec_gives_another_panel_the_same_names_in_the_same_order():
    spec = learn_spec([full_panel()], 2)
    other = hand_panel([[1.0, 2.0, 3.0]], events=(("Other",), 1))
    assert names_of(other, spec) == names_of(full_panel(), spec)


@pytest.mark.parametrize("horizon", [1, 3])
def test_horizons_are_those_of_the_spec(horizon):
    panel = plain_panel()
    found = build_features(panel, learn_spec([panel], horizon), np.array([2]))
    assert set(found.horizon) == set(range(1, horizon + 1))


@pytest.mark.parametrize(("least", "series"), [(1, {0, 1}), (2, {0, 1}), (3, {0}), (4, set())])
def test_series_with_fewer_known_weeks_than_asked_for_have_no_rows(least, series):
    panel = plain_panel()
    found = build_features(panel, learn_spec([panel], 1), np.array([2]), min_weeks=least)
    assert set(found.series) == series


def test_blocks_do_not_show_in_the_values(monkeypatch):
    panel = full_panel()
    spec = learn_spec([panel], 2)
    whole = build_features(panel, spec, np.array([1, 3]))
    monkeypatch.setattr(block_module, "SERIES_PER_BLOCK", 1)
    parts = build_features(panel, spec, np.array([1, 3]))
    for table in (whole, parts):
        assert len(table) == 10
    order = [np.lexsort((table.origin, table.series, table.horizon)) for table in (whole, parts)]
    np.testing.assert_array_equal(whole.values[order[0]], parts.values[order[1]])
    np.testing.assert_array_equal(whole.series[order[0]], parts.series[order[1]])


def test_rows_can_be_taken_by_index_and_by_mask(table):
    found = table.take(np.array([3, 0]))
    np.testing.assert_array_equal(found.values, table.values[[3, 0]])
    np.testing.assert_array_equal(found.origin, [3, 1])
    assert len(table.take(table.series == 2)) == 2
    assert found.names == table.names


def test_a_plain_set_has_only_the_features_it_can_carry():
    spec = learn_spec([plain_panel()], 1)
    assert (spec.weather, spec.shoppers, spec.price, spec.promotion) == (False,) * 4
    assert (spec.events, spec.shelves) == ((), {})
    names = names_of(plain_panel(), spec)
    beginnings = ("event", "temperature", "shoppers", "price", "feature", "rival", "holiday")
    assert not [name for name in names if name.startswith(beginnings)]


def test_a_full_set_has_features_of_every_table():
    spec = learn_spec([full_panel()], 1)
    assert (spec.weather, spec.shoppers, spec.price, spec.promotion) == (True,) * 4
    assert (spec.events, spec.shelves) == (("Ball",), {"bread": ("P1", "P2")})
    names = names_of(full_panel(), spec)
    for name in ("event_Ball_+0", "event_origin_+0", "holiday_days_+0", "temperature", "shoppers_population"):
        assert name in names
    for name in ("price", "price_kernel", "feature_target", "featured_level_52", "rival_price_least"):
        assert name in names


@pytest.mark.parametrize(
    ("inputs", "price", "promotion"),
    [
        ({"price": 2.0}, False, False),  # the same everywhere says nothing
        ({"price": 2.0, "deal": [[0.0] * 12, [1.0] * 12, [0.0] * 12]}, False, True),
        ({"price": [[1.0] * 12, [2.0] * 12, [NAN] * 12]}, True, False),
    ],
)
def test_an_input_that_never_varies_is_left_out(inputs, price, promotion):
    spec = learn_spec([hand_panel(UNITS, series=SERIES, inputs=inputs)], 1)
    assert (spec.price, spec.promotion) == (price, promotion)


@pytest.mark.parametrize(("known", "planned"), [(3, False), (4, True)])
def test_a_plan_that_is_not_known_for_half_of_the_sold_weeks_is_left_out(known, planned):
    # S1 P1, S1 P2 and S2 have 4 + 3 + 1 = 8 known weeks; the price is known in the last weeks of S1 P1 alone
    price = np.full((3, 12), NAN)
    price[0, 4 - known : 4] = 1 + np.arange(known)
    spec = learn_spec([hand_panel(UNITS, series=SERIES, inputs={"price": price, "deal": np.eye(3, 12)})], 1)
    assert (spec.price, spec.promotion, bool(spec.shelves)) == (planned,) * 3


def test_an_input_may_vary_between_panels_alone():
    panels = [hand_panel(UNITS, series=SERIES, inputs={"price": price}) for price in (1.0, 2.0)]
    assert learn_spec(panels, 1).price


def test_groups_that_split_the_series_alike_are_kept_once():
    # One category in one region, and every product has one format: these say what an earlier kind says
    series = {"product_id": ["P1", "P2", "P1"], "store_id": ["S1", "S1", "S2"]}
    spec = learn_spec([hand_panel(UNITS, series=series)], 1)
    assert spec.groups == ("product", "category", "store")


def test_tiny_data_has_no_infinite_feature(tiny_panels):
    spec = learn_spec(tiny_panels, 4)
    for panel in tiny_panels:
        found = build_features(panel, spec, np.array([0, 60, panel.n_known - 1]))
        assert not np.isinf(found.values).any()
        assert len(set(found.names)) == len(found.names)


def without(panel, *inputs: str):
    return replace(panel, inputs={**panel.inputs, **{n: np.full_like(panel.inputs[n], NAN) for n in inputs}})


@pytest.mark.parametrize(
    "lost", [lambda panel: without(panel, "price"), lambda panel: without(panel, "temperature")]
)
def test_a_table_that_is_missing_at_scoring_leaves_names_as_they_were(lost: Callable):
    panel = full_panel()
    spec = learn_spec([panel], 1)
    found = build_features(lost(panel), spec, np.array([2]))
    assert found.names == names_of(panel, spec)
    assert not np.isinf(found.values).any()
