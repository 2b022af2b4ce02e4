"""Keeps `weekly` in files: Parquet by region, and a CSV file for those who read no Parquet."""

import hashlib
import io
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq

from demand.conditioning.hashes import partition_hashes
from demand.contracts import check
from demand.errors import IntegrityError, UsageError
from demand.sources.publish import publishing, write_bytes

MANIFEST = "manifest.json"
REBUILD = "Condition the raw data again."


def write_weekly(weekly_: pd.DataFrame, folder: Path) -> dict[str, str]:
    """The partition hashes of `weekly`, written as one Parquet file per region; the folder appears whole.

    manifest.json beside them holds sha256 and rows of every file, and the partition hashes.
    Raises DataError for a broken contract, UsageError if `folder` holds other files.
    """
    weekly = check("weekly", weekly_, "weekly")
    hashes = partition_hashes(weekly)
    files = {}
    with publishing(folder) as part:
        for region, frame in weekly.groupby("region", sort=True):
            content = _to_parquet(frame)
            write_bytes(part / f"{region}.parquet", content)
            files[f"{region}.parquet"] = {"sha256": hashlib.sha256(content).hexdigest(), "rows": len(frame)}
        manifest = {"format": 1, "files": files, "partitions": hashes}
        write_bytes(part / MANIFEST, (json.dumps(manifest, indent=1) + "\n").encode())
    return hashes


def read_weekly(folder: Path, regions: Iterable[str] | None = None) -> pd.DataFrame:
    """`weekly` of all regions, or of those named, in the order of region, store_id, product_id, week.

    Raises IntegrityError if a file is not the one that was written, UsageError for an unknown region.
    """
    files = _manifest(folder)["files"]
    known = [path.removesuffix(".parquet") for path in files]
    wanted = sorted(known if regions is None else set(regions))
    unknown = sorted(set(wanted) - set(known))
    if unknown:
        raise UsageError(f"region: expected one of {', '.join(known)}; got {', '.join(unknown)}.")
    frames = [_read(folder / f"{region}.parquet", files[f"{region}.parquet"]) for region in wanted]
    return check("weekly", pd.concat(frames, ignore_index=True), str(folder))


def read_partition_hashes(folder: Path) -> dict[str, str]:
    """The partition hashes that were written with `weekly`, by "region/year"; raises IntegrityError."""
    return dict(_manifest(folder)["partitions"])


def export_csv(weekly_: pd.DataFrame, path: Path) -> None:
    """Writes `weekly` as one UTF-8 CSV file in the standard form: dates ISO, empty where not known."""
    weekly = check("weekly", weekly_, "weekly")
    out = io.BytesIO()
    pyarrow.csv.write_csv(_arrow(weekly), out, pyarrow.csv.WriteOptions(quoting_header="none"))
    write_bytes(path, out.getvalue())


def _manifest(folder: Path) -> dict[str, Any]:
    path = folder / MANIFEST
    try:
        content = json.loads(path.read_bytes())
        return {"files": dict(content["files"]), "partitions": dict(content["partitions"])}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise IntegrityError(
            f"{path}: expected the manifest of a weekly folder; got {error}. {REBUILD}"
        ) from None


def _read(path: Path, entry: dict[str, Any]) -> pd.DataFrame:
    content = path.read_bytes() if path.is_file() else b""
    got = hashlib.sha256(content).hexdigest()
    if got != entry["sha256"]:
        raise IntegrityError(f"{path}: expected sha256 {entry['sha256']}; got {got}. {REBUILD}")
    try:
        file = pq.ParquetFile(pa.BufferReader(content), page_checksum_verification=True)
        table = file.read()
    except (pa.ArrowInvalid, OSError) as error:
        raise IntegrityError(f"{path}: expected an undamaged Parquet file; got {error}. {REBUILD}") from None
    days = table.column("week").cast(pa.timestamp("us"))
    frame: pd.DataFrame = table.set_column(table.column_names.index("week"), "week", days).to_pandas()
    return frame


def _arrow(frame: pd.DataFrame) -> pa.Table:
    table = pa.Table.from_pandas(frame, preserve_index=False).replace_schema_metadata(None)
    return table.set_column(table.column_names.index("week"), "week", table.column("week").cast(pa.date32()))


def _to_parquet(frame: pd.DataFrame) -> bytes:
    out = io.BytesIO()
    pq.write_table(_arrow(frame), out, write_page_checksum=True, compression="zstd")
    return out.getvalue()
