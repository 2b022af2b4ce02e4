"""The target's scale: log ratio to the level, and back to units."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
LOWEST, HIGHEST = -8.0, 5.0  # of a forecast log ratio: e^5 is 148 times the level


def to_ratio(units: Floats, level: Floats, offset: Floats) -> Floats:
    """Z = log((units + k) / (S + k)), shape (n_rows,); S and k in units."""
    ratio: Floats = np.log((units + offset) / (level + offset))
    return ratio


def to_units(ratio: Floats, level: Floats, offset: Floats) -> Floats:
    """Units of a log ratio, at least 0; the inverse of `to_ratio`."""
    units: Floats = np.maximum(np.exp(np.clip(ratio, LOWEST, HIGHEST)) * (level + offset) - offset, 0)
    return units
