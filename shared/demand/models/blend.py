"""The weight of the two members, in log space, chosen on the validation window."""

import numpy as np
from scipy.optimize import brentq

from demand.metrics import mape, wape
from demand.models.encoding import Floats
from demand.models.scale import to_units

GRID = np.linspace(0, 1, 21)
EQUAL = 0.5
SHRINK = 0.2  # towards equal weights: validation is short, and on noisy sets the curve is flat
LARGEST_SHIFT = 0.5  # log ratio


def blend(lasso: Floats, network: Floats, weight: float) -> Floats:
    """Log ratios (n_rows,): `weight` of the network's and the rest of the LASSO's."""
    return (np.float32(1 - weight) * lasso + np.float32(weight) * network).astype(np.float32)


def choose_weight(
    members: tuple[Floats, Floats], units: Floats, scale: tuple[Floats, Floats], objective: str
) -> float:
    """The network's weight with the least MAPE (mape) or WAPE (balanced), shrunk a fifth of the way to 1/2.

    members: log ratios of LASSO and network; units: actual; scale: level and offset in units; all (n_rows,).
    Without a row that can be scored the weight is one half.
    """
    error = mape if objective == "mape" else wape
    errors = np.array([error(units, to_units(blend(*members, weight), *scale)) for weight in GRID])
    if np.isnan(errors).all():
        return EQUAL
    return float((1 - SHRINK) * GRID[int(np.nanargmin(errors))] + SHRINK * EQUAL)


def choose_shift(ratio: Floats, units: Floats, scale: tuple[Floats, Floats]) -> float:
    """What to add to forecast log ratios so that forecasts sum to the actual units, at most 0.5 either way.

    ratio: log ratios; units: actual; scale: level and offset in units; all (n_rows,).
    """
    total = float(units.sum())

    def missing(shift: float) -> float:
        return float(to_units(ratio + np.float32(shift), *scale).sum()) - total

    if missing(-LARGEST_SHIFT) >= 0:
        return -LARGEST_SHIFT
    if missing(LARGEST_SHIFT) <= 0:
        return LARGEST_SHIFT
    return float(brentq(missing, -LARGEST_SHIFT, LARGEST_SHIFT, xtol=1e-4))
