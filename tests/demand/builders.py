"""Tiny raw tables by hand: 2 regions, 4 stores, 4 products, 60 weeks, seeded."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from demand.errors import DataError
from demand.sources import RawTables, read_raw

WEEKS = 60
START = date(2017, 1, 2)
STORES = ("S1", "S2", "S3", "S4")
PRODUCTS = ("P1", "P2", "P3", "P4")


def monday(week: int, start: date = START) -> pd.Timestamp:
    """The Monday of a week, counted from 0."""
    return pd.Timestamp(start + timedelta(weeks=week))


def raw_tables(*, weeks: int = WEEKS, start: date = START, **changes: Any) -> RawTables:
    """Every table, whole and right; S1, S2 in north, S3, S4 in south; `changes` replace tables."""
    raw = RawTables(
        name="built",
        as_of=monday(weeks - 1, start).date(),
        shipments=shipments(weeks, start),
        returns=returns(weeks, start),
        stores=stores(),
        products=products(),
        shopper_demographics=demographics(),
        weather_history=weather(start, weeks * 7),
        weather_forecast=weather(monday(weeks, start).date(), 14),
        events=events(start),
        prices=prices(weeks + 8, start),
    )
    return replace(raw, **changes)


def grid(weeks: int, start: date) -> pd.DataFrame:
    """One row per store, product, week."""
    mondays = [monday(week, start) for week in range(weeks)]
    index = pd.MultiIndex.from_product([STORES, PRODUCTS, mondays], names=["store_id", "product_id", "week"])
    return index.to_frame(index=False)


def shipments(weeks: int = WEEKS, start: date = START) -> pd.DataFrame:
    frame = grid(weeks, start)
    level = frame["product_id"].str[1].astype(int) * 10.0
    return frame.assign(units_shipped=np.random.default_rng(7).poisson(level) + 1.0)


def returns(weeks: int = WEEKS, start: date = START) -> pd.DataFrame:
    """One unit comes back in every tenth series-week."""
    return grid(weeks, start).iloc[::10].reset_index(drop=True).assign(units_returned=1.0)


def stores() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "store_id": STORES,
            "region": ["north", "north", "south", "south"],
            "format": ["large", "small", "large", "small"],
            "postal_code": ["01234", "01235", "60601", "60602"],
            "opened": pd.to_datetime(["2010-05-01", None, "2012-03-02", None]),
            "closed": pd.to_datetime([None] * 4),
        }
    )


def products() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "product_id": PRODUCTS,
            "category": ["juice", "juice", "bread", "bread"],
            "pack_size": [1.0, 6.0, None, 1.0],
            "launched": pd.to_datetime([None, "2016-01-01", None, None]),
            "delisted": pd.to_datetime([None] * 4),
        }
    )


def demographics() -> pd.DataFrame:
    """Three of the four stores, one of them with unknown income."""
    return pd.DataFrame(
        {
            "store_id": STORES[:3],
            "population": [1000.0, 2000.0, 3000.0],
            "median_income_usd": [50_000.0, None, 70_000.0],
            "household_size": [2.5, 2.0, 3.1],
            "share_age_0_17": [0.2, 0.25, 0.3],
            "share_age_18_34": [0.3, 0.25, 0.2],
            "share_age_35_59": [0.3, 0.3, 0.3],
            "share_age_60_plus": [0.2, 0.2, 0.2],
        }
    )


def weather(start: date, days: int) -> pd.DataFrame:
    """Daily weather: minimum 10 + day of week (Monday 0), maximum 10 more, 1 mm a day, unknown on Sundays."""
    dates = pd.date_range(start, periods=days)
    frame = pd.MultiIndex.from_product(
        [stores()["postal_code"], dates], names=["postal_code", "date"]
    ).to_frame(index=False)
    low = 10.0 + frame["date"].dt.day_of_week
    rain = pd.Series(1.0, index=frame.index).where(frame["date"].dt.day_of_week != 6)
    return frame.assign(temp_min_c=low, temp_max_c=low + 10, precipitation_mm=rain)


def events(start: date = START) -> pd.DataFrame:
    """Week 1: a holiday everywhere on its Wednesday; week 2: north has a two-day sport and a promotion."""
    first = pd.Timestamp(start)
    days = [(9, 9), (14, 15), (14, 20), (21, 27)]
    return pd.DataFrame(
        {
            "region": ["*", "north", "north", "south"],
            "start": [first + pd.Timedelta(days=low) for low, _ in days],
            "end": [first + pd.Timedelta(days=high) for _, high in days],
            "name": ["Founders Day", "Cup final", "Spring deals", "Term starts"],
            "kind": ["holiday", "sport", "promotion", "school"],
        }
    )


def prices(weeks: int, start: date = START) -> pd.DataFrame:
    """The price plan, 8 weeks past the last: 2.00, and 1.50 with a full feature in every eighth week."""
    frame = grid(weeks, start)
    week = (frame["week"] - pd.Timestamp(start)).dt.days // 7
    featured = week % 8 == 5
    return frame.assign(price_usd=np.where(featured, 1.5, 2.0), feature=featured.astype(float), deal=0.0)


def replace_file(folder: Path, path: str, content: bytes, rows: int | None = None) -> None:
    """Puts other bytes into a raw folder and signs them in its manifest, so that the hash is right."""
    (folder / path).write_bytes(content)
    manifest = json.loads((folder / "manifest.json").read_text())
    entry = manifest["files"][path]
    entry |= {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}
    entry["rows"] = entry["rows"] if rows is None else rows
    (folder / "manifest.json").write_text(json.dumps(manifest))


def edit_file(folder: Path, path: str, edit: Callable[[str], str]) -> None:
    """Edits the text of a file in a raw folder and signs it, rows as before."""
    replace_file(folder, path, edit((folder / path).read_text()).encode())


def read_refusal(folder: Path) -> str:
    """The message with which the reader refuses a raw folder."""
    with pytest.raises(DataError) as caught:
        read_raw(folder)
    return str(caught.value)


def own(frame: pd.DataFrame, store: str = "S1", product: str = "P1") -> pd.DataFrame:
    """The rows of one series, by week."""
    return frame.query("store_id == @store and product_id == @product").set_index("week")
