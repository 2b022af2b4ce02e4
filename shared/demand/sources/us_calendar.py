"""Holidays and shopping seasons of the United States, computed from the calendar alone."""

from collections.abc import Callable
from datetime import date, timedelta

import pandas as pd

MONDAY, THURSDAY, SUNDAY = 0, 3, 6
Span = tuple[date, date]


def us_events(first: date, last: date, moved_days: int = 0) -> pd.DataFrame:
    """Events from `first` to `last` inclusive: region ("*", all), start, end (datetime64), name, kind.

    `moved_days` is added to every date before it is held against `first` and `last`: it carries the events
    along where a data set's own weeks were moved to Monday weeks. Events that reach over
    an end are cut there.
    """
    rows = []
    for year in range(first.year - 1, last.year + 2):
        for name, kind, span in EVENTS:
            start, end = (day + timedelta(days=moved_days) for day in span(year))
            if start <= last and end >= first:
                rows.append(("*", max(start, first), min(end, last), name, kind))
    events = pd.DataFrame(rows, columns=["region", "start", "end", "name", "kind"])
    dated = events.assign(start=_to_datetime(events["start"]), end=_to_datetime(events["end"]))
    return dated.sort_values(["start", "end", "name"], ignore_index=True)


def easter_sunday(year: int) -> date:
    """Easter Sunday of the western churches."""
    return (pd.Timestamp(year, 1, 1) + pd.offsets.Easter()).date()


def nth_weekday(year: int, month: int, weekday: int, nth: int) -> date:
    """The nth given weekday (Monday 0) of a month; nth = -1 is the last."""
    if nth > 0:
        first = date(year, month, 1)
        return first + timedelta(days=(weekday - first.weekday()) % 7 + 7 * (nth - 1))
    final = date(year + month // 12, month % 12 + 1, 1) - timedelta(days=1)
    return final - timedelta(days=(final.weekday() - weekday) % 7)


def super_bowl(year: int) -> date:
    """Sunday of the Super Bowl: the first of February up to 2021, the second since the season is longer."""
    return nth_weekday(year, 2, SUNDAY, 1 if year <= 2021 else 2)


def _to_datetime(days: pd.Series) -> pd.Series:
    return pd.to_datetime(days).astype("datetime64[us]")


def _fixed(month: int, first: int, last: int) -> Callable[[int], Span]:
    return lambda year: (date(year, month, first), date(year, month, last))


def _around(anchor: Callable[[int], date], first: int = 0, last: int = 0) -> Callable[[int], Span]:
    return lambda year: (anchor(year) + timedelta(days=first), anchor(year) + timedelta(days=last))


def _nth(month: int, weekday: int, nth: int) -> Callable[[int], date]:
    return lambda year: nth_weekday(year, month, weekday, nth)


EVENTS: tuple[tuple[str, str, Callable[[int], Span]], ...] = (
    ("New Year's Day", "holiday", _fixed(1, 1, 1)),
    ("Super Bowl", "sport", _around(super_bowl)),
    ("Valentine's Day", "holiday", _fixed(2, 14, 14)),
    ("Presidents' Day", "holiday", _around(_nth(2, MONDAY, 3))),
    ("Week before Easter", "holiday", _around(easter_sunday, -7, -2)),
    ("Easter", "holiday", _around(easter_sunday, -1)),
    ("Mother's Day", "holiday", _around(_nth(5, SUNDAY, 2))),
    ("Memorial Day", "holiday", _around(_nth(5, MONDAY, -1))),
    ("Father's Day", "holiday", _around(_nth(6, SUNDAY, 3))),
    ("Independence Day", "holiday", _fixed(7, 4, 4)),
    ("Back to school", "school", _around(_nth(9, MONDAY, 1), -42, -1)),
    ("Labor Day", "holiday", _around(_nth(9, MONDAY, 1))),
    ("Columbus Day", "holiday", _around(_nth(10, MONDAY, 2))),
    ("Halloween", "holiday", _fixed(10, 31, 31)),
    ("Thanksgiving", "holiday", _around(_nth(11, THURSDAY, 4))),
    ("Black Friday", "promotion", _around(_nth(11, THURSDAY, 4), 1, 1)),
    ("Second week before Christmas", "holiday", _fixed(12, 11, 17)),
    ("Week before Christmas", "holiday", _fixed(12, 18, 24)),
    ("Christmas", "holiday", _fixed(12, 25, 25)),
    ("Week after Christmas", "holiday", _fixed(12, 26, 31)),
)
