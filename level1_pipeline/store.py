"""The files of a store: each is written whole or not at all, and one pointer names the bundle in use."""

import hashlib
import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from demand.errors import IntegrityError, UsageError
from demand.sources.publish import write_bytes

CURRENT = "current.json"
REPORT, GATE, RUN = "report.csv", "gate.csv", "run.json"
BACKTEST, FORECASTS = "backtest.parquet", "forecasts.parquet"


def write_json(content: Mapping[str, Any], path: Path) -> None:
    """Writes strict JSON; what is not a number is null."""
    write_bytes(path, (json.dumps(content, indent=1, allow_nan=False) + "\n").encode())


def write_csv(frame: pd.DataFrame, path: Path) -> None:
    """Writes UTF-8 CSV with every digit of its numbers, empty where not known."""
    write_bytes(path, frame.to_csv(index=False, lineterminator="\n").encode())


def write_parquet(frame: pd.DataFrame, path: Path) -> None:
    """Writes Parquet whose pages carry checksums; the same table gives the same bytes."""
    table = pa.Table.from_pandas(frame, preserve_index=False).replace_schema_metadata(None)
    out = io.BytesIO()
    pq.write_table(table, out, write_page_checksum=True, compression="zstd")
    write_bytes(path, out.getvalue())


def records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """One dict per row for JSON, None where a value is not known."""
    plain = frame.astype(object).where(frame.notna(), None)
    return [{str(name): value for name, value in row.items()} for row in plain.to_dict(orient="records")]


def sha256_of(path: Path) -> str:
    """sha256 of a file's bytes."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def bundle_folder(store: Path, version: str) -> Path:
    """Where the bundle of a model version lies."""
    return store / "bundle" / version


def point_at(store: Path, version: str) -> None:
    """Makes a bundle the one in use, in one step; scoring follows the pointer and nothing else."""
    sha256 = sha256_of(bundle_folder(store, version) / "manifest.json")
    write_json({"format": 1, "model_version": version, "manifest_sha256": sha256}, store / CURRENT)


def pointed_at(store: Path) -> str | None:
    """The version that the pointer names, whether it is still good or not; None where it names none."""
    try:
        return str(json.loads((store / CURRENT).read_bytes())["model_version"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def current_bundle(store: Path) -> Path:
    """The folder of the bundle in use; raises UsageError without one, IntegrityError for a changed one."""
    path = store / CURRENT
    if not path.is_file():
        raise UsageError(
            f"{store}: expected a store with a trained model; it has no {CURRENT}. Run `train` first."
        )
    try:
        content = json.loads(path.read_bytes())
        folder, expected = bundle_folder(store, str(content["model_version"])), content["manifest_sha256"]
    except (ValueError, KeyError, TypeError) as error:
        raise IntegrityError(f"{path}: expected a pointer to a bundle; got {error!r}. Train again.") from None
    manifest = folder / "manifest.json"
    got = sha256_of(manifest) if manifest.is_file() else "no file"
    if got != expected:
        raise IntegrityError(f"{manifest}: expected sha256 {expected}; got {got}. Train again.")
    return folder
