"""Faults that only show when tables meet: ids, dates, returns, units, whole regions."""

from dataclasses import replace
from datetime import date

import numpy as np
import pandas as pd
import pytest
from builders import START, events, grid, monday, prices, raw_tables, returns, shipments, stores

from demand.conditioning import condition
from demand.errors import DataError, UsageError
from demand.sources import RawTables, absent_regions, check_raw, regions

NORTH = ("S1", "S2")


def refusal(raw: RawTables) -> str:
    """The message with which conditioning refuses the tables."""
    with pytest.raises(DataError) as caught:
        condition(raw)
    return str(caught.value)


def scaled(factor: float, *, rows: "pd.Series[bool]") -> pd.DataFrame:
    """The shipments, with `rows` multiplied."""
    frame = shipments()
    return frame.assign(units_shipped=frame["units_shipped"].where(~rows, frame["units_shipped"] * factor))


def rows_from(first: int, last: int = 59, stores_: tuple[str, ...] = NORTH) -> "pd.Series[bool]":
    """The shipments rows of some stores from one week to another."""
    frame = shipments()
    return frame["store_id"].isin(stores_) & frame["week"].between(monday(first), monday(last))


def test_the_built_tables_are_accepted() -> None:
    assert len(condition(raw_tables()).weekly) == 960


UNSEEN = {
    "store in returns": (
        {"returns": returns().replace("S1", "S9")},
        "built/returns, column store_id: .*1 unseen: 'S9'",
    ),
    "product in prices": (
        {"prices": prices(60).replace("P1", "P9")},
        "built/prices, column product_id: .*'P9'",
    ),
    "region in events": (
        {"events": events().replace("south", "east")},
        "built/events, column region: .*'east'.* got 1 bad of 4 rows, first row 4",
    ),
}


@pytest.mark.parametrize("fault", UNSEEN)
def test_ids_that_no_table_knows_are_refused(fault: str) -> None:
    changes, expected = UNSEEN[fault]
    with pytest.raises(DataError, match=expected):
        check_raw(raw_tables(**changes))


def test_weeks_after_the_last_delivered_one_are_refused_in_shipments_and_returns() -> None:
    message = refusal(raw_tables(as_of=date(2018, 2, 12), returns=None, weather_history=None))
    assert "built/shipments, column week: expected nothing after the week of 2018-02-12" in message
    assert "got 16 bad of 960 rows, first row 60: store_id='S1', product_id='P1', week=2018-02-19" in message
    late = returns(61).assign(units_returned=0.0)
    assert "built/returns, column week: expected nothing after" in refusal(
        raw_tables(returns=late.iloc[::-1])
    )


def test_returns_above_shipments_are_refused_with_both_figures() -> None:
    first = shipments()["units_shipped"].iloc[0]
    above = pd.DataFrame(
        {"store_id": ["S1"], "product_id": ["P1"], "week": [monday(0)], "units_returned": [first + 1]}
    )
    message = refusal(raw_tables(returns=above))
    assert "built/returns, column units_returned: expected at most the units shipped" in message
    assert f"units_returned={first + 1}, units_shipped={first}" in message


def test_returns_in_a_week_without_a_shipment_are_refused() -> None:
    gone = shipments().drop(index=5)
    back = pd.DataFrame(
        {"store_id": ["S1"], "product_id": ["P1"], "week": [monday(5)], "units_returned": [1.0]}
    )
    assert "units_returned=1.0, units_shipped=0.0" in refusal(raw_tables(shipments=gone, returns=back))


def test_returns_that_equal_shipments_leave_zero_units() -> None:
    all_back = shipments().rename(columns={"units_shipped": "units_returned"})
    assert (condition(raw_tables(returns=all_back)).weekly["units"] == 0).all()


@pytest.mark.parametrize("factor", [3, 10, 1 / 3])
@pytest.mark.parametrize(("first", "last"), [(30, 59), (59, 59), (30, 30)])
def test_a_unit_change_in_one_region_is_refused_with_region_week_and_ratio(
    factor: float, first: int, last: int
) -> None:
    message = refusal(raw_tables(returns=None, shipments=scaled(factor, rows=rows_from(first, last))))
    assert (
        f"region north, week {monday(first).date()}: expected units like those of the 8 weeks before"
        in message
    )
    ratio = float(message.split("got x")[1].split(" ")[0])
    assert ratio == pytest.approx(factor, rel=0.2)
    assert "for the median product where the other regions had x" in message


def test_a_unit_change_is_refused_where_there_is_one_region_alone() -> None:
    raw = raw_tables(returns=None, shipments=scaled(3, rows=rows_from(57))).region("north")
    assert "region north, week 2018-02-05" in refusal(raw)


def test_a_season_that_moves_all_regions_is_accepted() -> None:
    christmas = scaled(4, rows=rows_from(50, 51, ("S1", "S2", "S3", "S4")))
    assert len(condition(raw_tables(shipments=christmas)).weekly) == 960


def test_a_strong_week_of_a_lone_region_and_a_promoted_product_are_accepted() -> None:
    holiday = raw_tables(shipments=scaled(3, rows=rows_from(50, 51))).region("north")
    assert len(condition(holiday).weekly) == 480
    promoted = rows_from(40, 45) & shipments()["product_id"].isin(["P1"])
    assert len(condition(raw_tables(shipments=scaled(5, rows=promoted))).weekly) == 960


def test_a_lone_region_may_end_in_a_season_that_it_had_last_year() -> None:
    raw = raw_tables(weeks=104, returns=None).region("north")
    week = (raw.shipments["week"] - pd.Timestamp(START)).dt.days // 7

    def times(factor: float, weeks: list[int]) -> RawTables:
        units = raw.shipments["units_shipped"] * np.where(week.isin(weeks), factor, 1.0)
        return replace(raw, shipments=raw.shipments.assign(units_shipped=units))

    assert len(condition(times(3, [50, 51, 102, 103])).weekly) == 8 * 104
    assert "where its own last year had x1." in refusal(times(3, [103]))


def test_two_products_tell_no_change_of_unit_from_a_promotion() -> None:
    few = scaled(3, rows=rows_from(30))
    few = few[few["product_id"].isin(["P1", "P2"])]
    assert len(condition(raw_tables(shipments=few, returns=None)).weekly) == 480


def test_the_jump_that_is_refused_is_a_parameter() -> None:
    changed = raw_tables(returns=None, shipments=scaled(3, rows=rows_from(30)))
    assert len(condition(changed, unit_jump=5).weekly) == 960
    with pytest.raises(DataError, match=r"allow jumps above x1\.1"):
        condition(raw_tables(), unit_jump=1.1)


def test_a_week_without_any_row_of_a_region_is_refused_as_a_lost_delivery() -> None:
    lost = shipments()[~rows_from(58, 59)]
    message = refusal(raw_tables(shipments=lost, returns=None))
    assert "got none at all in 2 region-weeks, first north 2018-02-12, north 2018-02-19" in message
    unknown = condition(raw_tables(shipments=lost, returns=None, absent_week="unknown")).weekly
    assert unknown["units"].isna().sum() == 16  # 2 weeks x 2 stores x 4 products


def test_a_region_without_any_shipment_is_named_and_the_others_run() -> None:
    south = shipments()[~rows_from(0)]
    raw = raw_tables(shipments=south, returns=None)
    assert regions(raw) == ["north", "south"]
    assert absent_regions(raw) == ["north"]
    conditioned = condition(raw)
    assert conditioned.absent_regions == ("north",)
    assert set(conditioned.weekly["region"]) == set(conditioned.outlook["region"]) == {"south"}


def test_no_shipments_at_all_are_refused() -> None:
    assert "built/shipments: expected at least one row; got none" in refusal(
        raw_tables(shipments=shipments().iloc[:0], returns=None)
    )


def test_a_broken_region_does_not_keep_the_others_from_running() -> None:
    raw = raw_tables(returns=None, shipments=scaled(3, rows=rows_from(30)))
    with pytest.raises(DataError, match="region north"):
        condition(raw.region("north"))
    assert len(condition(raw.region("south")).weekly) == 480


def test_an_unseen_region_is_not_silently_empty() -> None:
    with pytest.raises(UsageError, match="region: expected one of north, south; got 'east'"):
        raw_tables().region("east")


def test_a_series_with_three_weeks_of_history_is_kept() -> None:
    young = shipments()[~(rows_from(0, 56, ("S1",)) & (shipments()["product_id"] == "P4"))]
    conditioned = condition(raw_tables(shipments=young, returns=None))
    own = conditioned.weekly.query("store_id == 'S1' and product_id == 'P4'")
    assert own["week"].tolist() == [monday(57), monday(58), monday(59)]
    assert len(conditioned.outlook.query("store_id == 'S1' and product_id == 'P4'")) == 8


def test_a_segment_without_rows_is_simply_not_there() -> None:
    large_only = raw_tables(stores=stores().assign(format="large"))
    assert set(condition(large_only).weekly["format"]) == {"large"}


def test_a_year_with_53_weeks_has_its_53rd() -> None:
    start = date(2019, 12, 30)
    conditioned = condition(raw_tables(weeks=60, start=start))
    weeks = conditioned.weekly.query("store_id == 'S1' and product_id == 'P1'")["week"]
    assert weeks.iloc[52] == pd.Timestamp("2020-12-28")  # ISO week 53 of 2020
    assert np.diff(weeks.to_numpy()).tolist() == [np.timedelta64(7, "D")] * 59
    assert weeks.is_unique


def test_the_climate_of_a_53rd_week_is_that_of_the_52nd() -> None:
    start = date(2019, 9, 30)  # the outlook of 60 weeks holds 2020-12-28 only if history ends before
    raw = raw_tables(weeks=60, start=start, weather_forecast=None)
    assert raw.weather_history is not None
    december = raw.weather_history["date"].between("2019-12-23", "2019-12-29")  # ISO week 52 of 2019
    warm = raw.weather_history.assign(temp_max_c=raw.weather_history["temp_max_c"] + 6.0 * december)
    outlook = condition(replace(raw, weather_history=warm)).outlook
    own = outlook.query("store_id == 'S1' and product_id == 'P1'").set_index("week")["temperature"]
    # Middle of the day 15 + 0..6 (mean 18), the warm week 3 degrees more.
    assert own.loc[["2020-12-14", "2020-12-21", "2020-12-28"]].tolist() == [18.0, 21.0, 21.0]


def test_grid_of_the_builders_has_one_row_per_store_product_week() -> None:
    assert len(grid(60, date(2017, 1, 2))) == 4 * 4 * 60
