"""Weeks as numbers: no clock, no time zone, no locale in it."""

from datetime import date

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Ints = NDArray[np.int64]

# 1970-01-05 was a Monday: day 4 is the first day of week 0.
FIRST_MONDAY = 4


def day_numbers(dates: "pd.Series[pd.Timestamp]") -> Ints:
    """Days since 1970-01-01, shape (n_rows,)."""
    return dates.to_numpy().astype("datetime64[D]").astype(np.int64)


def week_numbers(dates: "pd.Series[pd.Timestamp]") -> Ints:
    """Number of the week, Monday to Sunday, that each date lies in; shape (n_rows,)."""
    return (day_numbers(dates) - FIRST_MONDAY) // 7


def week_number(day: date) -> int:
    """Number of the week that a date lies in."""
    return int((np.datetime64(day, "D").astype(np.int64) - FIRST_MONDAY) // 7)


def mondays(weeks: Ints) -> NDArray[np.datetime64]:
    """First days of the weeks as datetime64[us], same shape."""
    return (weeks * 7 + FIRST_MONDAY).astype("datetime64[D]").astype("datetime64[us]")


def fiscal_weeks(weeks: Ints) -> Ints:
    """Week of the fiscal year, 1 to 52, same shape: the ISO week, but a 53rd counts as the 52nd."""
    iso = pd.DatetimeIndex(mondays(weeks)).isocalendar()["week"].to_numpy(dtype=np.int64)
    return np.where(iso > 52, 52, iso)
