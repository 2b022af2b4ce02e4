"""Reads a raw folder: every byte against the manifest, every table against its contract."""

from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

import pandas as pd

from demand.contracts import bad_rows, check, columns
from demand.errors import DataError, UsageError
from demand.sources.layout import DATA_SUFFIXES, Place, known_paths, place_of
from demand.sources.manifest import MANIFEST, REDELIVER, FileEntry, Manifest, read_manifest, read_verified
from demand.sources.parsing import parse
from demand.sources.publish import files_in
from demand.sources.references import check_references, known_ids
from demand.sources.tables import RawTables

Files = Mapping[str, Mapping[str, Place]]  # table -> relative path -> place


def read_raw(folder: Path, *, region: str | None = None) -> RawTables:
    """The raw tables of a folder, all of them or what one region needs.

    Raises DataError for the first file that is missing, not as the manifest says, or against its contract.
    """
    opened = open_raw(folder)
    return opened.tables(None) if region is None else opened.region(region)


def open_raw(folder: Path) -> "RawFolder":
    """A raw folder to be read region by region; its stores and products are read here, once.

    Raises DataError where these, or the manifest, are missing or broken.
    """
    manifest = read_manifest(folder)
    return RawFolder(folder, manifest, _places(folder, manifest))


def read_oracle(folder: Path) -> pd.DataFrame | None:
    """What the generator of synthetic data knows and no model may see; None for other data."""
    return open_raw(folder).optional("oracle", None)


def _places(folder: Path, manifest: Manifest) -> Files:
    """Table -> path -> place of every listed file; raises DataError for one listed wrongly or not listed."""
    found: dict[str, dict[str, Place]] = defaultdict(dict)
    for path in manifest.files:
        place = place_of(path)
        if place is None:
            raise DataError(
                f"{folder / MANIFEST}, files: expected paths like {known_paths()}; got {path!r}. {REDELIVER}"
            )
        found[place.table][path] = place
    for table in ("shipments", "stores", "products"):
        if not found[table]:
            raise DataError(
                f"{folder / MANIFEST}, files: expected a file for {table}; there is none. {REDELIVER}"
            )
    for table, paths in found.items():
        whole = [path for path, place in paths.items() if place.region is None]
        if whole and len(paths) > 1:
            raise DataError(
                f"{folder / MANIFEST}, files: {table} is there twice: {', '.join(sorted(paths))}. Keep one."
            )
    stray = [path for path in files_in(folder) if _is_stray(path, manifest)]
    if stray:
        raise DataError(
            f"{folder}: {len(stray)} files not in the manifest, first {', '.join(stray[:5])}. {REDELIVER}"
        )
    return found


def _is_stray(path: str, manifest: Manifest) -> bool:
    parts = PurePosixPath(path)
    hidden = any(part.startswith(".") for part in parts.parts)
    return path != MANIFEST and path not in manifest.files and not hidden and parts.suffix in DATA_SUFFIXES


class RawFolder:
    """The files of one raw folder, as its manifest was when it was opened.

    stores, products: their tables. regions: sorted names of those that have stores.
    """

    def __init__(self, folder: Path, manifest: Manifest, places: Files) -> None:
        self.folder, self.manifest, self.places = folder, manifest, places
        self.stores = self.required("stores", None)
        self.products = self.required("products", None)
        self.ids = known_ids(self.stores, self.products)
        self.regions = sorted(self.stores["region"].unique())

    def region(self, name: str) -> RawTables:
        """The raw tables that one region needs; raises DataError, and UsageError for an unknown region."""
        if name not in self.regions:
            raise UsageError(f"region: expected one of {', '.join(self.regions)}; got {name!r}.")
        return self.tables(name).region(name)

    def tables(self, region: str | None) -> RawTables:
        """The rows of all files, or of those that may hold rows of one region; raises DataError."""
        return RawTables(
            name=self.manifest.name,
            as_of=self.manifest.as_of,
            absent_week=self.manifest.absent_week,
            stores=self.stores,
            products=self.products,
            shipments=self.required("shipments", region),
            returns=self.optional("returns", region),
            shopper_demographics=self.optional("shopper_demographics", region),
            weather_history=self.optional("weather_history", region),
            weather_forecast=self.optional("weather_forecast", region),
            events=self.optional("events", region),
            prices=self.optional("prices", region),
        )

    def optional(self, table: str, region: str | None) -> pd.DataFrame | None:
        """The same as `required`, None for a table that the folder lacks."""
        return self.required(table, region) if self.places.get(table) else None

    def required(self, table: str, region: str | None) -> pd.DataFrame:
        """The rows of all files of a table, or of those that may hold rows of one region."""
        places = self.places[table]
        wanted = [path for path in sorted(places) if region is None or places[path].region in (None, region)]
        frames = [self._file(path, places[path]) for path in wanted]
        if not frames:
            return check(table, pd.DataFrame(columns=columns(table)), f"{self.folder}/{table}")
        if len(frames) == 1:
            return frames[0]
        return check(
            table, pd.concat(frames, ignore_index=True), f"{self.folder}, all files of {table} together"
        )

    def _file(self, path: str, place: Place) -> pd.DataFrame:
        origin = str(self.folder / path)
        entry: FileEntry = self.manifest.files[path]
        frame = check(
            place.table, parse(read_verified(self.folder, path, entry), place.table, origin), origin
        )
        if len(frame) != entry.rows:
            raise DataError(
                f"{origin}: expected {entry.rows} rows as the manifest says; got {len(frame)}. {REDELIVER}"
            )
        if place.table not in ("stores", "products"):
            check_references(place.table, frame, self.ids, self.manifest.as_of, origin)
        if place.region is not None:
            self._check_region(frame, place.region, origin)
        return frame

    def _check_region(self, frame: pd.DataFrame, region: str, origin: str) -> None:
        """Raises DataError if the file is of an unseen region or has rows of another region."""
        if region not in self.regions:
            seen = ", ".join(self.regions)
            raise DataError(
                f"{origin}: expected a region that the stores table has ({seen}); got {region!r}. {REDELIVER}"
            )
        key = "store_id" if "store_id" in frame.columns else "postal_code"
        own = self.stores.loc[self.stores["region"] == region, key]
        foreign = ~frame[key].isin(own).to_numpy()
        if foreign.any():
            what = "stores" if key == "store_id" else "postal codes of stores"
            raise bad_rows(frame, foreign, origin, key, f"only {what} of the region {region}")
