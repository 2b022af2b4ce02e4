"""Checks a frame against the contract of its table and says precisely what is wrong with it."""

import difflib

import numpy as np
import pandas as pd
import pandera.errors
import pandera.pandas as pa
from numpy.typing import NDArray

from demand.contracts.columns import MOMENT, TEXT
from demand.contracts.tables import SCHEMAS
from demand.errors import DataError

SHOWN_ROWS = 3
# The schemas without dtypes: `_plain` has given every column its own, and asking again took half of the time.
RULES = {
    table: schema.update_columns({name: {"dtype": None} for name in schema.columns})
    for table, schema in SCHEMAS.items()
}
REMEDY = "Correct it at the source and deliver again; nothing was dropped or changed."


def check(table: str, frame_: pd.DataFrame, origin: str) -> pd.DataFrame:
    """The frame with the columns, order and dtypes of its contract; a new frame, index 0..n-1.

    Text becomes pandas' `str`, numbers float64 (or int64), dates datetime64[us]; no value changes.
    Raises DataError that names origin, column, the first bad rows and how many there are.
    """
    schema = SCHEMAS[table]
    check_columns(list(schema.columns), [str(name) for name in frame_.columns], origin)
    plain = {name: _plain(frame_[name], column, origin) for name, column in schema.columns.items()}
    # Copy-on-write keeps the two frames apart; `inplace` spares pandera's own copy, and nothing is coerced.
    frame = pd.DataFrame(plain, copy=False).reset_index(drop=True)
    try:
        RULES[table].validate(frame, lazy=True, inplace=True)
    except pandera.errors.SchemaErrors as errors:
        raise _explain(errors, frame, origin) from None
    return frame


def bad_rows(
    frame: pd.DataFrame, bad: NDArray[np.bool_], origin: str, column: str, expected: str
) -> DataError:
    """The error that names origin, column, what was expected, the first rows where `bad`, and their count."""
    found = np.flatnonzero(bad)
    shown = "; ".join(f"row {i + 1}: {_row(frame, i)}" for i in found[:SHOWN_ROWS])
    return DataError(
        f"{origin}, column {column}: expected {expected}; "
        f"got {len(found)} bad of {len(frame)} rows, first {shown}. {REMEDY}"
    )


def _row(frame: pd.DataFrame, position: int) -> str:
    shown = list(frame.columns)[:8]
    return ", ".join(f"{name}={_value(frame[name].iloc[position])}" for name in shown)


def _value(value: object) -> str:
    if isinstance(value, pd.Timestamp):
        return str(value.date()) if value == value.normalize() else value.isoformat()
    return repr(value) if isinstance(value, str) else str(value)


def check_columns(expected: list[str], got: list[str], origin: str) -> None:
    """Raises DataError if the names differ; the order is free."""
    twice = [name for name in dict.fromkeys(got) if got.count(name) > 1]
    faults = [f"column {name} is there {got.count(name)} times" for name in twice]
    for name in expected:
        if name not in got:
            near = difflib.get_close_matches(name, [other for other in got if other not in expected], n=1)
            faults.append(f"column {name} is missing" + (f" (renamed to {near[0]}?)" if near else ""))
    faults += [f"column {name!r} is not part of the table" for name in got if name not in expected]
    if faults:
        raise DataError(
            f"{origin}: expected the columns {', '.join(expected)}; got {', '.join(map(repr, got))}: "
            f"{'; '.join(dict.fromkeys(faults))}. {REMEDY}"
        )


def _plain(values_: "pd.Series[pd.Timestamp]", column: pa.Column, origin: str) -> pd.Series:
    """The column in the dtype of its contract, where that changes no value."""
    packed = isinstance(values_.dtype, pd.CategoricalDtype)
    values = values_.astype(values_.cat.categories.dtype) if packed else values_
    kind = str(column.dtype)
    if kind == "str" or kind.startswith("string"):
        return _as_text(values, origin)
    if kind.startswith("datetime64"):
        return _as_time(values, origin)
    return _as_number(values, kind, origin)


def _wrong_type(values: pd.Series, origin: str, expected: str) -> DataError:
    return bad_rows(values.to_frame(), values.notna().to_numpy(), origin, str(values.name), expected)


def _as_text(values: pd.Series, origin: str) -> pd.Series:
    if values.dtype == TEXT:
        return values
    if pd.api.types.infer_dtype(values, skipna=True) in ("string", "empty"):
        return values.astype(TEXT)
    is_text = np.array([isinstance(value, str) for value in values])
    raise bad_rows(values.to_frame(), ~is_text & values.notna().to_numpy(), origin, str(values.name), "text")


def _as_time(values: pd.Series, origin: str) -> pd.Series:
    if isinstance(values.dtype, pd.DatetimeTZDtype):
        raise _wrong_type(values, origin, f"dates without a time zone, not {values.dtype}")
    if values.dtype.kind == "M":
        return _exact_microseconds(values, origin)
    if values.isna().all():
        return pd.Series(pd.NaT, index=values.index, dtype=MOMENT, name=values.name)
    raise _wrong_type(values, origin, "dates (datetime64)")


def _exact_microseconds(values: pd.Series, origin: str) -> pd.Series:
    times = values.astype(MOMENT)
    lost = (times.astype(values.dtype) != values) & values.notna()
    if lost.any():
        expected = "times in whole microseconds"
        raise bad_rows(values.to_frame(), lost.to_numpy(), origin, str(values.name), expected)
    return times


def _as_number(values: pd.Series, kind: str, origin: str) -> pd.Series:
    if values.dtype == kind:
        return values
    numeric = pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values)
    if not numeric and not values.isna().all():
        raise _wrong_type(values, origin, f"numbers ({kind})")
    numbers = values.astype("float64")
    if kind == "float64":
        return numbers
    whole = np.isfinite(numbers.to_numpy()) & (numbers.to_numpy() == np.floor(numbers.to_numpy()))
    if not whole.all():
        raise bad_rows(values.to_frame(), ~whole, origin, str(values.name), "whole numbers")
    return numbers.astype("int64")


def _explain(errors: pandera.errors.SchemaErrors, frame: pd.DataFrame, origin: str) -> DataError:
    """One error that lists every column and check that failed, with its first rows and its count."""
    parts: list[str] = []
    for reason in errors.schema_errors:
        column, expected, rows = _reason(reason, frame)
        parts.append(str(bad_rows(frame, rows, origin, column, expected)).removesuffix(f" {REMEDY}"))
    return DataError(" ".join(dict.fromkeys(parts)) + f" {REMEDY}")


def _reason(reason: pandera.errors.SchemaError, frame: pd.DataFrame) -> tuple[str, str, NDArray[np.bool_]]:
    """Column, what was expected, and the bad rows of one failed check."""
    code = str(reason.reason_code)
    if "DUPLICATES" in code or "UNIQUE" in code:
        key = list(reason.schema.unique)
        return ", ".join(key), "one row per key", frame.duplicated(key, keep=False).to_numpy()
    name = reason.schema.name
    if "NULL" in code:
        return str(name), "no missing values", frame[name].isna().to_numpy()
    rows = np.zeros(len(frame), dtype=bool)
    rows[np.unique(reason.failure_cases["index"].dropna().to_numpy(dtype=np.int64))] = True
    return str(name or reason.check.name), str(reason.check.error), rows
