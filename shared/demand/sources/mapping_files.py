"""Foreign files of several formats as tables; every column of a text file is text."""

import io
import zipfile
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from demand.errors import DataError
from demand.sources.foreign import checked_header, read_bytes, read_text_table
from demand.sources.mapping_config import FileFormat

TEXT_FILES, PARQUET_FILES, WORKBOOKS = (".csv", ".tsv", ".txt"), (".parquet", ".pq"), (".xlsx", ".xlsm")
SEPARATORS = (",", ";", "\t", "|")


def read_foreign(file: Path, form: FileFormat) -> pd.DataFrame:
    """The table in a CSV, Parquet or Excel file, told by the file's ending; index + 2 is the file's row.

    DataError: no file, empty, not of the format that its ending says, rows of unequal length.
    """
    ending = file.suffix.lower()
    if ending in TEXT_FILES:
        separator = form.separator or find_separator(read_bytes(file), form.encoding)
        return read_text_table(file, separator=separator, encoding=form.encoding)
    if ending in PARQUET_FILES:
        return _parquet(file)
    if ending in WORKBOOKS:
        return _workbook(file, form.sheet)
    raise DataError(
        f"{file.name}: expected a file ending in {', '.join((*TEXT_FILES, *PARQUET_FILES, *WORKBOOKS))}, "
        f"got {ending or 'no ending'}. Save it in one of these formats."
    )


def find_separator(raw: bytes, encoding: str) -> str:
    """The separator that occurs most often in the first line."""
    head = raw[:65536].decode(encoding, errors="replace").lstrip("\ufeff\r\n")
    first_line = head.splitlines()[0]
    return max(SEPARATORS, key=first_line.count)


def _parquet(file: Path) -> pd.DataFrame:
    try:
        table = pq.read_table(io.BytesIO(read_bytes(file)), page_checksum_verification=True)
    except (pa.ArrowInvalid, OSError) as error:
        raise DataError(f"{file.name}: expected a Parquet file, got: {error}. Export it again.") from error
    frame = checked_header(table.to_pandas(ignore_metadata=True), file)
    return frame.set_axis(range(-1, len(frame) - 1), axis="index")  # no header row to count


def _workbook(file: Path, sheet: str) -> pd.DataFrame:
    raw = read_bytes(file)
    try:
        with pd.ExcelFile(io.BytesIO(raw), engine="openpyxl") as book:
            if sheet and sheet not in book.sheet_names:
                raise DataError(
                    f"{file.name}: expected the sheet {sheet!r}, got {book.sheet_names}. Correct the mapping."
                )
            frame = pd.read_excel(book, sheet_name=sheet or book.sheet_names[0], dtype=object)
    except (zipfile.BadZipFile, KeyError, OSError) as error:
        raise DataError(
            f"{file.name}: expected an Excel workbook, got: {error}. Save it as .xlsx."
        ) from error
    return checked_header(frame.dropna(how="all"), file)
