"""Your own tables: one retail file (CSV, Parquet or Excel) and a short mapping become raw tables."""

from dataclasses import asdict
from pathlib import Path

import numpy as np
import pandas as pd

from demand.errors import DataError
from demand.sources.foreign import undated
from demand.sources.mapping_config import REQUIRED, TableMapping, Units, load_mapping
from demand.sources.mapping_files import read_foreign
from demand.sources.mapping_starter import misfit
from demand.sources.mapping_values import dates, ids, numbers, shares
from demand.sources.mapping_weeks import SERIES, find_grain, refuse_repeated_weeks, weekly_flows, with_weeks
from demand.sources.references import check_raw
from demand.sources.tables import RawTables

EVERYWHERE = "all"  # the region and category of a file that tells none
UNKNOWN_PRICE_USD = 1.0
PRICE_DECIMALS = 6
VOLUME_WEEKS = 52  # a store is large or small by its first weeks, so that no later origin sees its own future


def import_table(file: Path, mapping: Path | None) -> tuple[RawTables, tuple[str, ...]]:
    """Raw tables of a retail file of receipts, days or weeks, and notes on what was found and left out.

    Without a mapping, or with one that does not fit, DataError shows the file's columns and a mapping to
    start from. DataError too for values that are not what their column holds; UsageError for a mapping that
    is wrong in itself.
    """
    wanted = load_mapping(mapping) if mapping is not None else TableMapping()
    frame = read_foreign(file, wanted.file)
    _check_fit(frame, wanted, file.name)
    rows = _rows(frame, wanted, file.name)
    grain = find_grain(rows) if wanted.options.grain == "auto" else wanted.options.grain
    try:
        placed, dropped = with_weeks(rows, wanted.options, grain)
    except DataError as error:
        raise DataError(f"{file.name}: {error}") from None
    if grain == "weekly":
        refuse_repeated_weeks(placed, file.name)
    flows = weekly_flows(placed)
    raw = RawTables(
        name=wanted.options.name or file.stem,
        as_of=placed["week"].max().date(),
        absent_week=wanted.options.absent_week,
        shipments=flows.shipments,
        returns=None if flows.returns.empty else flows.returns,
        stores=_stores(placed, flows.shipments, file.name),
        products=_products(placed, file.name),
        prices=_prices(placed),
    )
    return check_raw(raw), (*_notes(placed, grain, wanted, flows.unplaced), *dropped)


def _check_fit(frame: pd.DataFrame, mapping: TableMapping, origin: str) -> None:
    named = {field: column for field, column in asdict(mapping.columns).items() if column}
    unnamed = [field for field in REQUIRED if field not in named]
    if unnamed:
        raise misfit(
            frame, origin, f"expected a mapping that names the columns for {', '.join(unnamed)}, got none."
        )
    absent = [f"{field} = {column!r}" for field, column in named.items() if column not in frame.columns]
    if absent:
        raise misfit(frame, origin, f"expected the columns of the mapping, got no {', '.join(absent)}.")


def _rows(frame: pd.DataFrame, mapping: TableMapping, origin: str) -> pd.DataFrame:
    """One row per row of the file: store_id, product_id, date, quantity in units, and what else is mapped."""
    names, marks = mapping.columns, mapping.file
    rows = pd.DataFrame(
        {
            "store_id": ids(frame[names.store], origin),
            "product_id": ids(frame[names.product], origin),
            "date": dates(frame[names.date], origin, marks.date_format),
            "quantity": _in_units(numbers(frame[names.quantity], origin, marks), mapping.units),
        }
    )
    texts = {"region": names.region, "format": names.format, "category": names.category}
    more = {field: ids(frame[column], origin) for field, column in texts.items() if column}
    plans = {"feature": names.feature, "deal": names.deal}
    more |= {field: shares(frame[column], origin, marks) for field, column in plans.items() if column}
    if names.price:
        more["price"] = numbers(frame[names.price], origin, marks, optional=True)
    return rows.assign(**more)


def _in_units(quantity: pd.Series, units: Units) -> pd.Series:
    if units.quantity == "log":
        units_sold: pd.Series = np.exp(quantity)
        return units_sold
    return quantity / units.dollars_per_unit if units.quantity == "dollars" else quantity


def _stores(rows: pd.DataFrame, shipments: pd.DataFrame, origin: str) -> pd.DataFrame:
    stores = pd.DataFrame({"store_id": sorted(rows["store_id"].unique())})
    size = _one_each(rows, "store_id", "format", origin) if "format" in rows else _by_volume(shipments)
    region = _one_each(rows, "store_id", "region", origin) if "region" in rows else None
    return stores.assign(
        region=EVERYWHERE if region is None else stores["store_id"].map(region),
        format=stores["store_id"].map(size.str.lower()),
        postal_code="unknown",
        opened=undated(stores.index),
        closed=undated(stores.index),
    )


def _by_volume(shipments: pd.DataFrame) -> pd.Series:
    """Large or small per store_id: the mean weekly units of its first year, split at the median store."""
    weekly = shipments.groupby(["store_id", "week"])["units_shipped"].sum()
    volume = weekly.groupby("store_id").head(VOLUME_WEEKS).groupby("store_id").mean()
    return pd.Series(np.where(volume >= volume.median(), "large", "small"), index=volume.index)


def _products(rows: pd.DataFrame, origin: str) -> pd.DataFrame:
    products = pd.DataFrame({"product_id": sorted(rows["product_id"].unique())})
    category = _one_each(rows, "product_id", "category", origin) if "category" in rows else None
    return products.assign(
        category=EVERYWHERE if category is None else products["product_id"].map(category),
        pack_size=float("nan"),
        launched=undated(products.index),
        delisted=undated(products.index),
    )


def _one_each(rows: pd.DataFrame, key: str, field: str, origin: str) -> pd.Series:
    """The one value of `field` per key; DataError where a key has several."""
    pairs = rows[[key, field]].drop_duplicates()
    several = pairs[pairs.duplicated(key, keep=False)].sort_values([key, field])
    if not several.empty:
        first = several.groupby(key)[field].agg(", ".join).head(3)
        shown = "; ".join(f"{name}: {values}" for name, values in first.items())
        raise DataError(
            f"{origin}, {field}: expected one value per {key}, got several for "
            f"{several[key].nunique()} ({shown}). Correct the file, or leave {field} out of the mapping."
        )
    return pairs.set_index(key)[field]


def _prices(rows: pd.DataFrame) -> pd.DataFrame | None:
    """Weekly price per unit, weighted by units sold, and mean feature and deal; None if the file has none."""
    if not {"price", "feature", "deal"} & set(rows.columns):
        return None
    told = rows.assign(
        price=rows.get("price", UNKNOWN_PRICE_USD),
        feature=rows.get("feature", 0.0),
        deal=rows.get("deal", 0.0),
    ).dropna(subset=["price"])
    weighed = told.assign(weight=told["quantity"].clip(lower=0.0)).assign(
        spent=lambda t: t["price"] * t["weight"], plain=told["price"]
    )
    sums = weighed.groupby([*SERIES, "week"], as_index=False).agg(
        {"spent": "sum", "weight": "sum", "plain": "mean", "feature": "mean", "deal": "mean"}
    )
    sold = sums["weight"] > 0.0
    price = (sums["spent"] / sums["weight"].where(sold)).where(sold, sums["plain"]).round(PRICE_DECIMALS)
    return sums[[*SERIES, "week"]].assign(price_usd=price, feature=sums["feature"], deal=sums["deal"])


def _notes(rows: pd.DataFrame, grain: str, mapping: TableMapping, unplaced: float) -> tuple[str, ...]:
    notes = [f"grain: {grain}; weeks from {rows['week'].min():%Y-%m-%d} to {rows['week'].max():%Y-%m-%d}"]
    if grain == "weekly" and rows["date"].iloc[0].weekday() != 0 and mapping.options.week_begins == "monday":
        day = f"{rows['date'].iloc[0]:%A}"
        notes.append(f"weekly dates fall on a {day}: each is taken as the Monday to Sunday that holds it")
    if unplaced:
        notes.append(f"{unplaced:g} units came back before the file saw any go out: left out")
    if "price" not in rows and ("feature" in rows or "deal" in rows):
        notes.append("no price in the file: a price of 1 stands for it in every week")
    return tuple(notes)
