"""The faults that `make monitoring-power` injects do what they say, from their week on and not before."""

import sys
from dataclasses import fields

import pandas as pd
import pytest

from demand.sources import read_raw

WEEK = pd.Timestamp("2026-03-02")
TOUCHED = {
    "unit x3": {"shipments", "returns"},
    "mean +20 %": {"shipments", "returns"},
    "mean -20 %": {"shipments", "returns"},
    "new products": {"shipments", "returns", "prices", "products"},
    "swapped products": {"shipments", "returns"},
    "weather in Fahrenheit": {"weather_history", "weather_forecast"},
    "promotions a week late": {"prices"},
}


@pytest.fixture(scope="module")
def faults(root):
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(root / "tests" / "benchmarks"))
        import faults

        yield faults
        del sys.modules["faults"]


@pytest.fixture(scope="module")
def raw(tiny_raw_folder):
    return read_raw(tiny_raw_folder).region("R01")


def changed(before: pd.DataFrame, after: pd.DataFrame) -> bool:
    return not before.reset_index(drop=True).equals(after.reset_index(drop=True))


@pytest.mark.parametrize("name", TOUCHED)
def test_a_fault_touches_its_tables_and_no_week_before_its_own(faults, raw, name):
    assert set(faults.FAULTS) == set(TOUCHED)
    spoiled = faults.FAULTS[name](raw, WEEK)
    tables = {each.name: getattr(raw, each.name) for each in fields(raw)}
    tables = {table: frame for table, frame in tables.items() if isinstance(frame, pd.DataFrame)}
    assert {table for table, frame in tables.items() if changed(frame, getattr(spoiled, table))} == TOUCHED[
        name
    ]
    for table in TOUCHED[name] - {"products"}:
        moment = "week" if "week" in tables[table] else "date"
        keys = [each for each in ("store_id", "product_id", "postal_code", moment) if each in tables[table]]
        old, new = (
            frame[frame[moment] < WEEK].sort_values(keys, ignore_index=True)
            for frame in (tables[table], getattr(spoiled, table))
        )
        pd.testing.assert_frame_equal(old, new)


def test_a_late_promotion_is_there_a_week_after(faults, raw):
    moved = faults.late_promotions(raw, WEEK).prices
    keys = ["store_id", "product_id"]
    was = raw.prices[raw.prices["week"] == WEEK].set_index(keys)["feature"]
    found = moved[moved["week"] == WEEK + pd.Timedelta(days=7)].set_index(keys)["feature"]
    pd.testing.assert_series_equal(found.sort_index(), was.sort_index())
