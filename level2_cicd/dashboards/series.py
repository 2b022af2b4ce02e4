"""Forecasts beside what came, for every series: as many weeks and series as a page can carry."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from level2_cicd.dashboards.gathered import Gathered
from level2_cicd.dashboards.packing import Doubles, pack

KEYS = ["region", "store_id", "product_id"]
BOUNDS = ("units", "lower", "upper")
WEEKS = 104  # of the past
FEWEST_WEEKS = 26  # before series are left out, weeks are, down to these


@dataclass(frozen=True)
class SeriesTable:
    """Series and weeks as matrices (n_series, n_weeks), NaN where not known.

    keys: region, store_id, product_id of each series. left_out: series that found no room.
    """

    keys: pd.DataFrame
    weeks: pd.DatetimeIndex
    actual: Doubles
    units: Doubles
    lower: Doubles
    upper: Doubles
    left_out: int

    def content(self, segments: NDArray[np.intp]) -> dict[str, Any]:
        """What the browser unpacks; segments: index of each series' segment."""
        return {
            "weeks": [f"{week:%Y-%m-%d}" for week in self.weeks],
            "stores": _coded(self.keys["store_id"]),
            "products": _coded(self.keys["product_id"]),
            "segments": segments.tolist(),
            "actual": pack(self.actual),
            "units": pack(self.units),
            "lower": pack(self.lower, coarse=True),
            "upper": pack(self.upper, coarse=True),
            "leftOut": self.left_out,
        }


def series_table(found: Gathered, cells: int) -> SeriesTable | None:
    """Of each series and week the forecast that was made last before it, and what came; None without any.

    cells: how many series x weeks at most. Forecasts: of scoring runs, of what is published, else of the
    weeks that judged the model.
    """
    forecasts = freshest(found)
    if forecasts.empty:
        return None
    keys, row = _series(forecasts)
    came = known_actuals(found)
    weeks = _weeks(pd.concat([forecasts["week"], came["week"]]), cells // len(keys))
    rank = _ranked(forecasts["units"].to_numpy(), row, len(keys))
    room = max(1, cells // len(weeks))
    kept = np.sort(rank[:room])
    grid = _Grid(keys.iloc[kept].reset_index(drop=True), weeks)
    planes = {name: grid.fill(forecasts, name) for name in BOUNDS}
    actual = grid.fill(came, "units")
    return SeriesTable(grid.keys, weeks, actual, **planes, left_out=len(keys) - len(kept))


def freshest(found: Gathered) -> pd.DataFrame:
    """Region, store_id, product_id, week, horizon, units, lower, upper: one row per series and week."""
    columns = [*KEYS, "week", "horizon", *BOUNDS]
    parts = [part[columns] for part in (found.history.value, found.forecasts.value) if part is not None]
    if found.backtest.value is not None:
        parts.append(found.backtest.value.rename(columns={"ensemble": "units"})[columns])
    if not parts:
        return pd.DataFrame({name: [] for name in columns})
    # A stable sort keeps the order of the parts among rows of the same horizon.
    rows = pd.concat(parts, ignore_index=True).sort_values("horizon", kind="stable")
    return rows.drop_duplicates([*KEYS, "week"], keep="first", ignore_index=True)


def known_actuals(found: Gathered) -> pd.DataFrame:
    """Region, store_id, product_id, week and units that came, one row per series and week."""
    columns = [*KEYS, "week", "units"]
    parts = [] if found.actuals.value is None else [found.actuals.value[columns]]
    if found.backtest.value is not None:
        judged = found.backtest.value[[*KEYS, "week", "actual"]].rename(columns={"actual": "units"})
        parts.append(judged)
    if not parts:
        return pd.DataFrame({name: [] for name in columns})
    return pd.concat(parts, ignore_index=True).drop_duplicates([*KEYS, "week"], ignore_index=True)


class _Grid:
    """Places rows of tables into matrices of series and weeks."""

    def __init__(self, keys: pd.DataFrame, weeks: pd.DatetimeIndex) -> None:
        self.keys, self.weeks = keys, weeks
        self._index = pd.MultiIndex.from_frame(keys)

    def fill(self, rows: pd.DataFrame, column: str) -> Doubles:
        """The column as a matrix (n_series, n_weeks); a number below 0 counts as 0."""
        out = np.full((len(self.keys), len(self.weeks)), np.nan)
        series = self._index.get_indexer(pd.MultiIndex.from_frame(rows[KEYS]))
        week = self.weeks.get_indexer(pd.DatetimeIndex(rows["week"]))
        inside = (series >= 0) & (week >= 0)
        values = rows[column].to_numpy(dtype=np.float64)
        out[series[inside], week[inside]] = np.maximum(values[inside], 0)
        return out


def _series(rows: pd.DataFrame) -> tuple[pd.DataFrame, NDArray[np.intp]]:
    """The series of some rows, sorted, and the series of each row."""
    groups = rows.groupby(KEYS, sort=True)
    number = groups.ngroup().to_numpy().astype(np.intp)
    return rows[KEYS].drop_duplicates().sort_values(KEYS, ignore_index=True), number


def _weeks(week: pd.Series, room: int) -> pd.DatetimeIndex:
    """Every Monday up to the last one; fewer where there are many series."""
    last = week.max()
    first = max(week.min(), last - pd.Timedelta(weeks=min(WEEKS + 8, max(FEWEST_WEEKS, room)) - 1))
    return pd.date_range(first, last, freq="7D", unit="us")


def _ranked(units: Doubles, row: NDArray[np.intp], n_series: int) -> NDArray[np.intp]:
    """Series by what is forecast of them, the largest first."""
    total = np.bincount(row, weights=np.nan_to_num(units), minlength=n_series)
    return np.argsort(-total, kind="stable").astype(np.intp)


def _coded(values: pd.Series) -> dict[str, Any]:
    codes, names = pd.factorize(values)
    return {"names": [str(name) for name in names], "codes": codes.tolist()}
