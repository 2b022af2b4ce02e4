"""Which file of a raw folder holds which table."""

import re
from typing import NamedTuple

# The file names that a table may have; {region} marks those that hold one region each.
PATHS: dict[str, tuple[str, ...]] = {
    "shipments": ("shipments/{region}-{delivery}.csv",),
    "returns": ("returns.jsonl", "returns/{region}.jsonl"),
    "stores": ("stores.xlsx", "stores.csv"),
    "shopper_demographics": ("shopper_demographics.json",),
    "weather_history": ("weather_history.parquet", "weather_history/{region}.parquet"),
    "weather_forecast": ("weather_forecast.parquet", "weather_forecast/{region}.parquet"),
    "events": ("events.csv",),
    "products": ("products.csv",),
    "prices": ("prices.parquet", "prices/{region}.parquet"),
    "oracle": ("oracle.parquet", "oracle/{region}.parquet"),
}
DATA_SUFFIXES = frozenset((".csv", ".json", ".jsonl", ".parquet", ".xlsx"))


class Place(NamedTuple):
    """The table that a file holds, and its region where it holds only one."""

    table: str
    region: str | None


def place_of(path: str) -> Place | None:
    """The place of a relative path in a raw folder; None if no table lives there."""
    for table, patterns in PATHS.items():
        for pattern in patterns:
            found = re.fullmatch(_as_regex(pattern), path)
            if found:
                return Place(table, found.groupdict().get("region"))
    return None


def _as_regex(pattern: str) -> str:
    return re.escape(pattern).replace(r"\{region\}", r"(?P<region>[^/]+)").replace(r"\{delivery\}", r"[^/-]+")


def known_paths() -> str:
    """All path patterns, for a message."""
    return ", ".join(pattern for patterns in PATHS.values() for pattern in patterns)
