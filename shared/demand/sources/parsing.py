"""Bytes in one of the raw formats -> the frame they hold, with nothing guessed and nothing left out."""

import csv
import io
import json
import zipfile
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.json
import pyarrow.parquet as pq

from demand.contracts import SCHEMAS, check_columns
from demand.errors import DataError
from demand.sources.diagnosis import explain_csv
from demand.sources.manifest import REDELIVER, looks_like
from demand.sources.workbook import read_sheet


def parse(content: bytes, table: str, origin: str) -> pd.DataFrame:
    """The frame_ in the bytes of a raw file, its format told by the ending of `origin`; contracts come after.

    Raises DataError that names the origin and what is broken in it.
    """
    remark = looks_like(content)
    if remark:
        raise DataError(f"{origin}: expected the table {table}; got something else{remark}. {REDELIVER}")
    return _PARSERS[origin.rpartition(".")[2]](content, table, origin)


def _arrow_types(table: str) -> dict[str, pa.DataType]:
    """Arrow type per column of a table's contract."""
    kinds = {"f": pa.float64(), "M": pa.date32(), "i": pa.int64()}
    return {
        name: kinds.get(getattr(column.dtype.type, "kind", "T"), pa.string())
        for name, column in SCHEMAS[table].columns.items()
    }


def _pandas(table: pa.Table) -> pd.DataFrame:
    """The same table with dates as datetime64[us]; dates are never Python objects on the way."""
    schema = pa.schema(
        [
            field.with_type(pa.timestamp("us")) if pa.types.is_date(field.type) else field
            for field in table.schema
        ]
    )
    frame: pd.DataFrame = table.cast(schema).to_pandas()
    return frame


def _parse_csv(content: bytes, table: str, origin: str) -> pd.DataFrame:
    types = _arrow_types(table)
    header = _csv_header(content, origin)
    check_columns(list(types), header, origin)
    if header != list(types):
        raise DataError(
            f"{origin}: expected the column order {', '.join(types)}; got {', '.join(header)}. {REDELIVER}"
        )
    if not content.endswith(b"\n"):
        tail = content.rpartition(b"\n")[2][:80].decode(errors="replace")
        raise DataError(
            f"{origin}: expected a line end after the last row; the file stops at {tail!r}. {REDELIVER}"
        )
    try:
        read = pyarrow.csv.read_csv(
            io.BytesIO(content),
            parse_options=pyarrow.csv.ParseOptions(ignore_empty_lines=False),
            convert_options=pyarrow.csv.ConvertOptions(
                column_types=types, null_values=[""], strings_can_be_null=False
            ),
        )
    except pa.ArrowInvalid as error:
        raise explain_csv(content, types, origin, str(error)) from None
    for name in (name for name, kind in types.items() if pa.types.is_floating(kind)):
        if pc.any(pc.is_nan(read[name])).as_py():
            raise explain_csv(content, types, origin, f"NaN in column {name}")
    return _pandas(read)


def _csv_header(content: bytes, origin: str) -> list[str]:
    line = content.partition(b"\n")[0]
    try:
        return next(csv.reader([line.decode("utf-8-sig")]))
    except (UnicodeDecodeError, StopIteration) as error:
        raise DataError(
            f"{origin}: expected a header line in UTF-8; got {line[:60]!r} ({error}). {REDELIVER}"
        ) from None


def _parse_json_lines(content: bytes, table: str, origin: str) -> pd.DataFrame:
    types = _arrow_types(table)
    # Dates are read as text and cast strictly: the JSON reader would take "2017" or a time for a date.
    as_text = [(name, pa.string() if pa.types.is_date(kind) else kind) for name, kind in types.items()]
    options = pyarrow.json.ParseOptions(explicit_schema=pa.schema(as_text), unexpected_field_behavior="error")
    if not content.endswith(b"\n"):
        raise DataError(
            f"{origin}: expected a line end after the last object; the file is cut off. {REDELIVER}"
        )
    try:
        read = pyarrow.json.read_json(io.BytesIO(content), parse_options=options)
        return _pandas(read.select(list(types)).cast(pa.schema(list(types.items()))))
    except pa.ArrowInvalid as error:
        raise DataError(
            f"{origin}: expected one object per line with {', '.join(types)}; got {error}. {REDELIVER}"
        ) from None


def _parse_json(content: bytes, table: str, origin: str) -> pd.DataFrame:
    names = list(SCHEMAS[table].columns)
    try:
        rows = json.loads(content, object_pairs_hook=_distinct, parse_constant=_refuse_constant)
    except ValueError as error:
        raise DataError(f"{origin}: expected JSON; got {error}. {REDELIVER}") from None
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise DataError(f"{origin}: expected a list of objects with {', '.join(names)}. {REDELIVER}")
    wrong = [i for i, row in enumerate(rows) if set(row) != set(names)]
    if wrong:
        differs = ", ".join(sorted(set(rows[wrong[0]]) ^ set(names)))
        raise DataError(
            f"{origin}: expected exactly the keys {', '.join(names)} in every object; "
            f"{len(wrong)} of {len(rows)} differ, first row {wrong[0] + 1} in {differs}. {REDELIVER}"
        )
    return pd.DataFrame({name: _column([row[name] for row in rows]) for name in names})


def _column(values: list[Any]) -> pd.Series:
    """Numbers as float64 with NaN for null; anything else as it is, for the contract to judge."""
    if all(value is None or type(value) in (int, float) for value in values):
        return pd.Series([np.nan if value is None else value for value in values], dtype="float64")
    return pd.Series(values, dtype=object)


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(dict(pairs)) != len(pairs):
        raise ValueError(f"a key twice in one object: {', '.join(key for key, _ in pairs)}")
    return dict(pairs)


def _refuse_constant(constant: str) -> float:
    raise ValueError(f"{constant}, which is not JSON; null stands for what is not known")


def _parse_parquet(content: bytes, table: str, origin: str) -> pd.DataFrame:
    try:
        file = pq.ParquetFile(pa.BufferReader(content), page_checksum_verification=True)
        check_columns(list(SCHEMAS[table].columns), file.schema_arrow.names, origin)
        return _pandas(file.read())
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, OSError) as error:
        raise DataError(f"{origin}: expected an undamaged Parquet file; got {error}. {REDELIVER}") from None


def _parse_workbook(content: bytes, table: str, origin: str) -> pd.DataFrame:
    try:
        return read_sheet(content, _arrow_types(table), origin)
    except (zipfile.BadZipFile, KeyError, SyntaxError) as error:
        raise DataError(f"{origin}: expected an undamaged Excel workbook; got {error}. {REDELIVER}") from None


_PARSERS: dict[str, Callable[[bytes, str, str], pd.DataFrame]] = {
    "csv": _parse_csv,
    "jsonl": _parse_json_lines,
    "json": _parse_json,
    "parquet": _parse_parquet,
    "xlsx": _parse_workbook,
}
