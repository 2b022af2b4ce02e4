"""The baseline: the historical average of each series, one model per region and store format."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

GROUP = ["region", "format"]
KEYS = [*GROUP, "store_id", "product_id"]


@dataclass(frozen=True)
class HistoricalAverage:
    """Mean units a week of each series, and of each region and format for series not seen before."""

    series: "pd.Series[float]"
    groups: "pd.Series[float]"

    def predict(self, series: pd.DataFrame) -> NDArray[np.float64]:
        """Units a week (n_series,) at any horizon; 0 for a region and format never seen."""
        return np.nan_to_num(self._known(series))

    def knows(self, series: pd.DataFrame) -> NDArray[np.bool_]:
        """Whether there is an average for each series, of its own or its region and format; (n_series,)."""
        known: NDArray[np.bool_] = ~np.isnan(self._known(series))
        return known

    def _known(self, series: pd.DataFrame) -> NDArray[np.float64]:
        known = self.series.reindex(pd.MultiIndex.from_frame(series[KEYS])).to_numpy()
        group = self.groups.reindex(pd.MultiIndex.from_frame(series[GROUP])).to_numpy()
        return np.where(np.isnan(known), group, known)


def fit_baseline(series: pd.DataFrame, mean_units: NDArray[np.floating]) -> HistoricalAverage:
    """The baseline of series with their mean known units a week, (n_series,); NaN where none is known."""
    table = series[KEYS].assign(units=np.asarray(mean_units, dtype=np.float64))
    return HistoricalAverage(table.set_index(KEYS)["units"], table.groupby(GROUP)["units"].mean())
