import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from demand.sources.mapping_config import Options
from demand.sources.mapping_weeks import find_grain, place_returns, weekly_flows, with_weeks
from demand.sources.weeks import WEEKDAYS

receipts = st.lists(
    st.tuples(st.sampled_from("AB"), st.sampled_from("xy"), st.integers(0, 40), st.integers(-20, 20)),
    min_size=1,
    max_size=60,
)


def table(rows):
    store, product, day, quantity = zip(*rows, strict=True)
    return pd.DataFrame(
        {
            "store_id": store,
            "product_id": product,
            "date": pd.Timestamp("2024-02-28") + pd.to_timedelta(day, unit="D"),
            "quantity": np.array(quantity, dtype="float64"),
        }
    )


@given(receipts, st.sampled_from(WEEKDAYS))
def test_weekly_sums_keep_every_unit(rows, begins):
    placed, notes = with_weeks(
        table(rows), Options(week_begins=begins, incomplete_weeks="keep"), "transaction"
    )
    flows = weekly_flows(placed)
    shipped, returned = flows.shipments["units_shipped"].sum(), flows.returns["units_returned"].sum()
    assert shipped - returned - flows.unplaced == sum(quantity for *_, quantity in rows)
    assert shipped == sum(quantity for *_, quantity in rows if quantity > 0)
    assert notes == ()


@given(receipts)
def test_no_week_gets_more_returns_than_it_shipped(rows):
    placed, _ = with_weeks(table(rows), Options(incomplete_weeks="keep"), "transaction")
    flows = weekly_flows(placed)
    both = flows.returns.merge(flows.shipments, on=["store_id", "product_id", "week"], validate="one_to_one")
    assert len(both) == len(flows.returns)
    assert (both["units_returned"] <= both["units_shipped"]).all()
    assert (flows.returns["units_returned"] > 0).all()


@given(receipts)
def test_returns_never_move_to_a_later_week_or_another_series(rows):
    placed, _ = with_weeks(table(rows), Options(incomplete_weeks="keep"), "transaction")
    before = placed.assign(back=(-placed["quantity"]).clip(lower=0.0))
    flows = weekly_flows(placed)
    key = ["store_id", "product_id"]
    for week in placed["week"].unique():
        late = before[before["week"] > week].groupby(key)["back"].sum()
        placed_late = flows.returns[flows.returns["week"] > week].groupby(key)["units_returned"].sum()
        assert (placed_late <= late.reindex(placed_late.index, fill_value=0.0)).all()


def test_returns_go_to_the_latest_earlier_week_first():
    flows = pd.DataFrame(
        {
            "store_id": ["A"] * 4 + ["B"],
            "product_id": "x",
            "week": pd.to_datetime(["2024-03-04", "2024-03-11", "2024-03-18", "2024-03-25", "2024-03-04"]),
            "shipped": [10.0, 4.0, 0.0, 1.0, 0.0],
            "returned": [1.0, 0.0, 5.0, 3.0, 2.0],
        }
    )
    placed, unplaced = place_returns(flows)
    # 5 of the third week: 4 to the second, 1 to the first; 3 of the fourth: 1 there, 2 to the first
    assert placed.tolist() == [4.0, 4.0, 0.0, 1.0, 0.0]
    assert unplaced == 2.0  # store B has nothing earlier


@pytest.mark.parametrize(
    ("rows", "grain"),
    [
        ([("A", "x", 0, 1), ("A", "x", 7, 1), ("B", "x", 28, 1)], "weekly"),
        ([("A", "x", 0, 1), ("A", "x", 1, 1), ("B", "x", 1, 1)], "daily"),
        ([("A", "x", 0, 1), ("A", "x", 1, 1), ("A", "x", 1, 1)], "transaction"),
        ([("A", "x", 0, 1), ("B", "x", 0, 1)], "daily"),
    ],
)
def test_the_grain_is_found_from_the_dates(rows, grain):
    assert find_grain(table(rows)) == grain
