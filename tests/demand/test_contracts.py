"""The contracts take what is right in any dtype that loses nothing, and say what is wrong."""

import numpy as np
import pandas as pd
import pytest
from builders import shipments

from demand.contracts import SCHEMAS, TEXT, bad_rows, check, columns
from demand.errors import DataError

GOOD = shipments()


def test_every_table_of_the_design_has_a_contract() -> None:
    assert set(SCHEMAS) == {
        "shipments",
        "returns",
        "stores",
        "shopper_demographics",
        "weather_history",
        "weather_forecast",
        "events",
        "products",
        "prices",
        "oracle",
        "weekly",
        "outlook",
        "forecasts",
        "backtest",
        "report",
        "gate",
        "issued",
        "actuals",
        "quality",
        "drift",
        "errors",
        "signals",
        "data_quality",
    }


def test_the_outlook_is_weekly_without_units() -> None:
    assert columns("outlook") == [
        name for name in columns("weekly") if name not in ("units", "shipped", "returned")
    ]


@pytest.mark.parametrize(
    "same",
    [
        GOOD,
        GOOD[GOOD.columns[::-1]],
        GOOD.set_index(np.arange(len(GOOD)) + 7),
        GOOD.astype({"store_id": "category", "product_id": object}),
        GOOD.astype({"week": "datetime64[ns]", "units_shipped": "int32"}),
        GOOD.astype({"week": "datetime64[s]", "units_shipped": "float32"}),
    ],
)
def test_a_frame_in_other_dtypes_or_order_becomes_the_same_checked_frame(same: pd.DataFrame) -> None:
    checked = check("shipments", same, "x")
    assert list(checked.dtypes) == [TEXT, TEXT, "datetime64[us]", "float64"]
    assert checked.columns.tolist() == ["store_id", "product_id", "week", "units_shipped"]
    assert checked.index.equals(pd.RangeIndex(len(GOOD)))
    assert checked["units_shipped"].tolist() == GOOD["units_shipped"].tolist()
    assert checked["week"].tolist() == GOOD["week"].tolist()


def test_the_frame_that_came_in_stays_as_it_was() -> None:
    frame = GOOD.astype({"units_shipped": "int64"})
    before = frame.copy()
    check("shipments", frame, "x")
    pd.testing.assert_frame_equal(frame, before)


def test_all_faults_of_a_frame_are_named_at_once_with_rows_and_counts() -> None:
    frame = GOOD.head(4).assign(
        store_id=["S1", "", "S1", "S1"],
        week=[GOOD["week"][0], GOOD["week"][1], None, GOOD["week"][3] + pd.Timedelta(days=1)],
        units_shipped=[1.0, np.inf, -2.0, 3.0],
    )
    with pytest.raises(DataError) as caught:
        check("shipments", frame, "x.csv")
    assert str(caught.value) == (
        "x.csv, column store_id: expected trimmed printable text, not empty; got 1 bad of 4 rows, "
        "first row 2: store_id='', product_id='P1', week=2017-01-09, units_shipped=inf. "
        "x.csv, column week: expected no missing values; got 1 bad of 4 rows, "
        "first row 3: store_id='S1', product_id='P1', week=NaT, units_shipped=-2.0. "
        "x.csv, column week: expected the Monday on which the week starts; got 1 bad of 4 rows, "
        "first row 4: store_id='S1', product_id='P1', week=2017-01-24, units_shipped=3.0. "
        "x.csv, column units_shipped: expected a finite number >= 0; got 2 bad of 4 rows, "
        "first row 2: store_id='', product_id='P1', week=2017-01-09, units_shipped=inf; "
        "row 3: store_id='S1', product_id='P1', week=NaT, units_shipped=-2.0. "
        "Correct it at the source and deliver again; nothing was dropped or changed."
    )


def test_only_the_first_three_bad_rows_are_shown() -> None:
    message = str(bad_rows(GOOD, np.ones(len(GOOD), dtype=bool), "x", "week", "none"))
    assert "got 960 bad of 960 rows, first row 1: " in message
    assert "row 3: " in message
    assert "row 4: " not in message


WRONG_TYPES = {
    "number as text": ({"units_shipped": "3"}, r"units_shipped: expected numbers \(float64\); got 960 bad"),
    "truth as number": ({"units_shipped": True}, r"units_shipped: expected numbers \(float64\)"),
    "id as number": ({"store_id": 1}, "store_id: expected text; got 960 bad"),
    "date as text": ({"week": "2017-01-02"}, r"week: expected dates \(datetime64\)"),
    "nanoseconds": (
        {"week": pd.Timestamp("2017-01-02T00:00:00.000000001")},
        "week: expected times in whole microseconds",
    ),
    "time zone": (
        {"week": pd.Timestamp("2017-01-02", tz="Asia/Kolkata")},
        r"not datetime64\[.s, Asia/Kolkata\]",
    ),
}


@pytest.mark.parametrize("fault", WRONG_TYPES)
def test_a_column_of_another_type_is_refused(fault: str) -> None:
    change, expected = WRONG_TYPES[fault]
    with pytest.raises(DataError, match=expected):
        check("shipments", GOOD.assign(**change), "x")


def test_whole_numbers_are_whole() -> None:
    report = pd.DataFrame({name: [1.0] for name in columns("report")}).assign(
        region="north", format="large", speed="fast", verdict="meets"
    )
    assert check("report", report, "x")["n"].tolist() == [1]
    with pytest.raises(DataError, match="column n: expected whole numbers; got 1 bad of 1 rows"):
        check("report", report.assign(n=1.5), "x")
    with pytest.raises(DataError, match="column n: expected a whole number >= 0; got 1 bad of 1 rows"):
        check("report", report.assign(n=-1), "x")


def test_a_region_that_could_not_be_a_file_name_is_refused() -> None:
    store = pd.DataFrame({name: [None] for name in columns("stores")}).assign(
        store_id="S1", region="../north", format="large", postal_code="1"
    )
    with pytest.raises(DataError, match="column region: expected a name without"):
        check("stores", store, "x")
