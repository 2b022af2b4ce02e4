"""What turns feature tables into model inputs: category codes and the scale of every feature."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from demand.features import CATEGORIES

Floats = NDArray[np.float32]
Codes = NDArray[np.int64]
UNKNOWN = 0  # the code of every category that training has not seen


@dataclass(frozen=True)
class Vocabulary:
    """Known values of each category, in CATEGORIES' order; the i-th has code i + 1, any other 0."""

    values: tuple[tuple[str, ...], ...]

    @property
    def sizes(self) -> tuple[int, ...]:
        """Number of codes of each category, unknown included."""
        return tuple(len(values) + 1 for values in self.values)

    def codes(self, series: pd.DataFrame) -> Codes:
        """Codes of each series, shape (n_series, n_categories): never negative, never beyond `sizes`."""
        columns = [pd.Index(known).get_indexer(pd.Index(series[name])) + 1 for name, known in self._pairs()]
        return np.stack(columns, axis=1).astype(np.int64)

    def _pairs(self) -> list[tuple[str, tuple[str, ...]]]:
        return list(zip(CATEGORIES, self.values, strict=True))


def learn_vocabulary(series: pd.DataFrame) -> Vocabulary:
    """The vocabulary of some series."""
    return Vocabulary(tuple(tuple(sorted(series[name].unique())) for name in CATEGORIES))


@dataclass(frozen=True)
class Scaler:
    """Mean and standard deviation of each feature, shape (n_features,); and the clip, in deviations."""

    center: Floats
    scale: Floats
    clip: float

    def __call__(self, values: Floats) -> Floats:
        """(values - center) / scale within the clip, NaN as 0, the mean; shape (n_rows, n_features)."""
        scaled: Floats = values - self.center
        scaled /= self.scale
        np.clip(scaled, -self.clip, self.clip, out=scaled)
        scaled[np.isnan(scaled)] = 0
        return scaled


def learn_scaler(values: Floats, clip: float) -> Scaler:
    """The scaler of a feature matrix; a feature that is unknown or the same everywhere scales to 0."""
    known = ~np.isnan(values)
    count = np.maximum(known.sum(axis=0), 1)
    filled = np.where(known, values, np.float32(0))
    center = filled.sum(axis=0, dtype=np.float64) / count
    second = np.einsum("ij,ij->j", filled, filled, dtype=np.float64) / count
    deviation = np.sqrt(np.maximum(second - center**2, 0))
    # Too small a spread is rounding; dividing by it would make noise of one ulp a strong input.
    flat = deviation < 1e-4 * np.maximum(1, np.abs(center))
    return Scaler(center.astype(np.float32), np.where(flat, 1e6, deviation).astype(np.float32), clip)
