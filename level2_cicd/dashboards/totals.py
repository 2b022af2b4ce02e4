"""Units of many series together: what came, and what is forecast of the weeks ahead."""

import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray

from level2_cicd.dashboards.packing import Doubles, pack
from level2_cicd.dashboards.series import SeriesTable

ENOUGH = 0.9  # share of the series that must be known for a week's total to be one
AHEAD, BEHIND = 4, 4  # weeks


def total_content(series: SeriesTable, segment: NDArray[np.intp], n_segments: int) -> dict[str, Any]:
    """Units per segment and week, (n_segments + 1, n_weeks): the last row is of series without a segment."""
    place = np.where(segment >= 0, segment, n_segments)
    planes = {name: _summed(getattr(series, name), place, n_segments + 1) for name in ("actual", "units")}
    return {
        "weeks": [f"{week:%Y-%m-%d}" for week in series.weeks],
        **{name: pack(values) for name, values in planes.items()},
    }


def outlook(series: SeriesTable) -> list[dict[str, Any]]:
    """Per region, and all together: units a week of the last weeks, of the weeks ahead, and the change in %.

    Only series that have both count, so that a series which begins or ends is no growth.
    """
    known = np.flatnonzero(np.isfinite(series.actual).any(axis=0))
    last = int(known[-1]) if len(known) else -1
    before = _mean(series.actual[:, max(0, last - BEHIND + 1) : last + 1])
    ahead = _mean(series.units[:, last + 1 : last + 1 + AHEAD])
    both = np.isfinite(before) & np.isfinite(ahead)
    regions = series.keys["region"].to_numpy()
    names = sorted(set(regions))
    chosen = [("All regions", both), *((name, both & (regions == name)) for name in names)]
    return [
        _line(name, before[rows].sum(), ahead[rows].sum(), int(rows.sum()))
        for name, rows in chosen
        if rows.any()
    ]


def _line(name: str, before: float, ahead: float, n: int) -> dict[str, Any]:
    change = 100 * (ahead / before - 1) if before > 0 else None
    return {"region": name, "series": n, "before": before, "ahead": ahead, "change": change}


def _mean(values: Doubles) -> Doubles:
    with warnings.catch_warnings():  # a series without a known week has no mean
        warnings.simplefilter("ignore", RuntimeWarning)
        return np.asarray(np.nanmean(values, axis=1)) if values.shape[1] else np.full(len(values), np.nan)


def _summed(values: Doubles, place: NDArray[np.intp], n: int) -> Doubles:
    """Sums over the series of each place, NaN for a week in which too few of them are known."""
    known = np.isfinite(values)
    sums, count = np.zeros((n, values.shape[1])), np.zeros((n, values.shape[1]))
    np.add.at(sums, place, np.where(known, values, 0.0))
    np.add.at(count, place, known)
    most = count.max(axis=1, initial=0, keepdims=True)
    return np.where((count > 0) & (count >= ENOUGH * most), sums, np.nan)
