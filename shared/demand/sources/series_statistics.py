"""What weekly series look like, in figures that hold one data set against another."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from demand.sources.tables import RawTables

Array = npt.NDArray[Any]
Figures = dict[str, float]

LAGS = (1, 4, 13, 52)
LOCAL_WEEKS = 9  # width of the centred window that is a series' local level
QUARTER, YEAR = 13, 52  # weeks
FREQUENT, STEADY = 1.32, 0.49  # Syntetos and Boylan's bounds: weeks between sales, squared variation of sizes


@dataclass(frozen=True)
class Panel:
    """Series by weeks: `units` is NaN where nothing is known; `keys` has one row per series."""

    units: Array  # (series, weeks)
    weeks: Array  # (weeks,) Mondays
    keys: pd.DataFrame  # store_id, product_id, category, region, postal_code


def make_panel(raw: RawTables, last_weeks: int | None = None) -> Panel:
    """Net units of every series that sold in the window of the last weeks (all weeks if None).

    Weeks before a series' first sale are unknown; after it a week without a row is 0, or unknown where the
    data set says so.
    """
    net = raw.shipments.rename(columns={"units_shipped": "units"})
    if raw.returns is not None:
        back = raw.returns.rename(columns={"units_returned": "units"})
        net = pd.concat([net, back.assign(units=-back["units"])])
    wide = net.pivot_table(index=["store_id", "product_id"], columns="week", values="units", aggfunc="sum")
    wide = wide.reindex(columns=pd.date_range(wide.columns.min(), wide.columns.max(), freq="7D"))
    if raw.absent_week == "zero":
        seen = wide.notna().to_numpy()
        wide = wide.fillna(0.0).where(np.maximum.accumulate(seen, axis=1))
    wide = wide.iloc[:, -last_weeks:] if last_weeks else wide
    wide = wide[wide.sum(axis=1) > 0]
    stores = raw.stores[["store_id", "region", "postal_code"]]
    products = raw.products[["product_id", "category"]]
    keys = wide.index.to_frame(index=False).merge(stores, how="left").merge(products, how="left")
    return Panel(wide.to_numpy(), wide.columns.to_numpy(), keys)


def series_figures(panel: Panel, group: str) -> Figures:
    """Every figure of the series alone; `group` is the column of keys whose weeks may move together."""
    with warnings.catch_warnings():
        # A series of NaN in some window has no figure there; the percentiles pass over it.
        warnings.simplefilter("ignore", RuntimeWarning)
        return {
            **_levels(panel.units),
            **_classes(panel.units),
            **_memory(panel.units),
            **_shared(panel.units, panel.keys[group]),
            **_growth(panel.units),
            **_deciles(panel.units),
        }


def percentiles(name: str, values: Array, points: Sequence[int] = (10, 50, 90)) -> Figures:
    """One figure per percentile, named `name p10` and so on; NaN values are passed over."""
    found = np.nanpercentile(values, points)
    return {f"{name} p{point}": float(value) for point, value in zip(points, found, strict=True)}


def pearson(first: Array, second: Array) -> Array:
    """Correlation of each row of two arrays of the same shape, over cells known in both; (rows,)."""
    known = ~np.isnan(first) & ~np.isnan(second)
    a, b = (np.where(known, part, np.nan) for part in (first, second))
    a, b = (part - np.nanmean(part, axis=1, keepdims=True) for part in (a, b))
    scale = np.sqrt(np.nanmean(a * a, axis=1) * np.nanmean(b * b, axis=1))
    enough = (known.sum(axis=1) >= 20) & (scale > 0)
    return np.where(enough, np.nanmean(a * b, axis=1) / np.where(scale > 0, scale, 1), np.nan)


def _levels(units: Array) -> Figures:
    mean, variance = np.nanmean(units, axis=1), np.nanvar(units, axis=1)
    zero = np.nansum(units == 0, axis=1) / (~np.isnan(units)).sum(axis=1)
    ranked = np.sort(mean)[::-1]
    varies = (mean > 0) & (variance > 0)
    return {
        "zero weeks": float((units == 0).sum() / (~np.isnan(units)).sum()),
        **percentiles("zero share of a series", zero),
        **percentiles("mean of a series", mean, (5, 25, 50, 75, 95)),
        "volume in the top fifth": float(ranked[: len(ranked) // 5].sum() / ranked.sum()),
        "Taylor's exponent": float(np.polyfit(np.log(mean[varies]), np.log(variance[varies]), 1)[0]),
    }


def _classes(units: Array) -> Figures:
    """Shares of smooth, erratic, intermittent and lumpy series (Syntetos and Boylan 2005)."""
    sizes = np.where(units > 0, units, np.nan)
    frequent = (~np.isnan(units)).sum(axis=1) / (units > 0).sum(axis=1) < FREQUENT
    steady = (np.nanstd(sizes, axis=1) / np.nanmean(sizes, axis=1)) ** 2 < STEADY
    return {
        "smooth": float((frequent & steady).mean()),
        "erratic": float((frequent & ~steady).mean()),
        "intermittent": float((~frequent & steady).mean()),
        "lumpy": float((~frequent & ~steady).mean()),
    }


def _memory(units: Array) -> Figures:
    """Medians over series of the autocorrelation of log(1 + units), and the correlation with last year."""
    log = np.log1p(units)
    lagged = {
        f"autocorrelation at {lag} weeks": float(np.nanmedian(pearson(log[:, lag:], log[:, :-lag])))
        for lag in LAGS
    }
    # A centred mean over a year and a week takes the trend out and leaves the season in.
    trend = pd.DataFrame(log.T).rolling(YEAR + 1, center=True, min_periods=YEAR // 2).mean().to_numpy().T
    level = log - trend
    return {**lagged, **percentiles("correlation with last year", pearson(level[:, YEAR:], level[:, :-YEAR]))}


def _shared(units: Array, group: pd.Series) -> Figures:
    """Shares of the variance of log(1 + units) within series that a week, or group and week, explain."""
    centred = np.log1p(units) - np.nanmean(np.log1p(units), axis=1, keepdims=True)
    total = np.nanmean(centred**2)
    by_group = pd.DataFrame(centred).groupby(group.to_numpy()).transform("mean").to_numpy()
    return {
        "variance shared in a week": float(np.nanvar(np.nanmean(centred, axis=0)) / total),
        "variance shared by the group in a week": float(
            np.nanmean(np.where(np.isnan(centred), np.nan, by_group) ** 2) / total
        ),
    }


def _growth(units: Array) -> Figures:
    year, before = np.nansum(units[:, -YEAR:], axis=1), np.nansum(units[:, -2 * YEAR : -YEAR], axis=1)
    both = (year > 0) & (before > 0)
    return {
        **percentiles("growth on last year", np.log(year[both] / before[both])),
        "no sales in the last quarter": float((np.nansum(units[:, -QUARTER:], axis=1) == 0).mean()),
        "begun within the last year": float((np.nansum(units[:, :-YEAR], axis=1) == 0).mean()),
    }


def _deciles(units: Array) -> Figures:
    """By volume, low to high: median variation around the local level, and the share of zero weeks."""
    windows = pd.DataFrame(units.T).rolling(LOCAL_WEEKS, center=True, min_periods=LOCAL_WEEKS // 2 + 1)
    level = windows.mean().to_numpy().T
    variation = np.nanstd(np.where(level > 0, units / np.where(level > 0, level, 1), np.nan), axis=1)
    decile = pd.qcut(np.nanmean(units, axis=1), 10, labels=False)
    figures: Figures = {}
    for number in range(10):
        rows = decile == number
        zero = (units[rows] == 0).sum() / (~np.isnan(units[rows])).sum()
        figures[f"local variation, decile {number + 1}"] = float(np.nanmedian(variation[rows]))
        figures[f"zero weeks, decile {number + 1}"] = float(zero)
    return figures
