from datetime import date

import pandas as pd
import pytest

from demand.errors import DataError
from demand.sources import walmart

TRAIN = """Store,Dept,Date,Weekly_Sales,IsHoliday
1,1,2012-02-03,24924.5,FALSE
1,1,2012-02-10,-12.04,TRUE
1,92,2012-02-10,45.1,TRUE
2,1,2012-02-03,104.99,FALSE
2,1,2012-02-10,0,TRUE
"""
STORES = "Store,Type,Size\r1,A,151315\r2,B,39690\r"
FEATURES = """Store,Date,Temperature,Fuel_Price,MarkDown1,MarkDown2,MarkDown3,MarkDown4,MarkDown5,\
CPI,Unemployment
1,2012-02-03,50,2.572,NA,NA,NA,NA,NA,211.1,8.1
1,2012-02-10,41,2.548,15131.5,NA,-20,NA,NA,211.1,8.1
1,2012-02-17,32,2.514,NA,NA,NA,NA,0,NA,NA
2,2012-02-03,59,2.572,NA,NA,NA,NA,NA,211.1,8.1
2,2012-02-10,-4,2.548,NA,NA,NA,NA,NA,211.1,8.1
2,2012-02-17,23,2.514,NA,NA,NA,NA,NA,NA,NA
"""
FEB_WEEKS = ["2012-01-30", "2012-02-06"]  # Mondays of the Fridays 3rd and 10th


@pytest.fixture
def folder(tmp_path):
    write(tmp_path)
    return tmp_path


def write(folder, train=TRAIN, stores=STORES, features=FEATURES):
    for name, text in (("train.csv", train), ("stores.csv", stores), ("features.csv", features)):
        (folder / name).write_bytes(text.encode())


def test_sales_become_ten_dollar_units_in_monday_weeks_and_net_returns_become_zero(folder):
    raw = walmart.read(folder)
    expected = pd.DataFrame(
        {
            "store_id": ["1", "1", "1", "2", "2"],
            "product_id": ["1", "1", "92", "1", "1"],
            "week": pd.to_datetime([FEB_WEEKS[i] for i in (0, 1, 1, 0, 1)]),
            "units_shipped": [2492.0, 0.0, 5.0, 10.0, 0.0],  # 24924.5 / 10 = 2492.45; 45.1 / 10 = 4.51
        }
    )
    pd.testing.assert_frame_equal(raw.shipments, expected, check_dtype=False)
    assert (raw.name, raw.as_of, raw.absent_week) == ("walmart", date(2012, 2, 6), "zero")
    assert raw.returns is None
    assert raw.shopper_demographics is None


def test_stores_are_split_at_the_median_size_and_read_in_spite_of_bare_carriage_returns(folder):
    stores = walmart.read(folder).stores
    assert stores.drop(columns=["opened", "closed"]).to_numpy().tolist() == [
        ["1", "walmart", "large", "00001"],
        ["2", "walmart", "small", "00002"],
    ]
    assert stores[["opened", "closed"]].isna().all(axis=None)


def test_departments_are_products_and_categories(folder):
    products = walmart.read(folder).products
    assert products[["product_id", "category"]].to_numpy().tolist() == [["1", "1"], ["92", "92"]]


def test_a_weekly_fahrenheit_temperature_becomes_seven_equal_celsius_days(folder):
    raw = walmart.read(folder)
    first = raw.weather_history[raw.weather_history["postal_code"] == "00001"]
    assert first["date"].tolist() == list(pd.date_range("2012-01-30", "2012-02-12"))
    assert first["temp_min_c"].tolist() == [10.0] * 7 + [5.0] * 7  # 50 and 41 degrees Fahrenheit
    assert first["temp_max_c"].tolist() == first["temp_min_c"].tolist()
    assert first["precipitation_mm"].isna().all()


def test_rows_past_the_last_sales_week_are_the_weather_forecast(folder):
    forecast = walmart.read(folder).weather_forecast
    assert forecast["date"].drop_duplicates().tolist() == list(pd.date_range("2012-02-13", "2012-02-19"))
    assert forecast.groupby("postal_code")["temp_max_c"].mean().to_dict() == {"00001": 0.0, "00002": -5.0}


def test_events_move_with_the_weeks_and_reach_past_the_last_week(folder):
    events = walmart.read(folder).events
    bowl = events[events["name"] == "Super Bowl"]
    assert bowl["start"].tolist() == [
        pd.Timestamp("2012-02-07")
    ]  # Sunday 5th, first Sunday of that Friday's week
    assert events["end"].max() > pd.Timestamp("2012-02-06") + pd.Timedelta(weeks=8)


def test_markdowns_become_the_deal_of_every_department_of_the_store(folder):
    prices = walmart.read(folder).prices
    expected = pd.DataFrame(
        {
            "store_id": "1",
            "product_id": ["1", "1", "92", "92"],
            "week": pd.to_datetime(["2012-02-06", "2012-02-13"] * 2),
            "price_usd": 10.0,
            "feature": 0.0,
            "deal": [0.5, 0.0] * 2,  # 15131.5 over 151315 square feet is 0.1 dollars, half a deal
        }
    )
    pd.testing.assert_frame_equal(prices, expected, check_dtype=False)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"train": TRAIN.replace("104.99", "1,049")}, r"train.csv: expected one header and as many values"),
        (
            {"train": TRAIN.replace("104.99", "inf")},
            r"'Weekly_Sales': expected a plain number.*1 of 5.*row 5: 'inf'",
        ),
        ({"train": TRAIN.replace("104.99", "NA")}, r"'Weekly_Sales': .*row 5: 'NA'"),
        (
            {"train": TRAIN.replace("2,1,2012-02-03", "2,1,2012-02-04")},
            r"'Date': expected the date of a Friday.*row 5",
        ),
        (
            {"train": TRAIN.replace("2,1,2012-02-03", "2,1,03.02.2012")},
            r"'Date': expected a date written as %Y-%m-%d",
        ),
        (
            {"train": TRAIN + "2,1,2012-02-10,7,TRUE\n"},
            r"'store_id product_id week': expected one row per key.*1 of 6.*row 7: '2 1 2012-02-06'",
        ),
        (
            {"train": TRAIN.replace("Weekly_Sales", "Sales")},
            r"train.csv: expected columns.*\['Weekly_Sales'\] missing",
        ),
        ({"train": TRAIN.replace("2,1,", "x,1,")}, r"'Store': expected a plain number.*2 of 5 rows"),
        ({"train": TRAIN.replace("2,1,", "1.5,1,")}, r"'Store': expected a whole number"),
        ({"train": ""}, r"train.csv: expected a header and rows, got an empty file"),
        ({"train": "<html><body>Sign in</body></html>"}, r"train.csv: expected a table in utf-8 text"),
        ({"stores": "Store,Type,Size\r1,A,151315\r"}, r"stores.csv, column 'Store': .*none of \['2'\]"),
        (
            {"stores": STORES + "2,B,39690\r"},
            r"stores.csv, column 'store_id': expected one row per key.*row 4: '2'",
        ),
        ({"features": FEATURES.split("\n", 1)[0] + "\n"}, r"features.csv: expected rows below the header"),
        ({"features": FEATURES.replace(",-20,", ",none,")}, r"'MarkDown3': .*row 3: 'none'"),
    ],
)
def test_a_file_that_is_not_the_published_one_is_refused(tmp_path, changes, message):
    write(tmp_path, **changes)
    with pytest.raises(DataError, match=message):
        walmart.read(tmp_path)


def test_a_missing_file_is_named(folder):
    (folder / "features.csv").unlink()
    with pytest.raises(DataError, match=r"features\.csv: expected a file in folder"):
        walmart.read(folder)


@pytest.fixture(scope="module")
def published(real_data):
    return walmart.read(real_data / "walmart")


@pytest.mark.gate
def test_the_whole_set_is_read(published):
    shipments = published.shipments
    assert len(shipments) == 421_570
    assert shipments.groupby(["store_id", "product_id"]).ngroups == 3_331
    assert shipments["week"].nunique() == 143
    assert (shipments["week"].min(), published.as_of) == (pd.Timestamp("2010-02-01"), date(2012, 10, 22))
    assert shipments["units_shipped"].sum() == 673_730_116.0
    assert published.stores["format"].value_counts().to_dict() == {"large": 23, "small": 22}
    assert len(published.products) == 81
    assert len(published.weather_history) == 45 * 143 * 7
    assert len(published.weather_forecast) == 45 * 39 * 7
    assert len(published.prices) == 3_331 * 90


@pytest.mark.gate
def test_the_holidays_that_the_set_flags_lie_in_the_weeks_that_it_flags(published, real_data):
    features = pd.read_csv(real_data / "walmart" / "features.csv", parse_dates=["Date"])
    flagged = set(features.loc[features["IsHoliday"], "Date"] - pd.Timedelta(days=4))
    names = ["Super Bowl", "Labor Day", "Thanksgiving", "Christmas"]
    start = published.events.loc[published.events["name"].isin(names), "start"]
    assert set(start - pd.to_timedelta(start.dt.day_of_week, unit="D")) == flagged
