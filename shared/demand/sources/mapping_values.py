"""Values of a foreign table in their meaning: ids, dates and numbers, however that table writes them."""

import re

import numpy as np
import pandas as pd

from demand.errors import DataError
from demand.sources.foreign import refuse_rows, to_dates
from demand.sources.mapping_config import FileFormat

DATE_FORMATS = (
    "%Y-%m-%d",
    "%Y/%m/%d",
    "%Y%m%d",
    "%d.%m.%Y",
    "%d/%m/%Y",
    "%m/%d/%Y",
    "%d-%m-%Y",
    "%m-%d-%Y",
    "%d.%m.%y",
    "%d %b %Y",
    "%d-%b-%Y",
)
CLOCK_FORMATS = ("", " %H:%M", " %H:%M:%S", " %H:%M:%S.%f", "T%H:%M", "T%H:%M:%S", "T%H:%M:%S.%f")
SAMPLE = 200
TRUE_WORDS, FALSE_WORDS = ("true", "yes", "y", "t"), ("false", "no", "n", "f", "")


def as_text(values: pd.Series) -> pd.Series:
    """Every value as trimmed text: whole numbers without a decimal point, missing values as ""."""
    codes, distinct = pd.factorize(values, use_na_sentinel=True)
    texts = np.array([*(_text(value) for value in distinct), ""], dtype=object)
    return pd.Series(texts[codes], index=values.index, name=values.name).astype("str")


def ids(values: pd.Series, origin: str) -> pd.Series:
    """Every value as an id, as text; DataError where one is missing."""
    texts = as_text(values)
    refuse_rows(values, texts == "", origin, "an id, not an empty value")
    return texts


def dates(values: pd.Series, origin: str, date_format: str) -> pd.Series:
    """Dates without a time of day (datetime64); the way of writing is found out where `date_format` is "".

    DataError: values that are no dates, or dates that can be read in two ways, such as 03/04/2024.
    """
    if values.dtype.kind == "M" or isinstance(values.dtype, pd.DatetimeTZDtype):
        refuse_rows(values, values.isna(), origin, "a date")
        days: pd.Series = values.dt.tz_localize(None).dt.normalize()
        return days
    texts = as_text(values)
    return to_dates(texts, origin, date_format or find_date_format(texts, origin))


def find_date_format(texts: pd.Series, origin: str) -> str:
    """The one format that reads every text, or the one that reads most; DataError where two read them all."""
    distinct = pd.Series(texts.unique())
    fitting = fitting_formats(distinct)
    if len(fitting) > 1 and _differ(distinct, fitting):
        raise DataError(
            f"{origin}, column '{texts.name}': expected dates that read one way, got "
            f"{distinct.iloc[0]!r} and others that read as {' and as '.join(fitting)}. "
            f'Say which in the mapping: [file] date_format = "{fitting[0]}".'
        )
    sample = distinct.head(SAMPLE)
    return fitting[0] if fitting else max(_candidates(sample), key=lambda form: _share_read(sample, form))


def fitting_formats(texts: pd.Series) -> list[str]:
    """The date formats that read every text."""
    sample = texts.head(SAMPLE)  # so that few formats are tried on all of a long column
    likely = [form for form in _candidates(sample) if _share_read(sample, form) == 1.0]
    return [form for form in likely if _share_read(texts, form) == 1.0]


def numbers(values: pd.Series, origin: str, marks: FileFormat, *, optional: bool = False) -> pd.Series:
    """Finite float64 numbers; empty is NaN where `optional`, otherwise refused like any other text."""
    texts = as_text(values)
    plain = texts.str.replace(marks.thousands, "", regex=False) if marks.thousands else texts
    dotted = plain.str.replace(marks.decimal, ".", regex=False).where(
        texts.str.fullmatch(_number_pattern(marks))
    )
    written = values.map(lambda value: isinstance(value, str))
    read = pd.to_numeric(dotted.where(written, texts), errors="coerce").astype("float64")
    empty = (texts == "") & optional
    finite = read.between(-np.inf, np.inf, inclusive="neither")
    refuse_rows(values, ~(finite | empty), origin, _expected(marks))
    return read


def shares(values: pd.Series, origin: str, marks: FileFormat) -> pd.Series:
    """Shares from 0 to 1; yes and true are 1, no, false and empty values 0. DataError for anything else."""
    words = as_text(values).str.lower()
    as_digits = words.mask(words.isin(TRUE_WORDS), "1").mask(words.isin(FALSE_WORDS), "0")
    read = numbers(as_digits, origin, marks)
    refuse_rows(values, ~read.between(0.0, 1.0), origin, "yes, no or a share from 0 to 1")
    return read


def _text(value: object) -> str:
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, pd.Timestamp) and value == value.normalize():
        return value.strftime("%Y-%m-%d")
    return str(value).strip()


def _candidates(texts: pd.Series) -> list[str]:
    """Formats with the clock part that the first text has."""
    first = texts.iloc[0]
    clocks = [clock for clock in CLOCK_FORMATS if bool(clock) == (":" in first)]
    return [form + clock for form in DATE_FORMATS for clock in clocks]


def _share_read(texts: pd.Series, form: str) -> float:
    return float(pd.to_datetime(texts, format=form, errors="coerce").notna().mean())


def _differ(texts: pd.Series, forms: list[str]) -> bool:
    first, *others = (pd.to_datetime(texts, format=form) for form in forms)
    return any(not first.equals(other) for other in others)


def _number_pattern(marks: FileFormat) -> str:
    groups = rf"\d{{1,3}}(?:{re.escape(marks.thousands)}\d{{3}})+|" if marks.thousands else ""
    return rf"[+-]?(?:{groups}\d+)(?:{re.escape(marks.decimal)}\d+)?(?:[eE][+-]?\d+)?"


def _expected(marks: FileFormat) -> str:
    grouped = f"1{marks.thousands}234{marks.decimal}5"
    hint = (
        "" if marks.thousands else "; for other marks set decimal and thousands under [file] in the mapping"
    )
    return f"a finite number such as {grouped}{hint}"
