"""Writes a raw folder: the formats of the raw sources, and a manifest of every byte."""

import io
import json
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq

from demand.contracts import SCHEMAS, check
from demand.errors import UsageError
from demand.sources.layout import PATHS, place_of
from demand.sources.manifest import FileEntry, Manifest, entry_of, write_manifest
from demand.sources.publish import publishing, write_bytes
from demand.sources.references import check_raw
from demand.sources.tables import RawTables
from demand.sources.workbook import write_sheet


class RawWriter:
    """Writes tables file by file, so that a data set need not fit into memory; collects the manifest."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.files: dict[str, FileEntry] = {}

    def table(self, table: str, frame_: pd.DataFrame, path: str | None = None) -> None:
        """Writes one file; `path` where it is not the table's usual one, e.g. prices/north.parquet."""
        path = path or PATHS[table][0]
        place = place_of(path)
        if place is None or place.table != table or path in self.files:
            raise UsageError(f"{path}: expected a new path like {' or '.join(PATHS[table])}.")
        frame = check(table, frame_, f"{self.folder.name}/{path}")
        content = _ENCODERS[path.rpartition(".")[2]](frame, table)
        write_bytes(self.folder / path, content)
        self.files[path] = entry_of(content, len(frame))

    def shipments(self, region: str, frame: pd.DataFrame) -> None:
        """Writes the shipments of one region, one file per calendar year."""
        for year, part in frame.groupby(frame["week"].dt.year):
            self.table("shipments", part, f"shipments/{region}-{year}.csv")


@contextmanager
def writing_raw(folder: Path, *, name: str, as_of: date, absent_week: str = "zero") -> Iterator[RawWriter]:
    """A writer whose folder appears, whole and with its manifest, when the block ends without an error."""
    with publishing(folder) as part:
        writer = RawWriter(part)
        yield writer
        write_manifest(Manifest(name, as_of, writer.files, absent_week), part)


def write_raw(
    tables: RawTables, folder: Path, *, stores_format: str = "xlsx", oracle: pd.DataFrame | None = None
) -> None:
    """Writes all tables as a raw folder; the shipments by region and calendar year.

    Raises DataError if a table is against its contract, UsageError if `folder` holds files that are not ours.
    """
    raw = check_raw(tables)
    region_of = raw.shipments["store_id"].map(raw.stores.set_index("store_id")["region"])
    with writing_raw(folder, name=raw.name, as_of=raw.as_of, absent_week=raw.absent_week) as writer:
        for region, frame in raw.shipments.groupby(region_of):
            writer.shipments(str(region), frame)
        for table, frame in raw.tables():
            if table != "shipments":
                writer.table(table, frame, f"stores.{stores_format}" if table == "stores" else None)
        if oracle is not None:
            writer.table("oracle", oracle)


def _arrow(frame: pd.DataFrame) -> pa.Table:
    """The frame with dates as dates, and without the metadata that names library versions."""
    table = pa.Table.from_pandas(frame, preserve_index=False).replace_schema_metadata(None)
    fields = [_plain_field(field) for field in table.schema]
    return table.cast(pa.schema(fields))


def _plain_field(field: pa.Field) -> pa.Field:
    if pa.types.is_timestamp(field.type):
        return field.with_type(pa.date32())
    return field.with_type(pa.string()) if pa.types.is_large_string(field.type) else field


def _to_csv(frame: pd.DataFrame, table: str) -> bytes:
    header = (",".join(SCHEMAS[table].columns) + "\n").encode()
    try:
        return header + _csv_body(frame, "none")
    except pa.ArrowInvalid:  # a text holds a comma or a quote
        return header + _csv_body(frame, "needed")


def _csv_body(frame: pd.DataFrame, quoting: str) -> bytes:
    out = io.BytesIO()
    options = pyarrow.csv.WriteOptions(include_header=False, quoting_style=quoting)
    pyarrow.csv.write_csv(_arrow(frame), out, options)
    return out.getvalue()


def _to_json_lines(frame: pd.DataFrame, table: str) -> bytes:
    return "".join(json.dumps(row) + "\n" for row in _records(frame)).encode()


def _to_json(frame: pd.DataFrame, table: str) -> bytes:
    return (json.dumps(_records(frame), indent=1) + "\n").encode()


def _records(frame: pd.DataFrame) -> list[dict[Hashable, Any]]:
    """One dict per row, dates as ISO text, null where nothing is known; floats keep every bit."""
    dates = frame.select_dtypes("datetime").columns
    plain = frame.assign(**{name: frame[name].dt.strftime("%Y-%m-%d") for name in dates}).astype(object)
    return plain.where(frame.notna(), None).to_dict(orient="records")


def _to_parquet(frame: pd.DataFrame, table: str) -> bytes:
    out = io.BytesIO()
    pq.write_table(_arrow(frame), out, write_page_checksum=True, compression="zstd")
    return out.getvalue()


def _to_workbook(frame: pd.DataFrame, table: str) -> bytes:
    return write_sheet(frame, table)


_ENCODERS: dict[str, Callable[[pd.DataFrame, str], bytes]] = {
    "csv": _to_csv,
    "jsonl": _to_json_lines,
    "json": _to_json,
    "parquet": _to_parquet,
    "xlsx": _to_workbook,
}
