"""A fingerprint per region and year: tells which weeks of the past were restated since."""

import hashlib
from collections.abc import Mapping
from datetime import date

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from demand.contracts import check, columns

KEY = ["region", "store_id", "product_id", "week"]


def partition_hashes(weekly_: pd.DataFrame) -> dict[str, str]:
    """sha256 of the rows of each region and calendar year (of the Monday), by "region/year", sorted.

    The values alone count, not the order of rows or columns, the pandas dtypes, or the machine.
    """
    weekly = check("weekly", weekly_, "weekly").sort_values(KEY, ignore_index=True)
    years = weekly["week"].dt.year
    partition = weekly["region"] + "/" + years.map({year: str(year) for year in years.unique()})
    return {str(name): _hash(frame) for name, frame in weekly.groupby(partition, sort=True)}


def _hash(frame: pd.DataFrame) -> str:
    digest = hashlib.sha256()
    for name in columns("weekly"):
        digest.update(f"{name}:{len(frame)}:".encode())
        for part in _bytes_of(frame[name]):
            digest.update(part)
    return digest.hexdigest()


def _bytes_of(values: "pd.Series[float]") -> tuple[bytes, ...]:
    """The values as bytes that differ if and only if the values do."""
    if values.dtype.kind == "f":
        # One zero and one NaN, whichever bits they came with.
        numbers = np.where(np.isnan(values), np.nan, values.to_numpy() + 0.0)
        return (numbers.astype("<f8").tobytes(),)
    if values.dtype.kind == "M":
        return (values.to_numpy().astype("datetime64[us]").astype("<i8").tobytes(),)
    texts = pa.array(values, type=pa.large_string(), from_pandas=True)
    lengths = pc.binary_length(texts).to_numpy(zero_copy_only=False)
    return lengths.astype("<i8").tobytes(), "".join(texts.to_pylist()).encode()


def hashes_until(weekly: pd.DataFrame, hashes: Mapping[str, str], as_of: date) -> dict[str, str]:
    """The partition hashes as they would be if no week after `as_of` were there yet, sorted.

    hashes: those of the whole table; only the year of `as_of` is hashed again.
    """
    kept = {name: sha256 for name, sha256 in hashes.items() if year_of(name) < as_of.year}
    weeks = weekly["week"]
    cut = weekly[(weeks.dt.year == as_of.year) & (weeks <= pd.Timestamp(as_of))]
    return dict(sorted({**kept, **(partition_hashes(cut) if len(cut) else {})}.items()))


def restated(before: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    """Partitions ("region/year") that are not what they were, sorted; those gone or new among them."""
    return sorted(name for name in {*before, *now} if before.get(name) != now.get(name))


def year_of(partition: str) -> int:
    """The calendar year of a partition's name."""
    return int(partition.rpartition("/")[2])
