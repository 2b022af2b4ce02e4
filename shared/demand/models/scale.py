"""The target's scale: log ratio to the level, and back to units."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
LOWEST, HIGHEST = -8.0, 5.0  # of a forecast log ratio: e^5 is 148 times the level


def to_ratio(units: Floats, level: Floats, offset: Floats) -> Floats:
    """Z = log((units + k) / (S + k)), shape (n_rows,); S and k in units."""
    ratio: Floats = np.log((units + offset) / (level + offset))
    return ratio


def to_units(ratio: Floats, level: Floats, offset: Floats, least: float = 0.0) -> Floats:
    """Units of a log ratio, at least `least`; the inverse of `to_ratio`."""
    units: Floats = np.exp(np.clip(ratio, LOWEST, HIGHEST)) * (level + offset) - offset
    return np.maximum(units, np.float32(least))


def least_sale(units: Floats) -> float:
    """The fewest units that a week with sales can have: 1 where all known units are whole, else 0.

    The forecast of least relative error is never below it. units: (n_rows,), NaN where not known.
    """
    known = units[~np.isnan(units)]
    return float(len(known) > 0 and bool((known == np.rint(known)).all()))
