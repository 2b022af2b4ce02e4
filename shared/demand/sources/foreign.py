"""Tables that another system wrote: every value arrives as text and is converted by name, or refused."""

import io
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
from pyarrow import csv

from demand.errors import DataError
from demand.sources.manifest import looks_like

SHOWN = 5


def read_text_table(path: Path, *, separator: str = ",", encoding: str = "utf-8") -> pd.DataFrame:
    """Table of text columns, header names stripped; row i of it is line i + 2 of the file.

    Any line ending is accepted (CR, LF, CRLF). DataError: no file, empty, HTML, another encoding, a row with
    more or fewer values than the header, a column name that occurs twice.
    """
    raw = read_bytes(path)
    remark = looks_like(raw)
    if remark and not encoding.lower().startswith("utf-16"):
        raise DataError(
            f"{path.name}: expected a table in {encoding} text{remark}. Save it as such a text file."
        )
    options = csv.ReadOptions(encoding=encoding, use_threads=False)
    parsing = csv.ParseOptions(delimiter=separator, ignore_empty_lines=True)
    try:
        names = _header(raw, options, parsing)
        as_text = csv.ConvertOptions(
            column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=False
        )
        table = csv.read_csv(io.BytesIO(raw), options, parsing, as_text)
    except (pa.ArrowInvalid, UnicodeDecodeError) as error:
        raise DataError(
            f"{path.name}: expected one header and as many values in every row, separated by {separator!r}, "
            f"in {encoding}; got: {error}. Export the file again."
        ) from error
    return checked_header(table.to_pandas(), path)


def read_bytes(path: Path) -> bytes:
    """Content of the file; DataError if it is not there or holds nothing."""
    if not path.is_file():
        raise DataError(
            f"{path.name}: expected a file in folder '{path.parent.name}', got none. Put it there."
        )
    raw = path.read_bytes()
    if not raw.strip():
        raise DataError(f"{path.name}: expected a header and rows, got an empty file. Export the file again.")
    return raw


def checked_header(frame_: pd.DataFrame, path: Path) -> pd.DataFrame:
    """Same table with stripped column names; DataError for a repeated or empty name, or for no rows."""
    names = [str(name).strip() for name in frame_.columns]
    repeated = sorted({name for name in names if names.count(name) > 1 or not name})
    if repeated:
        raise DataError(
            f"{path.name}: expected every column name once, got {repeated} repeated or empty. Rename them."
        )
    if frame_.empty:
        raise DataError(
            f"{path.name}: expected rows below the header {names}, got none. Export the file again."
        )
    return frame_.set_axis(names, axis="columns")


def require_columns(frame: pd.DataFrame, columns: tuple[str, ...], origin: str) -> pd.DataFrame:
    """The named columns alone, in that order; DataError lists those that lack and those that are there."""
    lacking = [name for name in columns if name not in frame.columns]
    if lacking:
        raise DataError(
            f"{origin}: expected columns {list(columns)}, got {list(frame.columns)}; {lacking} missing. "
            "Use the file as its publisher wrote it."
        )
    return frame[list(columns)]


def to_numbers(texts: pd.Series, origin: str, *, missing: str | None = None) -> pd.Series:
    """Finite numbers, NaN where the text equals `missing`; DataError names column, bad rows, count."""
    numbers = pd.to_numeric(texts, errors="coerce").astype("float64")
    absent = texts.eq(missing) if missing is not None else pd.Series(False, index=texts.index)
    finite = numbers.between(-np.inf, np.inf, inclusive="neither")
    refuse_rows(texts, ~(finite | absent), origin, "a plain number such as 1234.5")
    return numbers.mask(absent)


def to_whole_numbers(texts: pd.Series, origin: str) -> pd.Series:
    """Whole int64 numbers; DataError names column, first bad rows, count."""
    numbers = to_numbers(texts, origin)
    refuse_rows(texts, numbers != numbers.round(), origin, "a whole number")
    return numbers.astype("int64")


def to_dates(texts: pd.Series, origin: str, date_format: str) -> pd.Series:
    """Dates as datetime64; DataError names column, first bad rows, count."""
    dates = pd.to_datetime(texts, format=date_format, errors="coerce")
    refuse_rows(texts, dates.isna(), origin, f"a date written as {date_format}")
    return dates.dt.normalize()


def refuse_rows(values: pd.Series, bad: pd.Series, origin: str, expected: str) -> None:
    """Nothing where no row is bad; otherwise DataError with the first bad rows and their count."""
    if not bad.any():
        return
    rows = np.flatnonzero(bad.to_numpy())
    numbered = values.index.to_numpy() + 2
    first = ", ".join(f"row {numbered[row]}: '{values.iloc[row]}'" for row in rows[:SHOWN])
    raise DataError(
        f"{origin}, column '{values.name}': expected {expected}, got {len(rows)} of {len(values)} rows "
        f"that are not ({first}). Correct these rows in the file."
    )


def to_ids(texts: pd.Series, origin: str) -> pd.Series:
    """Whole numbers as the shortest text, "07" as "7"; DataError names column, first bad rows, count."""
    return to_whole_numbers(texts, origin).astype("str")


def refuse_repeated(frame: pd.DataFrame, key: list[str], origin: str) -> None:
    """Nothing where every row has its own key; otherwise DataError with the first repeats and their count."""
    repeated = frame.duplicated(key)
    if repeated.any():
        shown = frame.loc[repeated, key].astype("str").agg(" ".join, axis="columns")
        keys = shown.reindex(frame.index, fill_value="").rename(" ".join(key))
        refuse_rows(keys, repeated, origin, "one row per key")


def undated(index: pd.Index) -> pd.Series:
    """Missing dates (datetime64[us]) for what a foreign table does not tell, such as a closing date."""
    return pd.Series(pd.NaT, index=index, dtype="datetime64[us]")


def _header(raw: bytes, options: csv.ReadOptions, parsing: csv.ParseOptions) -> list[str]:
    first_line = raw.replace(b"\r", b"\n").lstrip(b"\n").split(b"\n", 1)[0] + b"\n"
    return list(csv.read_csv(io.BytesIO(first_line), options, parsing).column_names)
