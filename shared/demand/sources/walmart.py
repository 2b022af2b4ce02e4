"""Walmart's weekly department sales (Walmart Recruiting, Store Sales Forecasting) as raw tables.

The set's weeks run from Saturday to Friday and carry the Friday's date. Every date is moved two days on, so
they become Monday weeks: the week dated Friday 2010-02-12 is the week of Monday 2010-02-08, and a holiday
stays in the week in which the set sold for it.
"""

from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd

from demand.errors import DataError
from demand.sources.foreign import (
    read_text_table,
    refuse_repeated,
    refuse_rows,
    require_columns,
    to_dates,
    to_ids,
    to_numbers,
    undated,
)
from demand.sources.references import check_raw
from demand.sources.tables import RawTables
from demand.sources.us_calendar import us_events
from demand.sources.weeks import days_to_monday, monday_of

REGION = "walmart"
WEEK_BEGINS, FRIDAY = "saturday", 4
USD_PER_UNIT = 10.0
HALF_DEAL_USD_PER_SQFT = 0.1  # markdown of a week that counts as half a deal; about the median of the set
PLAN_WEEKS = 8  # events are listed at least this many weeks past the last sales week
MARKDOWNS = ("MarkDown1", "MarkDown2", "MarkDown3", "MarkDown4", "MarkDown5")


def read(folder: Path) -> RawTables:
    """Raw tables from train.csv, stores.csv and features.csv of the set; units are ten-dollar units of sales.

    DataError: a file or column is missing, a value is not what its column holds, a row is repeated.
    """
    sales = _sales(folder / "train.csv")
    stores = _stores(folder / "stores.csv")
    features = _features(folder / "features.csv")
    _refuse_unknown_stores(sales, stores, features)
    as_of = sales["week"].max()
    weather = _weather(features)
    in_past = weather["date"] < as_of + pd.Timedelta(days=7)
    return check_raw(
        RawTables(
            name="walmart",
            as_of=as_of.date(),
            absent_week="zero",
            shipments=sales,
            stores=_store_table(stores),
            products=_products(sales),
            weather_history=weather[in_past],
            weather_forecast=weather[~in_past],
            events=_events(sales, features),
            prices=_prices(sales, features.merge(stores, on="store_id")),
        )
    )


def _sales(path: Path) -> pd.DataFrame:
    texts = require_columns(read_text_table(path), ("Store", "Dept", "Date", "Weekly_Sales"), path.name)
    dollars = to_numbers(texts["Weekly_Sales"], path.name).clip(lower=0.0)
    sales = pd.DataFrame(
        {
            "store_id": to_ids(texts["Store"], path.name),
            "product_id": to_ids(texts["Dept"], path.name),
            "week": _weeks(texts["Date"], path),
            "units_shipped": (dollars / USD_PER_UNIT).round(),
        }
    )
    refuse_repeated(sales, ["store_id", "product_id", "week"], path.name)
    return sales


def _stores(path: Path) -> pd.DataFrame:
    texts = require_columns(read_text_table(path), ("Store", "Size"), path.name)
    stores = pd.DataFrame(
        {"store_id": to_ids(texts["Store"], path.name), "size": to_numbers(texts["Size"], path.name)}
    )
    refuse_repeated(stores, ["store_id"], path.name)
    return stores


def _features(path: Path) -> pd.DataFrame:
    """One row per store and week: store_id, week, temperature_c, markdown_usd (NaN where not published)."""
    texts = require_columns(read_text_table(path), ("Store", "Date", "Temperature", *MARKDOWNS), path.name)
    markdowns = pd.DataFrame({name: to_numbers(texts[name], path.name, missing="NA") for name in MARKDOWNS})
    features = pd.DataFrame(
        {
            "store_id": to_ids(texts["Store"], path.name),
            "week": _weeks(texts["Date"], path),
            "temperature_c": ((to_numbers(texts["Temperature"], path.name) - 32.0) / 1.8).round(2),
            "markdown_usd": markdowns.clip(lower=0.0).sum(axis="columns", min_count=1),
        }
    )
    refuse_repeated(features, ["store_id", "week"], path.name)
    return features


def _store_table(stores: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "store_id": stores["store_id"],
            "region": REGION,
            "format": np.where(stores["size"] >= stores["size"].median(), "large", "small"),
            "postal_code": weather_cell(stores["store_id"]),
            "opened": undated(stores.index),
            "closed": undated(stores.index),
        }
    )


def weather_cell(store_id: pd.Series) -> pd.Series:
    """Five-digit stand-in for the withheld postal code: the store's number, so one weather cell a store."""
    return store_id.str.zfill(5)


def _products(sales: pd.DataFrame) -> pd.DataFrame:
    departments = sorted(sales["product_id"].unique(), key=int)
    products = pd.DataFrame({"product_id": departments, "category": departments, "pack_size": float("nan")})
    return products.assign(launched=undated(products.index), delisted=undated(products.index))


def _weather(features: pd.DataFrame) -> pd.DataFrame:
    """Daily rows; the set has one temperature a week, which all seven days of the week get."""
    days = pd.concat([features.assign(date=features["week"] + pd.Timedelta(days=day)) for day in range(7)])
    weather = pd.DataFrame(
        {
            "postal_code": weather_cell(days["store_id"]),
            "date": days["date"],
            "temp_min_c": days["temperature_c"],
            "temp_max_c": days["temperature_c"],
            "precipitation_mm": float("nan"),
        }
    )
    return weather.sort_values(["postal_code", "date"], ignore_index=True)


def _events(sales: pd.DataFrame, features: pd.DataFrame) -> pd.DataFrame:
    last_week = max(features["week"].max(), sales["week"].max() + pd.Timedelta(weeks=PLAN_WEEKS))
    last_day: date = last_week.date() + timedelta(days=6)
    return us_events(sales["week"].min().date(), last_day, moved_days=days_to_monday(WEEK_BEGINS))


def _prices(sales: pd.DataFrame, features: pd.DataFrame) -> pd.DataFrame:
    """Promotion plan: the store's markdown of the week for each of its departments; no prices are published.

    deal = r / (r + 0.1) with r the week's markdown in dollars per square foot: 0 none, 0.5 a usual week.
    """
    known = features.dropna(subset=["markdown_usd"])
    rate = known["markdown_usd"] / known["size"]
    deal = known[["store_id", "week"]].assign(deal=rate / (rate + HALF_DEAL_USD_PER_SQFT))
    series = sales[["store_id", "product_id"]].drop_duplicates()
    plan = series.merge(deal, on="store_id").assign(price_usd=USD_PER_UNIT, feature=0.0)
    return plan[["store_id", "product_id", "week", "price_usd", "feature", "deal"]]


def _weeks(texts: pd.Series, path: Path) -> pd.Series:
    dates = to_dates(texts, path.name, "%Y-%m-%d")
    refuse_rows(texts, dates.dt.day_of_week != FRIDAY, path.name, "the date of a Friday")
    return monday_of(dates, WEEK_BEGINS).astype("datetime64[us]")


def _refuse_unknown_stores(sales: pd.DataFrame, stores: pd.DataFrame, features: pd.DataFrame) -> None:
    for origin, table in (("stores.csv", stores), ("features.csv", features)):
        unknown = sorted(set(sales["store_id"]) - set(table["store_id"]), key=int)
        if unknown:
            raise DataError(
                f"{origin}, column 'Store': expected every store of train.csv, got none of {unknown[:5]} "
                f"({len(unknown)} stores). Use the three files of one delivery."
            )
