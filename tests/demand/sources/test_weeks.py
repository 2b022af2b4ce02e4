import pandas as pd
import pytest

from demand.sources.weeks import WEEKDAYS, day_of_week, days_to_monday, monday_of


@pytest.mark.parametrize(("begins", "days"), list(zip(WEEKDAYS, (0, -1, -2, -3, 3, 2, 1), strict=True)))
def test_a_week_is_told_by_the_monday_week_that_shares_most_of_its_days(begins, days):
    assert days_to_monday(begins) == days


@pytest.mark.parametrize(
    ("begins", "day", "monday"),
    [
        ("monday", "2024-03-10", "2024-03-04"),  # a Sunday closes its week
        ("monday", "2024-03-11", "2024-03-11"),
        ("saturday", "2010-02-12", "2010-02-08"),  # Saturday 6th to Friday 12th
        ("saturday", "2010-02-06", "2010-02-08"),
        ("thursday", "1990-06-14", "1990-06-11"),  # Thursday 14th to Wednesday 20th
        ("thursday", "1990-06-20", "1990-06-11"),
        ("sunday", "2024-03-03", "2024-03-04"),
        ("monday", "2021-01-03", "2020-12-28"),  # week 53 of 2020
    ],
)
def test_every_day_of_a_week_gets_the_same_monday(begins, day, monday):
    assert monday_of(pd.Series(pd.to_datetime([day])), begins).tolist() == [pd.Timestamp(monday)]


def test_days_are_counted_from_the_day_on_which_the_week_begins():
    days = pd.Series(pd.to_datetime(["2024-03-02", "2024-03-04", "2024-03-08"]))
    assert day_of_week(days, "saturday").tolist() == [0, 2, 6]
