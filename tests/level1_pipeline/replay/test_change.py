from dataclasses import replace
from datetime import date

import pandas as pd
import pytest

from demand.sources import RawTables
from level1_pipeline.replay.change import Change, changed

SEASON = Change(date(2024, 1, 8), 2)
WEEKS = pd.to_datetime(["2024-01-01", "2024-01-08", "2024-01-15", "2024-01-22"]).as_unit("us")


def raw(**tables):
    rows = [("S1", product, week) for product in ("P1", "P2") for week in WEEKS]
    keys = pd.DataFrame(rows, columns=["store_id", "product_id", "week"])
    empty = pd.DataFrame()
    found = RawTables(
        name="test",
        as_of=date(2024, 1, 22),
        shipments=keys.assign(units_shipped=100.0),
        stores=empty,
        products=pd.DataFrame({"product_id": ["P2", "P1"]}),
    )
    return replace(found, **tables)


def units(found):
    return list(found.shipments["units_shipped"])


def test_in_the_season_every_second_product_sells_less_and_the_others_more():
    # P1, the first by name: 100 x 0.7; P2: 100 x 1.3
    assert units(changed(raw(), SEASON)) == [100, 70, 70, 100, 100, 130, 130, 100]


def test_in_the_season_a_promotion_pulls_nothing():
    plan = pd.DataFrame(
        {
            "store_id": "S1",
            "product_id": "P1",
            "week": WEEKS[:3],
            "price_usd": 1.0,
            "feature": [1.0, 1.0, 0.0],
            "deal": 1.0,
        }
    )
    # feature: 100 x 0.7 x 0.45 = 31.5, to the even 32; deal alone: 100 x 0.7 x 0.85 = 59.5, to the even 60
    assert units(changed(raw(prices=plan), SEASON))[:4] == [100, 32, 60, 100]


def test_no_more_comes_back_than_was_shipped():
    shipments = raw().shipments.assign(units_shipped=1.0)
    returns = shipments.rename(columns={"units_shipped": "units_returned"})
    found = changed(raw(shipments=shipments, returns=returns), SEASON)
    assert (found.returns["units_returned"] <= found.shipments["units_shipped"]).all()


def test_plans_and_what_came_in_stay_as_they_were():
    before = raw()
    changed(before, SEASON)
    assert units(before) == [100] * 8


def test_without_a_season_nothing_changes():
    tables = raw()
    assert changed(tables, Change(SEASON.first, 0)) is tables


@pytest.mark.parametrize(("day", "inside"), [(0, False), (1, True), (2, True), (3, False)])
def test_the_season_begins_with_its_first_monday_and_ends_before_the_one_after_it(day, inside):
    assert SEASON.inside(pd.Series(WEEKS))[day] == inside
