from datetime import date
from math import log

import pandas as pd
import pytest

from demand.errors import DataError
from demand.sources import orange_juice

HEADER = (
    '"store","brand","week","logmove","constant",'
    + ",".join(f'"price{brand}"' for brand in range(1, 12))
    + ',"deal","feat","profit"\n'
)


def sale(store, brand, week, ounces, **promotion):
    """One row; brand b costs b cents an ounce, and one tenth of a cent more in week 42."""
    prices = ",".join(f"{brand / 100 + (week == 42) / 1000:.4f}" for brand in range(1, 12))
    deal, feat = promotion.get("deal", 0), promotion.get("feat", 0.0)
    return f"{store},{brand},{week},{log(ounces):.10f},1,{prices},{deal},{feat},NA\n"


SALES = (
    HEADER
    + sale(2, 1, 40, 8256, deal=1)
    + sale(2, 11, 40, 64)
    + sale(2, 1, 42, 3840, feat=0.25)
    + sale(14, 1, 42, 96)
)
STORES = (
    "STORE,AGE60,EDUC,ETHNIC,INCOME,HHLARGE\n2,0.25,0.2,0.1,10.5532051752,0.1\n14,0.125,0.3,0.05,11,0.1\n"
)


def write(folder, sales=SALES, stores=STORES):
    (folder / "yx.csv").write_text(sales, encoding="utf-8")
    (folder / "storedemo.csv").write_text(stores, encoding="utf-8")


@pytest.fixture
def folder(tmp_path):
    write(tmp_path)
    return tmp_path


def test_logarithms_become_ounces_and_week_numbers_mondays(folder):
    raw = orange_juice.read(folder)
    expected = pd.DataFrame(
        {
            "store_id": ["2", "2", "2", "14"],
            "product_id": ["1", "11", "1", "1"],
            "week": pd.to_datetime(["1990-06-11", "1990-06-11", "1990-06-25", "1990-06-25"]),
            "units_shipped": [8256.0, 64.0, 3840.0, 96.0],
        }
    )
    pd.testing.assert_frame_equal(raw.shipments, expected, check_dtype=False)
    assert (raw.name, raw.as_of, raw.absent_week) == ("orange_juice", date(1990, 6, 25), "unknown")
    assert raw.returns is raw.events is raw.weather_history is raw.weather_forecast is None


def test_each_row_has_the_price_and_promotion_of_its_own_brand(folder):
    prices = orange_juice.read(folder).prices
    assert prices["price_usd"].tolist() == [0.01, 0.11, 0.011, 0.011]
    assert prices["feature"].tolist() == [0.0, 0.0, 0.25, 0.0]
    assert prices["deal"].tolist() == [1.0, 0.0, 0.0, 0.0]


def test_profit_is_never_read(folder):
    tables = [frame for _, frame in orange_juice.read(folder).tables()]
    assert not any("profit" in frame.columns for frame in tables)  # and its NA would have been refused


def test_store_formats_come_from_the_mean_volume_of_known_weeks(folder):
    stores = orange_juice.read(folder).stores
    # store 2: (8320 + 3840) / 2 = 6080 ounces a week; store 14: 96
    assert stores.drop(columns=["opened", "closed"]).to_numpy().tolist() == [
        ["2", "chicago", "large", "00002"],
        ["14", "chicago", "small", "00014"],
    ]


def test_a_later_boom_does_not_change_the_format(tmp_path):
    write(tmp_path, sales=SALES + sale(14, 1, 92, 900_000))
    assert orange_juice.read(tmp_path).stores["format"].tolist() == ["large", "small"]


def test_demographics_that_fit_are_kept_and_the_rest_is_missing(folder):
    people = orange_juice.read(folder).shopper_demographics
    assert people["median_income_usd"].tolist() == [38_300.0, 59_874.0]  # e to the 10.553 and to the 11
    assert people["share_age_60_plus"].tolist() == [0.25, 0.125]
    others = people.drop(columns=["store_id", "median_income_usd", "share_age_60_plus"])
    assert others.shape == (2, 5)
    assert others.isna().all(axis=None)


def test_products_carry_their_category_and_ounces(folder):
    products = orange_juice.read(folder).products
    assert products[["product_id", "category", "pack_size"]].to_numpy().tolist() == [
        ["1", "orange juice", 64.0],
        ["11", "orange juice", 128.0],
    ]


@pytest.mark.parametrize(
    ("sales", "message"),
    [
        (SALES + sale(2, 12, 42, 64), r"'brand': expected a brand from 1 to 11.*row 6: '12'"),
        (SALES + sale(2, 1, 42, 64), r"'store_id product_id week': expected one row per key.*row 6"),
        (SALES + sale(2, 2, 0, 64), r"'week': expected a week number from 1 on.*row 6: '0'"),
        (SALES + sale(2, 2, 40.5, 64), r"'week': expected a whole number"),
        (SALES + sale(2, 2, 41, 10.0**12), r"'logmove': expected the natural logarithm"),
        (SALES + sale(2, 2, 41, 64, feat=1.5), r"'feat': expected a share from 0 to 1.*row 6: '1.5'"),
        (SALES + sale(2, 2, 41, 64).replace("0.0200", "0.0000"), r"'own price': expected a price above 0"),
        (SALES + sale(3, 2, 41, 64), r"storedemo.csv, column 'STORE': .*none of \['3'\]"),
        (SALES[:-6], r"yx.csv: expected one header and as many values"),
        (SALES.replace('"price7"', '"price6"'), r"\['price6'\] repeated"),
    ],
)
def test_a_file_that_is_not_the_published_one_is_refused(tmp_path, sales, message):
    write(tmp_path, sales=sales)
    with pytest.raises(DataError, match=message):
        orange_juice.read(tmp_path)


def test_a_store_with_two_rows_of_demographics_is_refused(tmp_path):
    write(tmp_path, stores=STORES + "2,0.25,0.2,0.1,10.5,0.1\n")
    with pytest.raises(
        DataError, match=r"storedemo.csv, column 'store_id': expected one row per key.*row 4: '2'"
    ):
        orange_juice.read(tmp_path)


@pytest.mark.gate
def test_the_whole_set_is_read(real_data):
    raw = orange_juice.read(real_data / "dominicks_oj")
    assert len(raw.shipments) == len(raw.prices) == 106_139
    assert raw.shipments.groupby(["store_id", "product_id"]).ngroups == 913
    assert raw.shipments["week"].nunique() == 121
    assert (raw.shipments["week"].min(), raw.as_of) == (pd.Timestamp("1990-06-11"), date(1992, 9, 28))
    assert raw.shipments["units_shipped"].sum() == 1_000_392_608.0
    assert (raw.shipments["units_shipped"] % 32 == 0).all()
    assert raw.stores["format"].value_counts().to_dict() == {"large": 42, "small": 41}
    assert len(raw.shopper_demographics) == 83
    assert raw.prices["deal"].mean() == pytest.approx(0.447, abs=0.001)
