import math

import numpy as np
import pytest
from panels import NAN, block_of, hand_panel

from demand.features import block as block_module
from demand.features.block import blocks, log_ratio


def test_a_young_series_has_the_level_of_its_last_13_weeks():
    panel = hand_panel([[100.0] * 10 + [5.0] * 12 + [18.0]])
    level = block_of(panel, 22).level
    np.testing.assert_allclose(level, [[6]])  # (12 x 5 + 18) / 13 = 78 / 13


def test_a_series_with_a_full_year_has_the_level_of_its_last_26_weeks():
    panel = hand_panel([[100.0] * 30 + [4.0] * 13 + [8.0] * 13])
    np.testing.assert_allclose(block_of(panel, 55).level, [[6]])  # (13 x 4 + 13 x 8) / 26


@pytest.mark.parametrize(("unknown", "level"), [(5, 6), (6, 8)])
def test_a_year_is_full_from_47_known_weeks(unknown, level):
    panel = hand_panel([[NAN] * unknown + [4.0] * (39 - unknown) + [8.0] * 13])
    np.testing.assert_allclose(block_of(panel, 51).level, [[level]])  # 26 weeks: (4 + 8) / 2; 13 weeks: 8


def test_a_series_silent_for_13_weeks_has_the_level_of_what_the_year_knows():
    panel = hand_panel([[3.0, 5.0] + [NAN] * 20])
    np.testing.assert_allclose(block_of(panel, 21).level, [[4]])  # (3 + 5) / 2


def test_a_series_without_a_past_has_no_level():
    assert np.isnan(block_of(hand_panel([[NAN, NAN, 7.0]]), 1).level).all()


def test_the_offset_is_a_tenth_of_the_level_and_at_least_one_unit():
    found = block_of(hand_panel([[30.0] * 3, [2.0] * 3]), 2).offset
    np.testing.assert_allclose(found, [[3], [1]])


def test_past_and_ahead_count_weeks_from_the_origin():
    block = block_of(hand_panel([[1.0, 2.0, 3.0, 4.0]]), 1, 3)
    np.testing.assert_array_equal(block.past(0), [[2, 4]])
    np.testing.assert_array_equal(block.past(2), [[NAN, 2]])
    np.testing.assert_array_equal(block.ahead(1), [[3, NAN]])


def test_relative_units_are_logs_against_the_level():
    block = block_of(hand_panel([[10.0, 0.0, 30.0, 40.0]]), 3)
    # Level (10 + 0 + 30 + 40) / 4 = 20, offset 2: log((42) / (22))
    np.testing.assert_allclose(block.relative(block.past(0)), [[math.log(42 / 22)]], rtol=1e-6)


def test_a_log_ratio_takes_units_below_zero_as_zero():
    values = (np.array([x], np.float32) for x in (-5.0, 20.0, 2.0))
    np.testing.assert_allclose(log_ratio(*values), [math.log(2 / 22)], rtol=1e-6)


def test_blocks_cover_every_series_once(monkeypatch):
    monkeypatch.setattr(block_module, "SERIES_PER_BLOCK", 2)
    panel = hand_panel([[float(i)] for i in range(5)])
    found = list(blocks(panel, np.array([0])))
    assert [len(block.units.values) for block in found] == [2, 2, 1]
    np.testing.assert_array_equal(np.concatenate([block.past(0) for block in found]), panel.units)
