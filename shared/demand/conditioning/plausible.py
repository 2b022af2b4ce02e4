"""Refuses deliveries that keep every contract and yet can not be true: another unit, or none at all."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from demand.conditioning.grid import Floats, Grid, codes
from demand.conditioning.weeks import mondays, week_numbers
from demand.errors import DataError, UnitJumpError
from demand.sources import RawTables

WINDOW = 8  # weeks that a week is compared with
FEWEST = 4  # of them known, or the week is not judged
LASTING = 3  # weeks that a jump must last where no other region is there to compare with
PRODUCTS = 3  # fewer tell no change of unit from a promotion
YEAR = 52


def check_deliveries(raw: RawTables, grid: Grid) -> None:
    """Raises DataError if a region with living series has no shipments row in a whole week up to as_of.

    Where an absent week means zero units, such a week is a lost delivery and would be learned as no demand.
    """
    if raw.absent_week != "zero":
        return
    names = pd.Index(grid.series["region"].unique())
    origin, width = grid.week.min(), int(grid.as_of - grid.week.min() + 1)
    region = codes(grid.series["region"], names)[grid.of_series[grid.known]]
    alive = np.bincount(region * width + grid.week[grid.known] - origin, minlength=len(names) * width)
    store_region = raw.shipments["store_id"].map(raw.stores.set_index("store_id")["region"])
    cell = codes(store_region, names) * width + week_numbers(raw.shipments["week"]) - origin
    rows = np.bincount(cell, minlength=len(names) * width)
    lost = np.flatnonzero((alive > 0) & (rows == 0))
    if len(lost):
        shown = ", ".join(f"{names[i // width]} {_date(i % width + origin)}" for i in lost[:5])
        raise DataError(
            f"{raw.name}/shipments, column week: expected rows for every region in every week up to "
            f"{raw.as_of}; got none at all in {len(lost)} region-weeks, first {shown}. Deliver these weeks; "
            f"rows with 0 units say that nothing was shipped."
        )


def unit_means(weekly: pd.DataFrame) -> pd.DataFrame:
    """Mean shipped units per living series, one row per region, product_id and week where one is known."""
    known = weekly[weekly["shipped"].notna()]
    return known.groupby(["region", "product_id", "week"])["shipped"].mean().reset_index()


def check_units(means: pd.DataFrame, origin: str, jump: float) -> None:
    """Raises UnitJumpError if a region's units jump by `jump` or more, up or down, for all products at once.

    `means` as unit_means has them, of all regions. Product by product they are divided by their median over
    the 8 weeks before, and this by the same ratio of the other regions: a product's season or promotion moves
    all regions. A lone region is held against its own last year, and its jump must last 3 weeks or to the end
    of the data. The median over the products decides, where there are at least 3.
    """
    names = pd.Index(means["region"].unique())
    own = _log_ratios(_dense(means, names))
    size, moved = _over_products(own - _reference(own)), _over_products(own)
    jumps = np.abs(size) >= np.log(jump)
    if len(names) == 1:
        jumps = _lasting(jumps)
    if jumps.any():
        week = int(np.flatnonzero(jumps.any(axis=0))[0])
        # Of two regions that part, the one that moved more is named.
        region = int(np.argmax(np.where(jumps[:, week], np.abs(moved[:, week]), 0.0)))
        beside = "its own last year" if len(names) == 1 else "the other regions"
        raise UnitJumpError(
            f"{origin}, column units_shipped, region {names[region]}, week "
            f"{_date(week + week_numbers(means['week']).min())}: expected units like those of the {WINDOW} "
            f"weeks before; got x{np.exp(moved[region, week]):.2f} for the median product where {beside} had "
            f"x{np.exp(moved - size)[region, week]:.2f}, and {jumps.any(axis=0).sum()} such weeks. "
            f"Was the unit changed (pieces, cases)? "
            f"If the figures are right, allow jumps above x{jump:g}.",
            region=str(names[region]),
        )


def _dense(means: pd.DataFrame, names: "pd.Index[str]") -> Floats:
    """The means as an array (n_regions, n_products, n_weeks), NaN where nothing is known."""
    products = pd.Index(means["product_id"].unique())
    week = week_numbers(means["week"]) - week_numbers(means["week"]).min()
    dense: Floats = np.full((len(names), len(products), int(week.max()) + 1), np.nan)
    dense[codes(means["region"], names), codes(means["product_id"], products), week] = means["shipped"]
    return dense


def _log_ratios(means: Floats) -> Floats:
    """Log of each week's mean to the median of the weeks before, NaN where not judged; same shape."""
    before = np.pad(means, ((0, 0), (0, 0), (WINDOW, 0)), constant_values=np.nan)[:, :, :-1]
    windows = np.lib.stride_tricks.sliding_window_view(before, WINDOW, axis=2)
    base = _median(windows)
    judged = ((~np.isnan(windows)).sum(axis=3) >= FEWEST) & (base > 0) & (means > 0)
    ratios: Floats = np.divide(means, base, out=np.full(means.shape, np.nan), where=judged)
    return np.log(ratios)


def _reference(own: Floats) -> Floats:
    """What the same product did elsewhere that week, else what all products did, else 0; same shape."""
    if len(own) == 1:
        other = np.pad(own, ((0, 0), (0, 0), (YEAR, 0)), constant_values=np.nan)[:, :, : own.shape[2]]
    else:
        rest = (np.delete(own, i, axis=0) for i in range(len(own)))
        other = np.array([_median(np.moveaxis(values, 0, -1)) for values in rest])
    all_products = np.broadcast_to(_median(np.swapaxes(other, 1, 2))[:, None, :], own.shape)
    return np.nan_to_num(np.where(np.isnan(other), all_products, other))


def _over_products(values: Floats) -> Floats:
    """Median over the products, NaN where fewer than 3 are judged; shape (n_regions, n_weeks)."""
    enough = (~np.isnan(values)).sum(axis=1) >= PRODUCTS
    return np.where(enough, _median(np.swapaxes(values, 1, 2)), np.nan)


def _median(values: Floats) -> Floats:
    """Median of the known values along the last axis, NaN where there is none."""
    ordered = np.sort(values, axis=-1)  # NaN last
    count = (~np.isnan(values)).sum(axis=-1, keepdims=True)
    low, high = np.maximum((count - 1) // 2, 0), np.maximum(count // 2, 0)
    high = np.minimum(high, values.shape[-1] - 1)
    middle = np.take_along_axis(ordered, low, -1) + np.take_along_axis(ordered, high, -1)
    return np.where(count > 0, middle / 2, np.nan)[..., 0]


def _lasting(jumps: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Jumps that hold in the next weeks too, as far as there are any; shape (n_regions, n_weeks)."""
    width = jumps.shape[1]
    later = np.pad(jumps, ((0, 0), (0, LASTING - 1)), constant_values=True)
    lasting: NDArray[np.bool_] = np.all([later[:, i : i + width] for i in range(LASTING)], axis=0)
    return lasting


def _date(week: int) -> str:
    return str(mondays(np.array([week]))[0].astype("datetime64[D]"))
