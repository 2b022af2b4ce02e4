"""Faults that are put into a region's raw tables from some week on, as deliveries have brought them."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd

from demand.sources import RawTables

DAYS = pd.Timedelta(days=7)
AHEAD = pd.Timedelta(days=63)  # of weather forecasts


def tripled(raw: RawTables, week: pd.Timestamp) -> RawTables:
    """Units in another unit: three times as many."""
    return _scaled(raw, week, 3.0)


def shifted_up(raw: RawTables, week: pd.Timestamp) -> RawTables:
    return _scaled(raw, week, 1.2)


def shifted_down(raw: RawTables, week: pd.Timestamp) -> RawTables:
    return _scaled(raw, week, 0.8)


def new_products(raw: RawTables, week: pd.Timestamp) -> RawTables:
    """A quarter of the products give way to new ones, which sell as the old ones did."""
    old = sorted(raw.products["product_id"])[::4]
    names = {name: f"N{name}" for name in old}
    added = raw.products[raw.products["product_id"].isin(old)].assign(category="novelties")
    added["product_id"] = added["product_id"].map(names)
    found = replace(raw, products=pd.concat([raw.products, added], ignore_index=True))
    for table in ("shipments", "returns", "prices"):
        frame = getattr(raw, table)
        if frame is not None:
            late = (frame["week"] >= week) & frame["product_id"].isin(old)
            ids = frame["product_id"].mask(late, frame["product_id"].map(names))
            found = replace(found, **{table: frame.assign(product_id=ids)})
    return found


def swapped_products(raw: RawTables, week: pd.Timestamp) -> RawTables:
    """The same products, but each sells as much as another did: the first as the last, and so on."""
    names = sorted(raw.products["product_id"])
    other = dict(zip(names, names[::-1], strict=True))
    found = raw
    for table in ("shipments", "returns"):
        frame = getattr(raw, table)
        if frame is not None:
            ids = frame["product_id"].map(other)
            ids = frame["product_id"].mask(frame["week"] >= week, ids)
            found = replace(found, **{table: frame.assign(product_id=ids)})
    return found


def fahrenheit(raw: RawTables, week: pd.Timestamp) -> RawTables:
    """Temperatures in degrees Fahrenheit, where degrees Celsius are expected."""
    found = raw
    for table in ("weather_history", "weather_forecast"):
        frame = getattr(raw, table)
        if frame is not None:
            late = frame["date"] >= week
            columns = {
                name: frame[name].where(~late, frame[name] * 1.8 + 32)
                for name in ("temp_min_c", "temp_max_c")
            }
            found = replace(found, **{table: frame.assign(**columns)})
    return found


def late_promotions(raw: RawTables, week: pd.Timestamp) -> RawTables:
    """The plan has every promotion, and its price, a week later than the stores carry it out."""
    plan = raw.prices
    moved = plan.assign(week=plan["week"] + DAYS)
    keys = ["store_id", "product_id", "week"]
    before = plan[plan["week"] < week]
    after = plan.loc[plan["week"] >= week, keys].merge(moved, on=keys, how="inner")
    return replace(raw, prices=pd.concat([before, after], ignore_index=True))


def _scaled(raw: RawTables, week: pd.Timestamp, factor: float) -> RawTables:
    found = raw
    for table, column in (("shipments", "units_shipped"), ("returns", "units_returned")):
        frame = getattr(raw, table)
        if frame is not None:
            units = np.where(frame["week"] >= week, np.round(frame[column] * factor), frame[column])
            found = replace(found, **{table: frame.assign(**{column: units})})
    return found


Fault = Callable[[RawTables, pd.Timestamp], RawTables]
FAULTS: dict[str, Fault] = {
    "unit x3": tripled,
    "mean +20 %": shifted_up,
    "mean -20 %": shifted_down,
    "new products": new_products,
    "swapped products": swapped_products,
    "weather in Fahrenheit": fahrenheit,
    "promotions a week late": late_promotions,
}
KNOWN_BEFORE = ("promotions a week late",)  # a wrong plan was in every forecast, not only in those made since
