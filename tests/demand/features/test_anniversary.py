from math import log

import numpy as np
import pytest
from panels import block_of, hand_panel

from demand.features import anchors, build_features, learn_spec
from demand.features.anniversary import ANCHOR, GATE, anniversary, met_once

KNOWN = 62  # weeks; with the outlook the columns are 0 to 69
FEAST, FAIR = 1, 2


def units() -> list[float]:
    """10 a week, 40 in the week of the first feast; 20 in the last 13 weeks: demand has doubled."""
    return [10.0] * 12 + [40.0] + [10.0] * (KNOWN - 26) + [20.0] * 13


@pytest.fixture(scope="module")
def panel():
    """The feast is in week 12 and again in week 64, ahead; the fair in weeks 3, 34 and 65."""
    codes = np.zeros((1, KNOWN + 8), int)
    codes[0, [12, 64]] = FEAST
    codes[0, [3, 34, 65]] = FAIR
    return hand_panel([units()], events=(("Feast", "Fair"), codes))


def test_an_event_counts_as_met_once_until_it_comes_again(panel):
    assert met_once([panel], 2) == ()
    assert met_once([panel], 33) == ("Fair", "Feast")
    assert met_once([panel], 63) == ("Feast",)  # the fair was there twice, half a year apart
    assert met_once([panel], 64) == ()


def test_an_event_of_several_weeks_is_one(panel):
    codes = np.zeros((1, KNOWN + 8), int)
    codes[0, [12, 13, 14]] = FEAST
    assert met_once([hand_panel([units()], events=(("Feast",), codes))], KNOWN) == ("Feast",)


def test_the_anchor_is_last_year_scaled_by_growth(panel):
    found = anniversary(block_of(panel, 61), 3, ("Feast",))  # target 64; a year ago 12
    # Level: 13 weeks at 20 and 13 at 10 = 15, k 1.5. A year ago: 10 a week, over 13 as over 26 weeks.
    quarter = log((40 * (20 + 1.5) / (10 + 1.5) + 1.5) / (15 + 1.5))
    half = log((40 * (15 + 1.5) / (10 + 1.5) + 1.5) / (15 + 1.5))
    np.testing.assert_array_equal(found[GATE], [[1]])
    np.testing.assert_allclose(found[ANCHOR], [[(quarter + half) / 2]], rtol=1e-5)


@pytest.mark.parametrize(("horizon", "gate"), [(1, 0), (2, 1), (3, 1), (4, 1), (5, 0)])
def test_only_weeks_that_touch_the_anniversary_are_anchored(panel, horizon, gate):
    found = anniversary(block_of(panel, 61), horizon, ("Feast",))
    assert found[GATE][0, 0] == gate
    assert (found[ANCHOR][0, 0] == 0) == (gate == 0)


def test_an_event_that_was_not_there_a_year_ago_has_no_anchor(panel):
    found = anniversary(block_of(panel, 61), 4, ("Fair",))  # target 65; a year ago 13, without the fair
    np.testing.assert_array_equal(found[GATE], [[0]])


def test_a_series_that_is_younger_than_a_year_has_no_anchor(panel):
    young = hand_panel([[np.nan] * 20 + units()[20:]], events=(panel.event_names[1:], panel.event))
    found = anniversary(block_of(young, 61), 3, ("Feast",))
    np.testing.assert_array_equal(found[GATE], [[0]])
    np.testing.assert_array_equal(found[ANCHOR], [[0]])


def test_rows_have_their_anchor_and_nan_without(panel):
    spec = learn_spec([panel], 4, 61)
    assert spec.met_once == ("Feast",)
    table = build_features(panel, spec, np.array([61]))
    found = anchors(table.values, table.names)
    assert np.isnan(found[table.horizon == 1]).all()
    gate = table.values[:, table.names.index(ANCHOR)]
    np.testing.assert_array_equal(found[table.horizon == 3], gate[table.horizon == 3])


def test_a_set_whose_events_have_all_come_again_has_no_such_feature(panel):
    spec = learn_spec([panel], 4, 65)
    table = build_features(panel, spec, np.array([61]))
    assert GATE not in table.names
    assert np.isnan(anchors(table.values, table.names)).all()


def test_units_after_the_origin_do_not_change_the_anchor(panel):
    changed = hand_panel([[*units()[:61], 999.0]], events=(panel.event_names[1:], panel.event))
    for horizon in (3, 4):
        before, after = (anniversary(block_of(p, 60), horizon, ("Feast",)) for p in (panel, changed))
        np.testing.assert_array_equal(before[ANCHOR], after[ANCHOR])
