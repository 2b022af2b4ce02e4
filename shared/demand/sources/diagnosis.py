"""Finds the rows of a CSV file that the fast reader could not take, to name them in the refusal."""

import csv
import io

import pandas as pd
import pyarrow as pa

from demand.errors import DataError
from demand.sources.manifest import REDELIVER

SHOWN_LINES = 3


def explain_csv(content: bytes, types: dict[str, pa.DataType], origin: str, cause: str) -> DataError:
    """The error that names the column, the first bad lines and their count; `cause` where none is found."""
    try:
        text = content.decode("utf-8-sig")
        rows = list(csv.reader(io.StringIO(text), strict=True))[1:]
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        return DataError(f"{origin}: expected UTF-8 text; got {error} on line {line}. {REDELIVER}")
    except csv.Error as error:
        return DataError(f"{origin}: expected plain CSV; got {error} ({cause}). {REDELIVER}")
    faults = _wrong_length(rows, len(types)) or _wrong_values(rows, types) or [cause]
    return DataError(f"{origin}: {'; '.join(faults)}. {REDELIVER}")


def _wrong_length(rows: list[list[str]], expected: int) -> list[str]:
    wrong = [i for i, row in enumerate(rows) if len(row) != expected]
    if not wrong:
        return []
    first = wrong[:SHOWN_LINES]
    shown = ", ".join(f"line {i + 2} has {len(rows[i])}: {','.join(rows[i])[:80]!r}" for i in first)
    return [f"expected {expected} fields in a row; {len(wrong)} of {len(rows)} rows differ, first {shown}"]


def _wrong_values(rows: list[list[str]], types: dict[str, pa.DataType]) -> list[str]:
    faults = []
    for position, (name, kind) in enumerate(types.items()):
        values = pd.Series([row[position] for row in rows], dtype=object)
        bad = _unreadable(values, kind)
        if bad.any():
            shown = ", ".join(f"line {i + 2}: {values[i]!r}" for i in bad[bad].index[:SHOWN_LINES])
            wanted = "a date like 2017-01-02" if pa.types.is_date(kind) else "a plain number"
            counts = f"{bad.sum()} of {len(rows)} rows differ"
            faults.append(f"column {name}: expected {wanted}; {counts}, first {shown}")
    return faults


def _unreadable(values: "pd.Series[str]", kind: pa.DataType) -> "pd.Series[bool]":
    filled = values != ""
    if pa.types.is_date(kind):
        shaped = values.str.fullmatch(r"\d{4}-\d{2}-\d{2}")
        return filled & (
            ~shaped | pd.to_datetime(values.where(shaped), format="%Y-%m-%d", errors="coerce").isna()
        )
    if pa.types.is_string(kind):
        return filled & False
    return filled & pd.to_numeric(values, errors="coerce").isna()
