"""Weeks that begin on any weekday, told by the Monday of the calendar week that shares most of their days."""

import pandas as pd

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


def days_to_monday(begins: str) -> int:
    """Days (-3 to 3) from the first day of a week that begins on weekday `begins` to its Monday."""
    first = WEEKDAYS.index(begins)
    return -first if first <= WEEKDAYS.index("thursday") else 7 - first


def day_of_week(dates: pd.Series, begins: str) -> pd.Series:
    """Position 0 to 6 of each date in its week, where weeks begin on weekday `begins`."""
    position: pd.Series = (dates.dt.day_of_week - WEEKDAYS.index(begins)) % 7
    return position


def monday_of(dates: pd.Series, begins: str) -> pd.Series:
    """Monday that names the week of each date, where weeks begin on weekday `begins`; datetime64."""
    first_day = dates - pd.to_timedelta(day_of_week(dates, begins), unit="D")
    return first_day + pd.Timedelta(days=days_to_monday(begins))
