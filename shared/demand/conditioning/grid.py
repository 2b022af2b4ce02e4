"""The grid: one row for every week in the life of every series, known weeks and the weeks ahead."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from demand.conditioning.weeks import Ints, week_number, week_numbers
from demand.contracts import bad_rows
from demand.sources import RawTables

Floats = NDArray[np.float64]
NEVER = np.iinfo(np.int64).max // 2


@dataclass(frozen=True)
class Grid:
    """Series in the order region, store_id, product_id; rows series by series in the order of weeks.

    series: one row per series with its store's and product's attributes.
    first, start: number of the first week, and position of its row, shape (n_series,).
    of_series, week: position of the series, and number of the week, shape (n_rows,).
    as_of: number of the last known week; rows after it are the outlook.
    """

    series: pd.DataFrame
    first: Ints
    start: Ints
    of_series: Ints
    week: Ints
    as_of: int

    @property
    def known(self) -> NDArray[np.bool_]:
        """Whether each row lies in the past, shape (n_rows,)."""
        return self.week <= self.as_of

    def rows_of(self, frame: pd.DataFrame) -> Ints:
        """Row of the grid for each row of a store x product x week frame, -1 where the grid has none."""
        pair = self._pairs(frame)
        week = week_numbers(frame["week"])
        length = np.diff(np.append(self.start, len(self.week)))
        inside = (pair >= 0) & (week >= self.first[pair]) & (week < self.first[pair] + length[pair])
        return np.where(inside, self.start[pair] + week - self.first[pair], -1)

    def values_of(self, frame: pd.DataFrame, column: str, missing: float) -> Floats:
        """A column of a store x product x week frame on the rows of the grid, shape (n_rows,)."""
        rows = self.rows_of(frame)
        values = np.full(len(self.week), missing)
        values[rows[rows >= 0]] = frame[column].to_numpy()[rows >= 0]
        return values

    def _pairs(self, frame: pd.DataFrame) -> Ints:
        """Position of the series of each row, -1 where there is no such series."""
        stores, products = (
            pd.Index(self.series["store_id"].unique()),
            pd.Index(self.series["product_id"].unique()),
        )
        table = np.full((len(stores) + 1, len(products) + 1), -1, dtype=np.int64)
        own = (codes(self.series["store_id"], stores), codes(self.series["product_id"], products))
        table[own] = np.arange(len(self.series))
        # An unknown id has code -1: the last row and column, which stay -1.
        return table[codes(frame["store_id"], stores), codes(frame["product_id"], products)]


def codes(values: "pd.Series[str]", index: "pd.Index[str]") -> Ints:
    """Position of each value in the index, -1 where it is not in it; shape (n_rows,)."""
    found, distinct = pd.factorize(values)
    return index.get_indexer(pd.Index(distinct))[found].astype(np.int64)


def build_grid(raw: RawTables, horizon: int) -> Grid:
    """The grid from each series' first shipment to as_of, and `horizon` weeks on where it lives.

    A life ends in the week in which the store closes or the product is delisted, or with the last
    shipments row if that is later: what was delivered is never cut off.
    """
    as_of = week_number(raw.as_of)
    series = _series(raw)
    ends = series.pop("life_end").to_numpy()
    first, last = series.pop("first").to_numpy(), series.pop("last").to_numpy()
    end = np.where(ends > as_of, np.minimum(ends, as_of + horizon), np.maximum(ends, last))
    length = end - first + 1
    start = np.concatenate(([0], np.cumsum(length)[:-1])).astype(np.int64)
    of_series = np.repeat(np.arange(len(series)), length)
    week = first[of_series] + np.arange(length.sum()) - start[of_series]
    return Grid(series, first, start, of_series, week, as_of)


def _series(raw: RawTables) -> pd.DataFrame:
    """One row per series, sorted, with attributes, first and last shipped week and the end of its life."""
    weeks = raw.shipments[["store_id", "product_id"]].assign(week=week_numbers(raw.shipments["week"]))
    by_pair = weeks.groupby(["store_id", "product_id"], sort=False)["week"]
    spans = by_pair.agg(first="min", last="max").reset_index()
    series = spans.merge(raw.stores, on="store_id", validate="m:1").merge(
        raw.products, on="product_id", validate="m:1"
    )
    series["life_end"] = np.minimum(_end_week(series["closed"]), _end_week(series["delisted"]))
    return series.sort_values(["region", "store_id", "product_id"], ignore_index=True)


def _end_week(dates: "pd.Series[pd.Timestamp]") -> Ints:
    return np.where(dates.isna(), NEVER, week_numbers(dates.fillna(pd.Timestamp(0))))


def shipped_and_returned(raw: RawTables, grid: Grid) -> tuple[Floats, Floats]:
    """Units shipped and returned on the rows of the grid; 0 or NaN in absent weeks, NaN in weeks ahead.

    Raises DataError for returns above shipments, weeks without a delivery among them.
    """
    absent = 0.0 if raw.absent_week == "zero" else np.nan
    shipped = np.where(grid.known, grid.values_of(raw.shipments, "units_shipped", absent), np.nan)
    returned = np.where(np.isnan(shipped), np.nan, 0.0)
    if raw.returns is None:
        return shipped, returned
    rows = grid.rows_of(raw.returns)
    units = raw.returns["units_returned"].to_numpy()
    above = units > np.where(rows >= 0, np.nan_to_num(shipped[rows]), 0.0)
    if above.any():
        shown = raw.returns.assign(units_shipped=np.where(rows >= 0, np.nan_to_num(shipped[rows]), 0.0))
        expected = "at most the units shipped to the same store, product and week"
        raise bad_rows(shown, above, f"{raw.name}/returns", "units_returned", expected)
    returned[rows[rows >= 0]] = units[rows >= 0]
    return shipped, returned
