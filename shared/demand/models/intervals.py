"""Prediction intervals: split conformal quantiles of validation errors by horizon and volume band.

Vovk, Gammerman and Shafer (2005); bands make the width fit small and large series alike (Mondrian conformal).
"""

from dataclasses import dataclass

import numpy as np

from demand.models.encoding import Floats

BANDS = 3
FEWEST = 60  # errors in a cell from which it stands for itself


@dataclass(frozen=True)
class Intervals:
    """What to add to a forecast log ratio.

    edges: (BANDS - 1,) levels in units between volume bands. lower, upper: (BANDS, n_horizons) log ratios.
    """

    edges: Floats
    lower: Floats
    upper: Floats

    def bounds(self, ratio: Floats, level: Floats, horizon: np.ndarray) -> tuple[Floats, Floats]:
        """Lower and upper log ratios (n_rows,) of forecasts; horizon counts from 1."""
        band = np.searchsorted(self.edges, level, side="right")
        step = np.clip(horizon, 1, self.lower.shape[1]) - 1
        return ratio + self.lower[band, step], ratio + self.upper[band, step]


def learn_intervals(
    error: Floats, level: Floats, horizon: np.ndarray, n_horizons: int, nominal: float
) -> Intervals:
    """Intervals from errors actual - forecast in log ratios, shape (n_rows,), not empty; `nominal` a share.

    A cell of fewer than 60 errors takes those of its band, then those of all rows.
    """
    edges = np.quantile(level, np.arange(1, BANDS) / BANDS).astype(np.float32)
    band = np.searchsorted(edges, level, side="right")
    lower, upper = np.empty((2, BANDS, n_horizons), np.float32)
    for row in range(BANDS):
        for column in range(n_horizons):
            cell = error[(band == row) & (horizon == column + 1)]
            near = error[band == row]
            chosen = next((part for part in (cell, near) if len(part) >= FEWEST), error)
            lower[row, column], upper[row, column] = _quantiles(chosen, nominal)
    return Intervals(edges, lower, upper)


def _quantiles(error: Floats, nominal: float) -> tuple[float, float]:
    """The conformal quantiles, rank floor((n + 1) (1 - nominal) / 2) from either end, else the extremes."""
    ordered = np.sort(error)
    rank = int(np.floor((len(ordered) + 1) * (1 - nominal) / 2)) - 1
    low = max(rank, 0)
    return min(float(ordered[low]), 0.0), max(float(ordered[-1 - low]), 0.0)
