"""Building blocks of the contracts: one function per kind of column."""

from collections.abc import Callable, Iterable
from typing import Final

import numpy as np
import pandas as pd
import pandera.pandas as pa
from numpy.typing import NDArray

TEXT = pd.StringDtype(na_value=np.nan)
MOMENT: Final = "datetime64[us]"

Check = Callable[["pd.Series[str]"], "pd.Series[bool]"]


def text(
    *, nullable: bool = False, empty: bool = False, among: Iterable[str] = (), file_safe: bool = False
) -> pa.Column:
    """A text column: trimmed, printable, not empty unless `empty`, one of `among` where that is given."""
    allowed = tuple(among)
    if allowed:
        listed = _value_check(lambda value: value in allowed, "one of " + ", ".join(allowed))
        return pa.Column(TEXT, listed, nullable=nullable)
    expected = "trimmed printable text" + ("" if empty else ", not empty")
    checks = [_value_check(lambda value: _is_clean(value, empty), expected)]
    if file_safe:
        checks.append(_value_check(_is_file_safe, "a name without / \\ : * ? and not starting with a dot"))
    return pa.Column(TEXT, checks, nullable=nullable)


def number(low: float = -np.inf, high: float = np.inf, *, nullable: bool = False) -> pa.Column:
    """A float64 column of finite numbers in [low, high]."""
    limits = ((">=", low), ("<=", high))
    bounds = " and".join(f" {sign} {limit:g}" for sign, limit in limits if np.isfinite(limit))

    def within(values: "pd.Series[float]") -> "pd.Series[bool]":
        numbers = values.to_numpy()
        with np.errstate(invalid="ignore"):
            good = np.isfinite(numbers) & (numbers >= low) & (numbers <= high)
        return pd.Series(good | np.isnan(numbers), index=values.index)

    check = pa.Check(within, error=f"a finite number{bounds}", ignore_na=False)
    return pa.Column("float64", check, nullable=nullable)


def count(low: int) -> pa.Column:
    """An int64 column of whole numbers >= low."""
    return pa.Column("int64", pa.Check(lambda s: s >= low, error=f"a whole number >= {low}"))


def day(*, nullable: bool = False) -> pa.Column:
    """A date column: datetime64[us] at midnight, without a time zone."""
    check = pa.Check(_is_midnight, error="a date without a time of day", ignore_na=False)
    return pa.Column(MOMENT, check, nullable=nullable)


def monday(*, nullable: bool = False) -> pa.Column:
    """A date column that holds Mondays: the first days of weeks."""
    check = pa.Check(_is_monday, error="the Monday on which the week starts", ignore_na=False)
    return pa.Column(MOMENT, check, nullable=nullable)


def moment() -> pa.Column:
    """A time column: datetime64[us] in UTC, without a time zone."""
    return pa.Column(MOMENT)


def _value_check(good: Callable[[str], bool], expected: str) -> pa.Check:
    """A check that looks at each distinct text once, so that a million rows cost a few look-ups."""

    def check(values: "pd.Series[str]") -> "pd.Series[bool]":
        codes, distinct = pd.factorize(values)
        verdicts = np.array([good(value) for value in distinct] + [True])
        return pd.Series(verdicts[codes], index=values.index)

    return pa.Check(check, error=expected, ignore_na=False)


def _is_clean(value: str, empty: bool) -> bool:
    return value == value.strip() and value.isprintable() and (empty or value != "")


def _is_file_safe(value: str) -> bool:
    return not (set('/\\:*?"<>|') & set(value)) and not value.startswith(".")


def _days(
    values: "pd.Series[pd.Timestamp]",
) -> tuple[NDArray[np.int64], NDArray[np.bool_], NDArray[np.bool_]]:
    """Days since 1970-01-01 (floor), whether the time is midnight, and whether the value is missing."""
    times = values.to_numpy()
    days = times.astype("datetime64[D]")
    return days.astype("int64"), days == times, np.isnat(times)


def _is_midnight(values: "pd.Series[pd.Timestamp]") -> "pd.Series[bool]":
    _, midnight, missing = _days(values)
    return pd.Series(midnight | missing, index=values.index)


def _is_monday(values: "pd.Series[pd.Timestamp]") -> "pd.Series[bool]":
    days, midnight, missing = _days(values)
    # 1970-01-05, day 4, was a Monday.
    return pd.Series((midnight & (days % 7 == 4)) | missing, index=values.index)
