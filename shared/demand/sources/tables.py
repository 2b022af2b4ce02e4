"""The raw tables of one data set, in memory, whatever they came from."""

from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from datetime import date, timedelta
from typing import Any

import pandas as pd

from demand.errors import DataError, UsageError

OPTIONAL = ("returns", "shopper_demographics", "weather_history", "weather_forecast", "events", "prices")
TABLES = ("stores", "products", "shipments", *OPTIONAL)
ABSENT_WEEK = ("zero", "unknown")
EVERY_REGION = "*"


@dataclass(frozen=True, kw_only=True)
class RawTables:
    """Raw tables as their contracts describe them; None where a data set lacks one.

    as_of: the Monday on which the last delivered week starts.
    absent_week: what a week without a shipments row inside a series' life means, "zero" units or "unknown".
    """

    name: str
    as_of: date
    shipments: pd.DataFrame
    stores: pd.DataFrame
    products: pd.DataFrame
    returns: pd.DataFrame | None = None
    shopper_demographics: pd.DataFrame | None = None
    weather_history: pd.DataFrame | None = None
    weather_forecast: pd.DataFrame | None = None
    events: pd.DataFrame | None = None
    prices: pd.DataFrame | None = None
    absent_week: str = "zero"

    def __post_init__(self) -> None:
        if self.as_of.weekday() != 0:
            raise DataError(
                f"{self.name}, as_of: expected the Monday on which the last delivered week starts; "
                f"got {self.as_of} ({self.as_of:%A}). Name that week's Monday."
            )
        if self.absent_week not in ABSENT_WEEK:
            raise DataError(
                f"{self.name}, absent_week: expected {' or '.join(ABSENT_WEEK)}; got {self.absent_week!r}."
            )

    def tables(self) -> Iterator[tuple[str, pd.DataFrame]]:
        """Name and frame of every table that is there."""
        for field in fields(self):
            value = getattr(self, field.name)
            if isinstance(value, pd.DataFrame):
                yield field.name, value

    def region(self, name: str) -> "RawTables":
        """The rows that one region needs, out of every table; raises UsageError for an unknown region."""
        if name not in regions(self):
            raise UsageError(f"region: expected one of {', '.join(regions(self))}; got {name!r}.")
        stores = self.stores[self.stores["region"] == name]
        by = {"store_id": stores["store_id"].unique(), "postal_code": stores["postal_code"].unique()}
        parts: dict[str, Any] = {
            table: _rows_of(frame, by)
            for table, frame in self.tables()
            if table not in ("products", "events")
        }
        if self.events is not None:
            parts["events"] = self.events[self.events["region"].isin([name, EVERY_REGION])]
        return replace(self, **{table: frame.reset_index(drop=True) for table, frame in parts.items()})

    def until(self, as_of: date) -> "RawTables":
        """The tables as of the week of an earlier Monday: later shipments and returns are not known yet.

        Plans stay, and later weather counts as its forecast. Raises DataError for a week after the last one.
        """
        if as_of > self.as_of:
            raise DataError(
                f"{self.name}, as_of: expected at most {self.as_of}, the last week delivered; got {as_of}. "
                f"Deliver newer data, or name an earlier week."
            )
        parts: dict[str, Any] = {"as_of": as_of}
        end = pd.Timestamp(as_of + timedelta(days=7))
        for table in ("shipments", "returns"):
            frame = getattr(self, table)
            parts[table] = frame if frame is None else frame[frame["week"] < end].reset_index(drop=True)
        if self.weather_history is not None:
            later = self.weather_history["date"] >= end
            ahead = [self.weather_history[later], self.weather_forecast]
            parts["weather_history"] = self.weather_history[~later].reset_index(drop=True)
            parts["weather_forecast"] = pd.concat(ahead).drop_duplicates(["postal_code", "date"])
        return replace(self, **parts)


def _rows_of(frame: pd.DataFrame, by: dict[str, Any]) -> pd.DataFrame:
    column = next(column for column in by if column in frame.columns)
    return frame[frame[column].isin(by[column])]


def regions(raw: RawTables) -> list[str]:
    """Sorted names of the regions that have stores."""
    return sorted(raw.stores["region"].unique())


def absent_regions(raw: RawTables) -> list[str]:
    """Sorted names of the regions that have stores and not one shipments row: reported, never forecast."""
    shipping = raw.stores["store_id"].isin(raw.shipments["store_id"].unique())
    return sorted(set(regions(raw)) - set(raw.stores.loc[shipping, "region"]))
