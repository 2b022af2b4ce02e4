from math import log

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from demand.models.scale import HIGHEST, LOWEST, least_sale, to_ratio, to_units


def floats(*values: float) -> np.ndarray:
    return np.array(values, np.float32)


def test_the_ratio_is_a_log_of_units_and_offset():
    np.testing.assert_allclose(to_ratio(floats(30), floats(20), floats(2)), [log(32 / 22)], rtol=1e-6)


def test_units_come_back_from_a_ratio():
    np.testing.assert_allclose(to_units(floats(log(32 / 22)), floats(20), floats(2)), [30], rtol=1e-6)


@given(st.floats(0, 1e5, width=32), st.floats(0, 1e4, width=32))
def test_there_and_back_again(units, level):
    level, offset = floats(level), floats(max(1.0, 0.1 * level))
    ratio = to_ratio(floats(units), level, offset)
    if LOWEST <= ratio[0] <= HIGHEST:
        np.testing.assert_allclose(
            to_units(ratio, level, offset), units, rtol=1e-4, atol=1e-4 * (level + offset)[0]
        )


def test_units_are_never_below_zero():
    np.testing.assert_array_equal(to_units(floats(-8, -3), floats(20, 20), floats(2, 2)), [0, 0])


def test_units_are_never_below_the_least_they_may_be():
    np.testing.assert_array_equal(to_units(floats(-8, 0), floats(20, 20), floats(2, 2), 1.5), [1.5, 20])


@pytest.mark.parametrize(("units", "least"), [((0, 3, 20, np.nan), 1), ((0, 3, 2.5), 0), ((), 0)])
def test_the_least_sale_is_one_where_units_come_whole(units, least):
    assert least_sale(floats(*units)) == least


@pytest.mark.parametrize("ratio", [HIGHEST, 50.0, float("inf")])
def test_a_ratio_beyond_bounds_stops_at_them(ratio):
    expected = np.exp(HIGHEST) * 11 - 1  # 148 times the level of 10, offset 1
    np.testing.assert_allclose(to_units(floats(ratio), floats(10), floats(1)), [expected], rtol=1e-5)


def test_units_not_known_have_no_ratio():
    assert np.isnan(to_ratio(floats(np.nan), floats(20), floats(2))).all()
