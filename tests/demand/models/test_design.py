import numpy as np
import pytest

from demand.features import CATEGORIES
from demand.models import design as design_module
from demand.models.design import ONE_HOT, build_design

NAMES = ("a", "b", "c")
SIZES = (2, 4, 3, 2, 2)  # codes of region, store, product, category, format


def codes(*pairs: tuple[int, int]) -> np.ndarray:
    """Codes of all categories; store and product given."""
    return np.array([[1, store, product, 1, 1] for store, product in pairs])


@pytest.fixture
def design(monkeypatch):
    moved_by = {("b",): ("a", "b", "missing"), ("a", "missing"): ("b", "c")}
    monkeypatch.setattr(design_module, "MOVED_BY", moved_by)
    return build_design(NAMES, codes((1, 1), (3, 2), (1, 2)), SIZES)


def test_pairs_are_named_once_and_only_where_both_features_exist(design):
    np.testing.assert_array_equal(design.pairs, [[0, 1], [0, 2], [1, 1]])


def test_stores_and_products_of_the_rows_have_a_column_each(design):
    np.testing.assert_array_equal(design.levels[0], [1, 3])
    np.testing.assert_array_equal(design.levels[1], [1, 2])
    assert design.sizes == (4, 3)
    assert design.width == 3 + 3 + 2 + 2


def test_columns_are_features_products_and_one_hot(design):
    values = np.array([[2.0, 3.0, 5.0], [-1.0, 0.5, 4.0]], np.float32)
    found = design.matrix(values, codes((3, 1), (2, 2)))
    expected = [
        [2, 3, 5, 6, 10, 9, 0, 1, 1, 0],  # 2 x 3, 2 x 5, 3 x 3; store 3; product 1
        [-1, 0.5, 4, -0.5, -4, 0.25, 0, 0, 0, 1],  # store 2 has no column
    ]
    np.testing.assert_array_equal(found, np.array(expected, np.float32))
    assert found.dtype == np.float32


def test_a_set_without_the_named_features_has_no_products():
    design = build_design(("x",), codes((1, 1)), SIZES)
    assert design.pairs.shape == (0, 2)
    np.testing.assert_array_equal(design.matrix(np.array([[7.0]], np.float32), codes((1, 1))), [[7, 1, 1]])


def test_one_hot_categories_are_categories():
    assert set(ONE_HOT) <= set(CATEGORIES)
