"""Where a run's data lies: a raw folder, or a folder with the original files of a public set."""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import pandas as pd

from demand.errors import DataError, UsageError
from demand.sources import RawTables, open_raw, orange_juice, walmart
from demand.sources.manifest import MANIFEST


@dataclass(frozen=True)
class PublicSet:
    """An adapter, and the original files by which a folder of them is recognised, the telling one first."""

    read: Callable[[Path], RawTables]
    files: tuple[str, ...]


PUBLIC_SETS = {
    "walmart": PublicSet(walmart.read, ("train.csv", "stores.csv", "features.csv")),
    "orange-juice": PublicSet(orange_juice.read, ("yx.csv", "storedemo.csv")),
}


@dataclass(frozen=True)
class Delivery:
    """A data set that is ready to be read region by region, so that all of it need not fit into memory.

    as_of: Monday of the last week that counts as known. files: sha256 of each file by its path. rows: of all
    files. stores: the stores table. read: raw tables of one region, as of `as_of`; raises DataError.
    """

    name: str
    as_of: date
    files: Mapping[str, str]
    rows: int
    stores: pd.DataFrame
    read: Callable[[str], RawTables]

    @property
    def regions(self) -> list[str]:
        """Sorted names of the regions that have stores."""
        return sorted(self.stores["region"].unique())

    @property
    def data_hash(self) -> str:
        """sha256 of the hashes of all files and of the last known week."""
        content = {"as_of": self.as_of.isoformat(), "files": dict(self.files)}
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def open_delivery(folder: Path, as_of: date | None = None) -> Delivery:
    """The data set in a folder, as of the latest Monday up to `as_of`, or of its own last week.

    Raises DataError for a folder that is neither kind, a broken manifest, or data that end before that week.
    """
    kind = recognise(folder)
    delivery = _raw_folder(folder) if kind is None else _public_set(folder, PUBLIC_SETS[kind])
    return delivery if as_of is None else _until(delivery, as_of - timedelta(days=as_of.weekday()))


def recognise(folder: Path) -> str | None:
    """The name of the public set whose original files a folder holds, None for a raw folder."""
    if (folder / MANIFEST).is_file():
        return None
    for name, public in PUBLIC_SETS.items():
        if (folder / public.files[0]).is_file():
            return name
    sets = "; ".join(f"{name}: {', '.join(public.files)}" for name, public in PUBLIC_SETS.items())
    found = sorted(path.name for path in folder.iterdir())[:5] if folder.is_dir() else []
    raise DataError(
        f"{folder}: expected a raw folder with its {MANIFEST}, or the original files of a public set "
        f"({sets}); got {', '.join(found) or 'nothing'}. `data import --help` tells how to bring in others."
    )


def read_public_set(folder: Path, name: str | None) -> RawTables:
    """The raw tables of a public set's original files; recognised by their names where `name` is None."""
    found = name or recognise(folder)
    if found not in PUBLIC_SETS:
        wanted = ", ".join(PUBLIC_SETS)
        raise UsageError(f"{folder}: expected the original files of {wanted}; it is a raw folder already.")
    return PUBLIC_SETS[found].read(folder)


def _raw_folder(folder: Path) -> Delivery:
    raw = open_raw(folder)
    manifest = raw.manifest
    return Delivery(
        name=manifest.name,
        as_of=manifest.as_of,
        files={path: entry.sha256 for path, entry in manifest.files.items()},
        rows=sum(entry.rows for entry in manifest.files.values()),
        stores=raw.stores,
        read=raw.region,
    )


def _public_set(folder: Path, public: PublicSet) -> Delivery:
    raw = public.read(folder)
    hashes = {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in public.files}
    rows = sum(len(frame) for _, frame in raw.tables())
    return Delivery(raw.name, raw.as_of, hashes, rows, raw.stores, raw.region)


def _until(delivery: Delivery, as_of: date) -> Delivery:
    """The delivery as it would have been `as_of` an earlier Monday."""
    if as_of > delivery.as_of:
        raise DataError(
            f"{delivery.name}, as of: expected at most {delivery.as_of}, the last week delivered; got "
            f"{as_of}. Deliver newer data, or score as of an earlier date."
        )
    return Delivery(
        delivery.name,
        as_of,
        delivery.files,
        delivery.rows,
        delivery.stores,
        lambda region: delivery.read(region).until(as_of),
    )
