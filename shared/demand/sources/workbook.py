"""Excel workbooks of one sheet: read strictly, and written to the same bytes for the same table."""

import io
import re
import zipfile
from datetime import date, datetime
from typing import Any
from xml.etree.ElementTree import canonicalize

import openpyxl
import pandas as pd
import pyarrow as pa

from demand.contracts import check_columns
from demand.errors import DataError

FIXED_TIME = (1980, 1, 1, 0, 0, 0)


def read_sheet(content: bytes, types: dict[str, pa.DataType], origin: str) -> pd.DataFrame:
    """The frame_ of the only sheet, one row per line below the header; dates as datetime64[us].

    Raises DataError for more than one sheet, a damaged part, wrong columns, or a date cell that is none.
    """
    damaged = zipfile.ZipFile(io.BytesIO(content)).testzip()
    if damaged:
        raise zipfile.BadZipFile(f"bad checksum of its part {damaged}")
    book = openpyxl.load_workbook(io.BytesIO(content), data_only=True)
    if len(book.sheetnames) != 1:
        raise DataError(f"{origin}: expected one sheet; got {', '.join(book.sheetnames)}. Remove the others.")
    lines = [list(line) for line in book.worksheets[0].iter_rows(values_only=True)]
    header = [str(name) for name in lines[0]] if lines else []
    check_columns(list(types), header, origin)
    frame = pd.DataFrame(lines[1:], columns=header, dtype=object)[list(types)]
    dates = {name: _dates(frame[name], origin) for name, kind in types.items() if pa.types.is_date(kind)}
    return frame.assign(**dates)


def _dates(values: pd.Series, origin: str) -> pd.Series:
    days = [_date(value) for value in values]
    wrong = [i for i, day in enumerate(days) if day is False]
    if wrong:
        shown = ", ".join(f"row {i + 1}: {values.iloc[i]!r}" for i in wrong[:3])
        raise DataError(
            f"{origin}, column {values.name}: expected dates; "
            f"{len(wrong)} of {len(values)} rows differ, first {shown}. Format the cells as dates."
        )
    return pd.Series(days, index=values.index, dtype="datetime64[us]")


def _date(value: Any) -> Any:
    """A date, None for an empty cell, False for anything else."""
    if value is None or isinstance(value, date):
        return value
    try:
        return datetime.strptime(value, "%Y-%m-%d") if isinstance(value, str) else False
    except ValueError:
        return False


def write_sheet(frame: pd.DataFrame, title: str) -> bytes:
    """The bytes of a workbook with one sheet: dates as date cells, text as text, missing as empty cells."""
    book = openpyxl.Workbook()
    sheet = book.worksheets[0]
    sheet.title = title
    sheet.append(list(frame.columns))
    for row in frame.itertuples(index=False):
        sheet.append([None if pd.isna(value) else _cell(value) for value in row])
    out = io.BytesIO()
    book.save(out)
    return _timeless(out.getvalue())


def _cell(value: Any) -> Any:
    return value.date() if isinstance(value, pd.Timestamp) else value


def _timeless(content: bytes) -> bytes:
    """The same workbook without the time of writing, which would give each writing another hash."""
    out = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(content)) as source,
        zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as target,
    ):
        for name in sorted(source.namelist()):
            # openpyxl spells XML in another way where lxml is installed.
            text = canonicalize(source.read(name).decode())
            part = re.sub(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", "1980-01-01T00:00:00Z", text)
            info = zipfile.ZipInfo(name, FIXED_TIME)
            info.compress_type = zipfile.ZIP_DEFLATED
            target.writestr(info, part)
    return out.getvalue()
