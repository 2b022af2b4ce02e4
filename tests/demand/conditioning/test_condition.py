"""What conditioning makes of raw tables, held against sums done by hand."""

from dataclasses import replace
from datetime import date

import numpy as np
import pandas as pd
import pytest
from builders import (
    demographics,
    monday,
    own,
    raw_tables,
    returns,
    shipments,
    stores,
)

from demand.conditioning import condition
from demand.contracts import SHARES, columns
from demand.sources import check_raw


def without(*weeks: int) -> pd.DataFrame:
    """The shipments without some weeks of the series S1, P1."""
    frame = shipments()
    gone = (
        (frame["store_id"] == "S1")
        & (frame["product_id"] == "P1")
        & frame["week"].isin([monday(w) for w in weeks])
    )
    return frame[~gone]


def test_weekly_has_a_row_per_series_and_week_in_order() -> None:
    weekly = condition(raw_tables()).weekly
    key = weekly[["region", "store_id", "product_id", "week"]]
    assert weekly.columns.tolist() == columns("weekly")
    assert key.equals(key.sort_values(key.columns.tolist(), ignore_index=True))
    assert len(weekly) == 4 * 4 * 60
    assert weekly.groupby("store_id")["region"].first().tolist() == ["north", "north", "south", "south"]


def test_units_are_shipped_minus_returned() -> None:
    raw = raw_tables()
    assert raw.returns is not None
    weekly = own(condition(raw).weekly)
    shipped = shipments().set_index(["store_id", "product_id", "week"])["units_shipped"].loc["S1", "P1"]
    assert weekly["shipped"].tolist() == shipped.tolist()
    assert weekly["returned"].tolist() == [1.0 if week % 10 == 0 else 0.0 for week in range(60)]
    assert (weekly["units"] == weekly["shipped"] - weekly["returned"]).all()


def test_rows_in_any_order_and_dtype_give_the_same_tables() -> None:
    raw = raw_tables()
    mixed = replace(
        raw,
        shipments=raw.shipments.sample(frac=1, random_state=1).astype(
            {"store_id": "category", "units_shipped": "int32"}
        ),
        prices=raw.prices.iloc[::-1] if raw.prices is not None else None,
        stores=raw.stores.iloc[::-1],
    )
    first, second = condition(raw), condition(mixed)
    pd.testing.assert_frame_equal(first.weekly, second.weekly)
    pd.testing.assert_frame_equal(first.outlook, second.outlook)


def test_conditioning_leaves_the_raw_tables_as_they_were() -> None:
    raw = check_raw(raw_tables())
    before = {name: frame.copy() for name, frame in raw.tables()}
    condition(raw)
    for name, frame in raw.tables():
        pd.testing.assert_frame_equal(frame, before[name])


def test_a_week_without_a_row_inside_a_life_counts_zero() -> None:
    weekly = own(condition(raw_tables(shipments=without(0, 7, 59), returns=None)).weekly)
    assert weekly.index[0] == monday(1)  # life begins with the first row
    assert weekly.index[-1] == monday(59)  # and goes on to the last delivered week
    assert (
        weekly.loc[[monday(7), monday(59)], ["units", "shipped", "returned"]].to_numpy().tolist()
        == [[0, 0, 0]] * 2
    )


def test_a_week_without_a_row_is_unknown_where_the_data_set_says_so() -> None:
    raw = raw_tables(shipments=without(7), returns=None, absent_week="unknown")
    weekly = own(condition(raw).weekly)
    assert weekly.index[weekly["units"].isna()].tolist() == [monday(7)]
    assert weekly.index[weekly["returned"].isna()].tolist() == [monday(7)]


def closing(day: str) -> pd.DataFrame:
    """The stores, S1 closing on a day."""
    return stores().assign(closed=pd.to_datetime([day, None, None, None]))


def test_a_life_ends_in_the_week_in_which_the_store_closes() -> None:
    early = shipments()[~((shipments()["store_id"] == "S1") & (shipments()["week"] > monday(40)))]
    wednesday = str((monday(42) + pd.Timedelta(days=2)).date())
    conditioned = condition(raw_tables(shipments=early, returns=None, stores=closing(wednesday)))
    assert own(conditioned.weekly).index[-1] == monday(42)
    assert own(conditioned.weekly)["units"].iloc[-2:].tolist() == [0, 0]
    assert own(conditioned.outlook).empty
    assert len(own(conditioned.outlook, "S2")) == 8


def test_what_is_shipped_after_a_store_closed_is_kept_but_not_forecast() -> None:
    conditioned = condition(raw_tables(stores=closing("2017-06-01")))
    assert len(own(conditioned.weekly)) == 60
    assert own(conditioned.outlook).empty


def test_the_outlook_ends_with_a_store_that_will_close_or_a_product_that_will_be_delisted() -> None:
    raw = raw_tables(stores=closing(str(monday(62).date())))
    delisted = raw.products.assign(delisted=pd.to_datetime([None, str(monday(60).date()), None, None]))
    outlook = condition(replace(raw, products=delisted)).outlook
    assert own(outlook).index.tolist() == [monday(60), monday(61), monday(62)]
    assert own(outlook, "S3", "P2").index.tolist() == [monday(60)]
    assert own(outlook, "S3", "P1").index.tolist() == [monday(week) for week in range(60, 68)]


def test_demographics_are_those_of_the_store_and_unknown_without_a_row() -> None:
    weekly = condition(raw_tables()).weekly
    names = ["population", "median_income_usd", "household_size", *SHARES]
    assert own(weekly)[names].drop_duplicates().to_numpy().tolist() == [demographics().iloc[0, 1:].tolist()]
    assert own(weekly, "S2")["median_income_usd"].isna().all()
    assert own(weekly, "S4")[names].isna().all(axis=None)


def test_a_data_set_of_shipments_stores_and_products_alone_runs() -> None:
    optional = ["returns", "shopper_demographics", "weather_history", "weather_forecast", "events", "prices"]
    conditioned = condition(raw_tables(**dict.fromkeys(optional)))
    row = conditioned.outlook.iloc[0]
    assert row[["price", "feature", "deal", "temperature", "precipitation", "population"]].isna().all()
    assert row[["event_holiday", "event_promotion", "event_sport", "event_school"]].tolist() == [0, 0, 0, 0]
    assert row["event_name"] == ""
    assert (conditioned.weekly["returned"] == 0).all()


def test_one_region_conditions_to_the_same_rows_as_all_together() -> None:
    raw = raw_tables(returns=returns())
    together = condition(raw)
    for region in ("north", "south"):
        alone = condition(raw.region(region))
        for name in ("weekly", "outlook"):
            part = getattr(together, name).query("region == @region").reset_index(drop=True)
            pd.testing.assert_frame_equal(getattr(alone, name), part)


@pytest.mark.parametrize("weeks", [1, 3, 9])
def test_very_short_histories_run(weeks: int) -> None:
    conditioned = condition(raw_tables(weeks=weeks))
    assert len(conditioned.weekly) == 16 * weeks
    assert len(conditioned.outlook) == 16 * 8


def test_weeks_before_1970_and_leap_days_are_weeks_too() -> None:
    weekly = own(condition(raw_tables(weeks=20, start=date(1967, 12, 25))).weekly)
    assert weekly.index[9] == pd.Timestamp("1968-02-26")  # holds the 29th of February
    assert np.isfinite(weekly["temperature"]).all()
