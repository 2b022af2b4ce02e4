"""Rows of any grain (receipts, days, weeks) as weekly shipments and returns."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from demand.errors import DataError
from demand.sources.foreign import refuse_rows
from demand.sources.mapping_config import Options
from demand.sources.weeks import day_of_week, monday_of

SERIES = ["store_id", "product_id"]


@dataclass(frozen=True)
class WeeklyFlows:
    """What went out and what came back, one row per store, product and week with rows in the file.

    unplaced: units that came back before the file saw anything go out; they are in neither table.
    """

    shipments: pd.DataFrame
    returns: pd.DataFrame
    unplaced: float


def find_grain(rows: pd.DataFrame) -> str:
    """The grain of rows with store_id, product_id, date, quantity: transaction, daily or weekly.

    Weekly: all dates fall on one weekday. Daily: they do not, and no store, product and date comes twice.
    """
    if rows["date"].dt.day_of_week.nunique() == 1 and rows["date"].nunique() > 1:
        return "weekly"
    return "transaction" if rows.duplicated([*SERIES, "date"]).any() else "daily"


def refuse_repeated_weeks(rows: pd.DataFrame, origin: str) -> None:
    """Nothing where a store, product and week has at most one sale and one return; otherwise DataError."""
    key = rows[[*SERIES, "week"]].assign(is_return=rows["quantity"] < 0)
    expected = 'one row per store, product and week (or [options] grain = "transaction", which adds them up)'
    refuse_rows(rows["date"].dt.strftime("%Y-%m-%d"), key.duplicated(), origin, expected)


def with_weeks(rows: pd.DataFrame, options: Options, grain: str) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """The rows with their `week` (Monday), those of incomplete weeks left out, and a note on each such week.

    A week is incomplete if it is the first and its first trading day lacks, or the last and its last lacks;
    the trading days are the weekdays on which the file has rows at all.
    """
    week = monday_of(rows["date"], options.week_begins).astype("datetime64[us]")
    placed = rows.assign(week=week)
    if grain == "weekly" or options.incomplete_weeks == "keep":
        return placed, ()
    position = day_of_week(rows["date"], options.week_begins)
    first, last = week.min(), week.max()
    late_start = position[week == first].min() > position.min()
    early_end = position[week == last].max() < position.max()
    dropped = list(dict.fromkeys(([first] if late_start else []) + ([last] if early_end else [])))
    kept = placed[~week.isin(dropped)]
    if kept.empty:
        raise DataError(
            f"expected at least one complete week from {rows['date'].min():%Y-%m-%d} to "
            f"{rows['date'].max():%Y-%m-%d}, got none. Deliver more days, or keep incomplete weeks: "
            '[options] incomplete_weeks = "keep".'
        )
    counts = week.value_counts()
    return kept, tuple(
        f"week of {day:%Y-%m-%d} is incomplete: its {counts[day]} rows are left out" for day in dropped
    )


def weekly_flows(rows: pd.DataFrame) -> WeeklyFlows:
    """Weekly sums of rows with store_id, product_id, week and quantity: sales above 0, returns below.

    A return belongs to its own week as far as that week has sales; the rest goes to the latest week before it
    that still has sales to set against. Sum of quantity = shipped - returned - unplaced.
    """
    flows = (
        rows.assign(shipped=rows["quantity"].clip(lower=0.0), returned=(-rows["quantity"]).clip(lower=0.0))
        .groupby([*SERIES, "week"], as_index=False, sort=True)[["shipped", "returned"]]
        .sum()
    )
    returned, unplaced = place_returns(flows)
    key = [*SERIES, "week"]
    shipments = flows[key].assign(units_shipped=flows["shipped"])
    returns = flows[key].assign(units_returned=returned)[returned > 0.0]
    return WeeklyFlows(shipments, returns.reset_index(drop=True), unplaced)


def place_returns(flows: pd.DataFrame) -> tuple[NDArray[np.float64], float]:
    """Returned units per row, never above the row's shipped units, and the units that no row could take.

    Rows have store_id, product_id, week, shipped, returned and are sorted by these keys.
    """
    shipped, returned = flows["shipped"].to_numpy(), flows["returned"].to_numpy()
    placed = np.minimum(shipped, returned)
    series = flows.groupby(SERIES, sort=False).ngroup().to_numpy()
    first_row = np.flatnonzero(np.r_[True, series[1:] != series[:-1]])[series]
    unplaced = 0.0
    for row in np.flatnonzero(returned > shipped):
        excess = returned[row] - shipped[row]
        for earlier in range(row - 1, first_row[row] - 1, -1):
            taken = min(excess, shipped[earlier] - placed[earlier])
            placed[earlier] += taken
            excess -= taken
            if excess <= 0.0:
                break
        unplaced += float(excess)
    return placed, unplaced
