import base64
import zlib

import numpy as np
import pytest

from level2_cicd.dashboards.packing import pack, rounded


def unpack(packed):
    """What a browser makes of it, in Python: see `unpack` in assets/common.js."""
    plain = np.frombuffer(zlib.decompress(base64.b64decode(packed["codes"])), np.uint8)
    size, coarse = packed["rows"] * packed["columns"], packed["bytes"] == 1
    codes = plain.astype(int) if coarse else plain[:size].astype(int) + 256 * plain[size:].astype(int)
    codes = codes.reshape(packed["rows"], packed["columns"])
    steps = np.array(packed["steps"])[:, None]
    values = steps * codes**2 if coarse else steps * codes
    return np.where(codes == (255 if coarse else 65_535), np.nan, values)


def test_whole_numbers_come_back_exactly_and_what_is_not_known_stays_so():
    values = np.array([[0, 1, 65_534, np.nan], [7, 0, 0, 3]], dtype=float)
    np.testing.assert_array_equal(unpack(pack(values)), values)


def test_other_numbers_come_back_within_a_part_in_8188_of_the_largest_of_their_row():
    values = np.random.default_rng(1).lognormal(3, 1, (20, 50))
    error = np.abs(unpack(pack(values)) - values) / values.max(axis=1, keepdims=True)
    assert error.max() <= 1 / 8188 * 1.001


def test_coarse_numbers_come_back_within_a_part_in_250_of_the_largest_and_small_ones_closer():
    values = np.array([[100.0, 1.0, 0.0, np.nan]])
    found = unpack(pack(values, coarse=True))
    np.testing.assert_allclose(found[0, :3], [100, 1, 0], atol=0.04)
    assert np.isnan(found[0, 3])


@pytest.mark.parametrize("coarse", [False, True])
def test_a_row_of_nothing_and_one_of_zeros_survive(coarse):
    values = np.array([[np.nan, np.nan], [0.0, 0.0]])
    np.testing.assert_array_equal(unpack(pack(values, coarse=coarse)), values)


@pytest.mark.parametrize(("value", "expected"), [(1234.567, 1235.0), (float("nan"), None), (None, None)])
def test_a_rounded_number_keeps_four_digits_and_none_where_there_is_none(value, expected):
    assert rounded(value) == expected
