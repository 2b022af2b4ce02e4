"""Raw tables in, `weekly` and `outlook` out."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from demand.conditioning.grid import Grid, build_grid, codes, shipped_and_returned
from demand.conditioning.inputs import event_columns, price_columns, weather_columns
from demand.conditioning.plausible import check_deliveries, check_units, unit_means
from demand.conditioning.weeks import mondays
from demand.contracts import SHARES, check, columns
from demand.errors import DataError
from demand.sources import RawTables, absent_regions, check_raw

OUTLOOK_WEEKS = 8
# In real sets no week exceeds x1.7, and a change of x3 shows as x2 at the least: see check_units.
UNIT_JUMP = 1.9
TEXTS = ("region", "store_id", "product_id", "format", "category")
DEMOGRAPHICS = ("population", "median_income_usd", "household_size", *SHARES)


@dataclass(frozen=True)
class Conditioned:
    """The standard form of a data set.

    weekly: one row per series and week up to as_of, see its contract.
    outlook: the same without units, for the 8 weeks after as_of, for every living series.
    absent_regions: regions with stores and without one shipment; they have no rows.
    """

    weekly: pd.DataFrame
    outlook: pd.DataFrame
    absent_regions: tuple[str, ...]


def condition(raw_: RawTables, *, unit_jump: float = UNIT_JUMP) -> Conditioned:
    """The conditioned tables of all regions of `raw_`; `raw.region(name)` conditions one in less memory.

    A series lives from its first shipments row to as_of, or to the week in which its store closes or its
    product is delisted. Absent weeks within are 0 units, or unknown where the data set says so. units =
    shipped - returned. What is not known of weather, prices and demographics is NaN, of events 0.
    Raises DataError for broken contracts, unknown ids, returns above shipments, weeks in which a whole region
    is missing, and a region whose units jump by `unit_jump` or more.
    """
    raw = check_raw(raw_)
    if raw.shipments.empty:
        raise DataError(f"{raw.name}/shipments: expected at least one row; got none. Deliver shipments.")
    grid = build_grid(raw, OUTLOOK_WEEKS)
    check_deliveries(raw, grid)
    shipped, returned = shipped_and_returned(raw, grid)
    inputs = {
        "units": shipped - returned,
        "shipped": shipped,
        "returned": returned,
        **weather_columns(raw, grid),
        **event_columns(raw, grid),
        **price_columns(raw, grid),
    }
    weekly, outlook = (_table(raw, grid, inputs, table) for table in ("weekly", "outlook"))
    check_units(unit_means(weekly), f"{raw.name}/shipments", unit_jump)
    return Conditioned(weekly, outlook, tuple(absent_regions(raw)))


def _table(raw: RawTables, grid: Grid, inputs: dict[str, object], table: str) -> pd.DataFrame:
    """The rows of the grid that belong to `weekly` or to `outlook`, as their contract has them."""
    rows = np.flatnonzero(grid.known if table == "weekly" else ~grid.known)
    attributes = _attributes(raw, grid, rows)
    values = {name: column[rows] for name, column in inputs.items() if name in columns(table)}  # type: ignore[index]
    found = {**attributes, "week": mondays(grid.week[rows]), **values}
    # Every array is new here: a copy of them all would be most of the memory that a region takes.
    frame = pd.DataFrame({name: found[name] for name in columns(table)}, copy=False)
    return check(table, frame, f"{raw.name}/{table}")


def _attributes(raw: RawTables, grid: Grid, rows: NDArray[np.intp]) -> dict[str, object]:
    """Columns that are the same in every week of a series."""
    of_series = grid.of_series[rows]
    found: dict[str, object] = {name: grid.series[name].array.take(of_series) for name in TEXTS}
    if raw.shopper_demographics is None:
        return found | dict.fromkeys(DEMOGRAPHICS, np.full(len(rows), np.nan))
    position = codes(grid.series["store_id"], pd.Index(raw.shopper_demographics["store_id"]))
    for name in DEMOGRAPHICS:
        values = np.append(raw.shopper_demographics[name].to_numpy(), np.nan)  # -1, unknown, takes the NaN
        found[name] = values[position][of_series]
    return found
