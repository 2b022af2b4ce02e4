from math import cos, log1p, pi, sin

import numpy as np
import pytest
from panels import NAN, block_of, hand_panel

from demand.contracts import EVENT_KINDS
from demand.features import calendar

WEEKS = 10  # known: 6 January 2020 to 9 March; with the outlook of 8 weeks the columns are 0 to 17


def with_events(codes: list[int]) -> np.ndarray:
    return np.array([codes + [0] * (WEEKS + 8 - len(codes))])


@pytest.fixture(scope="module")
def panel():
    """Ball in week 3 and 5, Fair in week 4 and 10, which is not known yet."""
    codes = with_events([0, 0, 0, 1, 2, 1, 0, 0, 0, 0, 2])
    return hand_panel([[1.0] * WEEKS], events=(("Ball", "Fair"), codes))


def test_the_season_of_the_year_is_that_of_the_target_week():
    found = calendar.season_of_year(block_of(hand_panel([[1.0] * WEEKS]), 0, 7), 1)
    # Targets: 13 January, day 12 of the year from 0; 2 March, the 31 + 29 + 1st day from 0
    for pair in (1, 2, 3):
        phases = [2 * pi * pair * day / 365.25 for day in (12, 61)]
        np.testing.assert_allclose(found[f"year_sin_{pair}"], [[sin(phase) for phase in phases]], rtol=1e-5)
        np.testing.assert_allclose(found[f"year_cos_{pair}"], [[cos(phase) for phase in phases]], rtol=1e-5)


def test_the_place_in_the_month_is_that_of_the_target_week():
    found = calendar.season_of_year(block_of(hand_panel([[1.0] * WEEKS]), 0, 7), 1)
    for pair in (1, 2):
        phases = [2 * pi * pair * share for share in (12 / 31, 1 / 31)]  # 13 January; 2 March
        np.testing.assert_allclose(found[f"month_sin_{pair}"], [[sin(phase) for phase in phases]], rtol=1e-5)


def test_the_horizon_is_a_feature():
    found = calendar.season_of_year(block_of(hand_panel([[1.0] * WEEKS]), 0, 7), 3)
    np.testing.assert_array_equal(found["horizon"], [[3, 3]])


def test_a_named_event_shows_in_its_week_and_the_weeks_beside_it(panel):
    found = calendar.event_weeks(block_of(panel, 1, 2, 3), 2, ("Ball", "Fair"))  # targets 3, 4, 5
    np.testing.assert_array_equal(found["event_Ball_+0"], [[1, 0, 1]])
    np.testing.assert_array_equal(found["event_Ball_-1"], [[0, 1, 0]])  # the week before: 2, 3, 4
    np.testing.assert_array_equal(found["event_Ball_+1"], [[0, 1, 0]])  # the week after: 4, 5, 6
    np.testing.assert_array_equal(found["event_Fair_+0"], [[0, 1, 0]])


def test_an_event_that_training_knows_and_this_panel_does_not_is_0_everywhere(panel):
    found = calendar.event_weeks(block_of(panel, 1, 2), 2, ("Derby",))
    assert {name: values.sum() for name, values in found.items()} == {
        "event_Derby_-1": 0,
        "event_Derby_+0": 0,
        "event_Derby_+1": 0,
    }


def test_weeks_beyond_the_panel_have_no_event():
    panel = hand_panel([[1.0] * 2], events=(("Ball",), 1))
    np.testing.assert_array_equal(
        calendar.event_weeks(block_of(panel, 1), 8, ("Ball",))["event_Ball_+1"], [[0]]
    )


def test_event_days_are_shares_of_the_target_week_its_neighbours_and_a_year_before():
    days = np.zeros(70)
    days[[4, 56, 57, 58]] = [0.1, 0.2, 0.3, 0.4]
    panel = hand_panel([[1.0] * 62], inputs={"event_holiday": days})
    found = calendar.event_days(block_of(panel, 55), 1)
    shares = {lead: float(found[f"holiday_days_{lead}"][0, 0]) for lead in ("+0", "-1", "+1", "year_ago")}
    assert shares == pytest.approx({"+0": 0.2, "-1": 0, "+1": 0.3, "year_ago": 0.1})
    assert {name.split("_")[0] for name in found} == set(EVENT_KINDS)


def test_event_days_that_are_not_known_are_0():
    panel = hand_panel([[1.0] * 3], inputs={"event_sport": NAN})
    assert calendar.event_days(block_of(panel, 1), 1)["sport_days_+0"] == 0


def test_the_origins_own_event_shows(panel):
    found = calendar.event_origin(block_of(panel, 2, 3, 6))
    np.testing.assert_array_equal(found["event_origin_+0"], [[0, 1, 0]])
    np.testing.assert_array_equal(found["event_origin_-1"], [[0, 0, 1]])


def test_the_week_before_the_first_one_has_no_event():
    panel = hand_panel([[1.0] * 2], events=(("Ball",), 1))
    found = calendar.event_origin(block_of(panel, 0))
    assert (found["event_origin_+0"], found["event_origin_-1"]) == (1, 0)


def test_weather_is_that_of_the_target_week_and_its_steps():
    warm = np.zeros(70)
    warm[5], warm[50:56], warm[56], warm[57] = 20, 10, 15, 30
    panel = hand_panel([[1.0] * 62], inputs={"temperature": warm, "precipitation": warm / 2})
    found = calendar.weather(block_of(panel, 56), 1)  # a year before week 57: week 5
    steps = {name: float(values[0, 0]) for name, values in found.items() if name.startswith("temperature")}
    assert steps == pytest.approx(
        {
            "temperature": 3.0,  # tens of degrees
            "temperature_step_8": 3.0 - 7.5 / 8,  # (0 + 6 x 1 + 1.5) / 8
            "temperature_step_origin": 1.5,
            "temperature_step_year": 1.0,
        }
    )
    assert float(found["precipitation"][0, 0]) == pytest.approx(1.5)


def test_shoppers_are_logs_of_people_and_dollars_and_shares_as_they_are():
    shoppers = {"population": [999.0, NAN], "share_age_0_17": [0.25, 0.5]}
    found = calendar.shoppers(block_of(hand_panel([[1.0], [2.0]], shoppers=shoppers), 0))
    np.testing.assert_allclose(found["shoppers_population"], [[log1p(999)], [NAN]], rtol=1e-6)
    np.testing.assert_array_equal(found["shoppers_share_age_0_17"], [[0.25], [0.5]])


def test_the_vocabulary_has_the_events_of_known_weeks_only(panel):
    late = hand_panel([[1.0] * WEEKS], events=(("Gala", "Late"), with_events([1] + [0] * 9 + [2])))
    assert calendar.event_vocabulary([panel, late]) == ("Ball", "Fair", "Gala")
