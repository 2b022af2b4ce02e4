"""What one step leaves for the next: folders that appear whole, and that are checked when they are read."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq

from demand.conditioning import Conditioned, read_partition_hashes, read_weekly, unit_means, write_weekly
from demand.contracts import check
from demand.errors import IntegrityError, UsageError
from demand.sources import RawTables
from demand.sources.publish import files_in, publishing
from level1_pipeline import store
from level1_pipeline.deliveries import Delivery
from level1_pipeline.regions import Part, Regions, panel_of
from level1_pipeline.work import Work

MANIFEST, DELIVERY, VALIDATED = "manifest.json", "delivery.json", "validated.json"
STORES, OUTLOOK = "stores.parquet", "outlook.parquet"
KEY = ["region", "store_id", "product_id", "week"]


@dataclass(frozen=True)
class Prepared:
    """What the steps up to validation leave: the delivery that was conditioned, and its regions."""

    delivery: Delivery
    regions: Regions
    unit_jump: float


@contextmanager
def writing(out: Path) -> Iterator[Path]:
    """A new empty folder that becomes `out`, with a manifest of its files, when the block ends.

    Raises UsageError where `out` holds files that no step wrote, DiskFullError.
    """
    with publishing(out) as part:
        yield part
        files = {name: {"sha256": store.sha256_of(part / name)} for name in files_in(part)}
        store.write_json({"format": 1, "files": files}, part / MANIFEST)


def opened(folder: Path, step: str) -> Path:
    """The folder that a step wrote, every file of it as it was written.

    Raises UsageError where that step did not run yet, IntegrityError where a file is not what it wrote.
    """
    path = folder / MANIFEST
    if not path.is_file():
        raise UsageError(f"{folder}: expected what `step {step}` leaves; got no {MANIFEST}. Run it first.")
    try:
        files = {name: entry["sha256"] for name, entry in json.loads(path.read_bytes())["files"].items()}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise IntegrityError(f"{path}: expected a manifest; got {error!r}. Do `step {step}` again.") from None
    found = {name: store.sha256_of(folder / name) for name in files_in(folder) if name != MANIFEST}
    bad = sorted(name for name in {*files, *found} if files.get(name) != found.get(name))
    if bad:
        raise IntegrityError(
            f"{folder}: expected the files that `step {step}` wrote; {len(bad)} are changed, missing or new, "
            f"first {bad[0]}. Run that step again, or `dvc checkout` to have them back."
        )
    return folder


def keep(folder: Path, name: str, value: Any) -> None:
    """Keeps what has no file format of its own; for the steps that follow, made of the same code."""
    Work(folder, "").keep(name, value)


def kept(folder: Path, name: str, step: str) -> Any:
    """What a step kept; raises IntegrityError where it cannot be read."""
    found = Work(folder, "").find(name)
    if found is None:
        raise IntegrityError(
            f"{folder}: expected the piece {name!r} of `step {step}`; got none that this code can read. "
            f"Run that step again."
        )
    return found


def write_region(conditioned: Conditioned, folder: Path) -> None:
    """Writes one region's tables, `weekly` by calendar year: a year that was restated is a changed file."""
    for year, weekly in conditioned.weekly.groupby(conditioned.weekly["week"].dt.year, sort=True):
        write_weekly(weekly, folder / str(year))
    store.write_parquet(conditioned.outlook, folder / OUTLOOK)


def read_region(folder: Path) -> Conditioned:
    """The tables of a region that `write_region` wrote."""
    weekly = pd.concat([read_weekly(year) for year in _years(folder)], ignore_index=True)
    outlook = pq.read_table(folder / OUTLOOK, page_checksum_verification=True).to_pandas()
    return Conditioned(
        weekly.sort_values(KEY, ignore_index=True), check("outlook", outlook, str(folder / OUTLOOK)), ()
    )


def region_hashes(folder: Path) -> dict[str, str]:
    """Content hashes of a region's `weekly`, by "region/year"."""
    return {name: sha256 for year in _years(folder) for name, sha256 in read_partition_hashes(year).items()}


def write_delivery(
    delivery: Delivery, rows: Mapping[str, int], refused: Mapping[str, str], folder: Path
) -> None:
    """Writes what later steps ask of a delivery; rows: of shipments, of each region that was conditioned."""
    content = {
        "format": 1,
        "name": delivery.name,
        "as_of": delivery.as_of.isoformat(),
        "rows": delivery.rows,
        "files": dict(delivery.files),
        "regions": dict(rows),
        "refused": dict(refused),
    }
    store.write_json(content, folder / DELIVERY)
    store.write_parquet(delivery.stores, folder / STORES)


def read_delivery(folder: Path) -> tuple[Delivery, dict[str, int], dict[str, str]]:
    """What `write_delivery` wrote: the delivery, shipments rows by region, and why regions were refused."""
    content = json.loads((folder / DELIVERY).read_bytes())
    stores = check("stores", pd.read_parquet(folder / STORES), str(folder / STORES))
    as_of = date.fromisoformat(content["as_of"])
    delivery = Delivery(content["name"], as_of, content["files"], content["rows"], stores, _not_raw)
    return delivery, content["regions"], content["refused"]


def read_prepared(conditioned: Path, validated: Path) -> Prepared:
    """The regions that both steps let pass, as panels.

    Raises UsageError where one of them was not run, IntegrityError where they do not belong together.
    """
    delivery, rows, _ = read_delivery(opened(conditioned, "condition"))
    found = json.loads((opened(validated, "validate") / VALIDATED).read_bytes())
    if found["of"] != store.sha256_of(conditioned / MANIFEST):
        raise IntegrityError(
            f"{validated}: expected the validation of {conditioned}; it is of other tables. "
            f"Run `step validate` again."
        )
    parts = {region: _part(delivery, conditioned / region, rows[region]) for region in found["kept"]}
    return Prepared(delivery, Regions(parts, found["refused"]), float(found["unit_jump"]))


def _part(delivery: Delivery, folder: Path, rows_raw: int) -> Part:
    conditioned = read_region(folder)
    weekly = conditioned.weekly
    return Part(
        panel=panel_of(conditioned, delivery),
        partitions=region_hashes(folder),
        then={},  # `dvc diff` compares years with those of another commit
        means=unit_means(weekly),
        rows_raw=rows_raw,
        rows_weekly=len(weekly),
    )


def _years(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.is_dir())


def _not_raw(region: str) -> RawTables:
    raise UsageError(f"region {region}: expected a raw folder to read from; this one is conditioned.")
