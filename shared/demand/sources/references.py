"""Checks that need two tables: ids that must be known, and dates that must not lie after the last week."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd

from demand.contracts import bad_rows, check
from demand.sources.tables import EVERY_REGION, RawTables

# Table -> its reference columns, each with the table that must hold its ids.
REFERENCES: dict[str, dict[str, str]] = {
    "shipments": {"store_id": "stores", "product_id": "products"},
    "returns": {"store_id": "stores", "product_id": "products"},
    "prices": {"store_id": "stores", "product_id": "products"},
    "oracle": {"store_id": "stores", "product_id": "products"},
    "shopper_demographics": {"store_id": "stores"},
    "weather_history": {"postal_code": "stores"},
    "weather_forecast": {"postal_code": "stores"},
    "events": {"region": "stores"},
}
KNOWN_PAST = {"shipments": "week", "returns": "week", "weather_history": "date"}


def check_raw(raw: RawTables) -> RawTables:
    """The same tables, each through its contract and its references; raises DataError at the first fault."""
    checked: dict[str, Any] = {
        table: check(table, frame, f"{raw.name}/{table}") for table, frame in raw.tables()
    }
    ids = known_ids(checked["stores"], checked["products"])
    for table, frame in checked.items():
        check_references(table, frame, ids, raw.as_of, f"{raw.name}/{table}")
    return replace(raw, **checked)


def known_ids(stores: pd.DataFrame, products: pd.DataFrame) -> dict[str, set[str]]:
    """Column name -> the ids that may stand in it."""
    return {
        "store_id": set(stores["store_id"]),
        "postal_code": set(stores["postal_code"]),
        "region": set(stores["region"]) | {EVERY_REGION},
        "product_id": set(products["product_id"]),
    }


def check_references(
    table: str, frame: pd.DataFrame, ids: dict[str, set[str]], as_of: date, origin: str
) -> None:
    """Raises DataError for an unseen store, product, region or postal code, or a date after the last week."""
    for column, holder in REFERENCES.get(table, {}).items():
        codes, distinct = pd.factorize(frame[column])
        unseen = np.array([value not in ids[column] for value in distinct], dtype=bool)
        if unseen.any():
            names = ", ".join(map(repr, distinct[unseen][:5]))
            expected = f"only values that the {holder} table has ({unseen.sum()} unseen: {names})"
            raise bad_rows(frame, unseen[codes], origin, column, expected)
    if table in KNOWN_PAST:
        last = np.datetime64(as_of + timedelta(days=6))
        late = frame[KNOWN_PAST[table]].to_numpy() > last
        if late.any():
            expected = f"nothing after the week of {as_of}, the last one delivered"
            raise bad_rows(frame, late, origin, KNOWN_PAST[table], expected)
