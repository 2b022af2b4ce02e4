"""Orange juice at Dominick's stores in the Chicago area (as in the R package bayesm) as raw tables.

Weeks are numbers and run from Thursday to Wednesday; week 40 began on Thursday 1990-06-14. Each becomes the
Monday week that shares most of its days, so week 40 is the week of Monday 1990-06-11. Quantities are ounces
of juice and prices dollars per ounce. The column `profit`, known only after the sale, is never read.
"""

from pathlib import Path

import numpy as np
import pandas as pd

from demand.errors import DataError
from demand.sources.foreign import (
    read_text_table,
    refuse_repeated,
    refuse_rows,
    require_columns,
    to_ids,
    to_numbers,
    to_whole_numbers,
    undated,
)
from demand.sources.references import check_raw
from demand.sources.tables import RawTables

REGION = "chicago"
CATEGORY = "orange juice"
FIRST_WEEK_NUMBER, FIRST_MONDAY = 40, pd.Timestamp("1990-06-11")
VOLUME_WEEKS = (
    52  # a store is large or small by this many first weeks, so that no later origin sees its own future
)
PACK_OUNCES = {1: 64, 2: 96, 3: 64, 4: 64, 5: 64, 6: 96, 7: 64, 8: 64, 9: 64, 10: 64, 11: 128}
PRICES = tuple(f"price{brand}" for brand in PACK_OUNCES)
SALES_COLUMNS = ("store", "brand", "week", "logmove", *PRICES, "deal", "feat")
SHARES = ("population", "household_size", "share_age_0_17", "share_age_18_34", "share_age_35_59")


def read(folder: Path) -> RawTables:
    """Raw tables from yx.csv and storedemo.csv of the set; units are ounces, prices dollars per ounce.

    DataError: a file or column is missing, a value is not what its column holds, a row is repeated.
    """
    sales = _sales(folder / "yx.csv")
    demographics = _demographics(folder / "storedemo.csv")
    lacking = sorted(set(sales["store_id"]) - set(demographics["store_id"]), key=int)
    if lacking:
        raise DataError(
            f"storedemo.csv, column 'STORE': expected every store of yx.csv, got none of {lacking[:5]} "
            f"({len(lacking)} stores). Use the two files of one delivery."
        )
    return check_raw(
        RawTables(
            name="orange_juice",
            as_of=sales["week"].max().date(),
            absent_week="unknown",
            shipments=sales[["store_id", "product_id", "week", "units_shipped"]],
            stores=_stores(sales),
            products=_products(sales),
            shopper_demographics=demographics,
            prices=sales[["store_id", "product_id", "week", "price_usd", "feature", "deal"]],
        )
    )


def _sales(path: Path) -> pd.DataFrame:
    """One row per store, brand and week: keys, units_shipped, price_usd, feature, deal."""
    texts = require_columns(read_text_table(path), SALES_COLUMNS, path.name)
    brand = to_whole_numbers(texts["brand"], path.name)
    refuse_rows(texts["brand"], ~brand.isin(PACK_OUNCES), path.name, "a brand from 1 to 11")
    sales = pd.DataFrame(
        {
            "store_id": to_ids(texts["store"], path.name),
            "product_id": brand.astype("str"),
            "week": _mondays(texts["week"], path),
            "units_shipped": _ounces(texts["logmove"], path),
            "price_usd": _own_price(texts, brand, path),
            "feature": _share(texts["feat"], path),
            "deal": _share(texts["deal"], path),
        }
    )
    refuse_repeated(sales, ["store_id", "product_id", "week"], path.name)
    return sales


def _mondays(texts: pd.Series, path: Path) -> pd.Series:
    number = to_whole_numbers(texts, path.name)
    refuse_rows(texts, number < 1, path.name, "a week number from 1 on")
    days = pd.to_timedelta(7 * (number - FIRST_WEEK_NUMBER), unit="D")
    return (FIRST_MONDAY + days).astype("datetime64[us]")


def _ounces(texts: pd.Series, path: Path) -> pd.Series:
    logs = to_numbers(texts, path.name)
    refuse_rows(texts, logs > 20.0, path.name, "the natural logarithm of a week's ounces, at most 20")
    ounces: pd.Series = np.exp(logs).round()  # the logarithm was taken of whole ounces
    return ounces


def _own_price(texts: pd.DataFrame, brand: pd.Series, path: Path) -> pd.Series:
    prices = np.column_stack([to_numbers(texts[name], path.name).to_numpy() for name in PRICES])
    own = pd.Series(prices[np.arange(len(texts)), brand.to_numpy() - 1], index=texts.index, name="own price")
    refuse_rows(own, own <= 0.0, path.name, "a price above 0")
    return own


def _share(texts: pd.Series, path: Path) -> pd.Series:
    share = to_numbers(texts, path.name)
    refuse_rows(texts, ~share.between(0.0, 1.0), path.name, "a share from 0 to 1")
    return share


def _stores(sales: pd.DataFrame) -> pd.DataFrame:
    early = sales["week"] < sales["week"].min() + pd.Timedelta(weeks=VOLUME_WEEKS)
    per_week = sales[early].groupby(["store_id", "week"])["units_shipped"].sum()
    ids = sorted(sales["store_id"].unique(), key=int)
    volume = per_week.groupby("store_id").mean().reindex(ids, fill_value=0.0)
    stores = pd.DataFrame({"store_id": ids, "region": REGION}).assign(
        format=np.where(volume >= volume.median(), "large", "small"),
        postal_code=[store_id.zfill(5) for store_id in ids],
    )
    return stores.assign(opened=undated(stores.index), closed=undated(stores.index))


def _products(sales: pd.DataFrame) -> pd.DataFrame:
    brands = sorted(sales["product_id"].unique(), key=int)
    ounces = [float(PACK_OUNCES[int(brand)]) for brand in brands]
    products = pd.DataFrame({"product_id": brands, "category": CATEGORY, "pack_size": ounces})
    return products.assign(launched=undated(products.index), delisted=undated(products.index))


def _demographics(path: Path) -> pd.DataFrame:
    """One row per store; what the set does not publish is NaN. INCOME is the logarithm of a median income."""
    texts = require_columns(read_text_table(path), ("STORE", "INCOME", "AGE60"), path.name)
    known = pd.DataFrame(
        {
            "store_id": to_ids(texts["STORE"], path.name),
            "median_income_usd": np.exp(to_numbers(texts["INCOME"], path.name)).round(),
            "share_age_60_plus": _share(texts["AGE60"], path),
        }
    )
    refuse_repeated(known, ["store_id"], path.name)
    unknown = dict.fromkeys(SHARES, float("nan"))
    columns = [
        "store_id",
        "population",
        "median_income_usd",
        "household_size",
        *SHARES[2:],
        "share_age_60_plus",
    ]
    return known.assign(**unknown)[columns]
