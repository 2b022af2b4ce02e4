import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from demand.features import CATEGORIES
from demand.models.encoding import UNKNOWN, Scaler, Vocabulary, learn_scaler, learn_vocabulary

NAN = np.nan


def series(**columns: list[str]) -> pd.DataFrame:
    rows = max(len(values) for values in columns.values())
    plain = {name: ["x"] * rows for name in CATEGORIES}
    return pd.DataFrame(plain | columns)


@pytest.fixture(scope="module")
def vocabulary() -> Vocabulary:
    return learn_vocabulary(series(store_id=["S2", "S1", "S2"], product_id=["P1", "P2", "P1"]))


def test_codes_count_from_1_in_the_order_of_the_names(vocabulary):
    assert vocabulary.values == (("x",), ("S1", "S2"), ("P1", "P2"), ("x",), ("x",))
    assert vocabulary.sizes == (2, 3, 3, 2, 2)
    found = vocabulary.codes(series(store_id=["S1", "S2"], product_id=["P2", "P1"]))
    np.testing.assert_array_equal(found, [[1, 1, 2, 1, 1], [1, 2, 1, 1, 1]])
    assert found.dtype == np.int64


def test_a_value_that_training_has_not_seen_is_unknown_and_never_negative(vocabulary):
    found = vocabulary.codes(series(store_id=["S3", None], product_id=["P2", ""]))
    np.testing.assert_array_equal(found[:, 1:3], [[UNKNOWN, 2], [UNKNOWN, UNKNOWN]])
    assert UNKNOWN == 0


def test_a_vocabulary_without_values_knows_nothing():
    empty = Vocabulary(((),) * len(CATEGORIES))
    np.testing.assert_array_equal(empty.codes(series(store_id=["S1"])), [[0] * 5])
    assert empty.sizes == (1,) * 5


@given(st.lists(st.sampled_from(["S1", "S2", "S3", "s1", " S1", ""]), min_size=1))
def test_codes_never_leave_their_table(stores):
    vocabulary = learn_vocabulary(series(store_id=["S1", "S2"]))
    codes = vocabulary.codes(series(store_id=stores))
    assert (codes >= 0).all() and (codes < np.array(vocabulary.sizes)).all()


def test_a_scaler_learns_mean_and_deviation_of_the_known_values():
    scaler = learn_scaler(np.array([[1.0, 5.0], [3.0, NAN], [NAN, 9.0]], np.float32), 8.0)
    np.testing.assert_allclose(scaler.center, [2, 7])  # (1 + 3) / 2; (5 + 9) / 2
    np.testing.assert_allclose(scaler.scale, [1, 2])
    assert scaler.clip == 8.0


def test_scaled_values_are_deviations_within_the_clip_and_unknown_is_the_mean():
    scaler = Scaler(np.array([2.0, 7.0], np.float32), np.array([1.0, 2.0], np.float32), 3.0)
    found = scaler(np.array([[1.0, 9.0], [NAN, 700.0], [-50.0, 7.0]], np.float32))
    np.testing.assert_array_equal(found, [[-1, 1], [0, 3], [-3, 0]])
    assert found.dtype == np.float32


def test_scaling_leaves_the_values_that_came_in_as_they_are():
    values = np.array([[1.0, NAN]], np.float32)
    learn_scaler(values, 8.0)(values)
    np.testing.assert_array_equal(values, [[1.0, NAN]])


@pytest.mark.parametrize("column", [[0.3, 0.3, 0.3], [NAN, NAN, NAN], [12345.6, 12345.6, 12345.601]])
def test_a_feature_without_spread_scales_to_nothing(column):
    values = np.array(column, np.float32)[:, None]
    scaler = learn_scaler(values, 8.0)
    np.testing.assert_allclose(scaler(values), 0, atol=1e-6)
    assert np.abs(scaler(values + 1)).max() < 1e-3  # nor does a small change at scoring make it loud


def test_scaled_training_data_has_mean_0_and_deviation_1():
    values = np.random.default_rng(3).normal(50, 9, (5000, 3)).astype(np.float32)
    found = learn_scaler(values, 8.0)(values)
    np.testing.assert_allclose(found.mean(axis=0), 0, atol=1e-4)
    np.testing.assert_allclose(found.std(axis=0), 1, rtol=1e-4)
