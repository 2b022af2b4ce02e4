"""The weight of the two members, in log space, chosen on the validation window."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from demand.metrics import mape, wape
from demand.models.encoding import Floats
from demand.models.scale import to_units

GRID = np.linspace(0, 1, 21)
EQUAL = 0.5
PRIOR = 3000.0  # rows that the curve of all segments together counts for in each
# Of last year in weeks that no model has learned to carry over; figures: docs/decisions, the ensemble.
ANCHORED = 2 / 3


def blend(lasso: Floats, network: Floats, weight: float) -> Floats:
    """Log ratios (n_rows,): `weight` of the network's and the rest of the LASSO's."""
    return (np.float32(1 - weight) * lasso + np.float32(weight) * network).astype(np.float32)


def anchored(ratio: Floats, anchor: Floats) -> Floats:
    """Log ratios (n_rows,), two thirds of the way to a row's anchor, (n_rows,), NaN where it has none."""
    share = np.float32(ANCHORED)
    return np.where(np.isnan(anchor), ratio, (1 - share) * ratio + share * anchor).astype(np.float32)


@dataclass(frozen=True)
class Curve:
    """Error in percent at each weight of GRID, NaN where nothing can be scored, and the rows behind it."""

    error: NDArray[np.float64]
    rows: int


def error_curve(
    members: tuple[Floats, Floats],
    units: Floats,
    scale: tuple[Floats, Floats],
    objective: str,
    least: float = 0.0,
) -> Curve:
    """MAPE (mape) or WAPE (balanced) at each weight of the network.

    members: log ratios of LASSO and network; units: actual; scale: level and offset in units; all (n_rows,).
    least: units that no forecast is below.
    """
    error = mape if objective == "mape" else wape
    errors = [error(units, to_units(blend(*members, weight), *scale, least)) for weight in GRID]
    return Curve(np.array(errors), int(np.count_nonzero(units > 0)))


def pooled_curve(curves: list[Curve]) -> Curve:
    """The mean of curves, each counting by its rows; 0 everywhere, for no rows, without any."""
    known = [curve for curve in curves if curve.rows > 0 and np.isfinite(curve.error).all()]
    rows = sum(curve.rows for curve in known)
    total = sum((curve.rows * curve.error for curve in known), np.zeros(len(GRID)))
    return Curve(total / max(1, rows), rows)


def choose_weight(own: Curve, prior: Curve) -> float:
    """The network's weight with the least error; `prior` counts for PRIOR rows beside the segment's own.

    A segment's window is short; what all segments say together steadies it (James and Stein, 1961). Without a
    row that can be scored in either the weight is one half.
    """
    if own.rows == 0 and prior.rows == 0:
        return EQUAL
    total = PRIOR * prior.error + own.rows * np.nan_to_num(own.error)
    return float(GRID[int(np.argmin(total))])
