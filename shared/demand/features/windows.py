"""Lags and rolling statistics of many series at chosen weeks, from cumulative sums: one pass, any window."""

from functools import cached_property

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]
Ints = NDArray[np.intp]


def shifted(values: NDArray[np.floating], at: Ints) -> Floats:
    """The columns `at` of `values`, shape (n_series, n_at); NaN where a column lies outside."""
    inside = (at >= 0) & (at < values.shape[1])
    if inside.all():
        return values[:, at].astype(np.float32, copy=False)
    found = np.full((values.shape[0], len(at)), np.nan, np.float32)
    found[:, inside] = values[:, at[inside]]
    return found


class Windows:
    """Rolling statistics over the last weeks of `values`, shape (n_series, n_weeks), NaN where not known.

    Every method takes `at`, the columns a window ends at, inclusive, and gives float32 (n_series, n_at).
    A window that reaches before the first week uses what is there; one without a known week gives NaN.
    """

    def __init__(self, values: NDArray[np.floating]) -> None:
        self.values = values
        self.n_weeks = values.shape[1]

    def mean(self, at: Ints, weeks: int) -> Floats:
        """Mean of the known values of the window."""
        count, total = self._window(self._counts, at, weeks), self._window(self._sums, at, weeks)
        return _divided(total, count)

    def mean_of_all(self, weeks: int, out: Floats) -> None:
        """Write the mean of the window that ends at every week into `out`, shape (n_series, n_weeks)."""
        if not self._known.all():
            out[:] = self.mean(np.arange(self.n_weeks), weeks)
            return
        full, sums = min(weeks, self.n_weeks), self._sums
        total = sums[:, 1:].copy()
        total[:, full:] -= sums[:, 1 : self.n_weeks + 1 - full]
        np.divide(total, np.minimum(np.arange(1, self.n_weeks + 1), weeks), out=out, casting="same_kind")

    def count(self, at: Ints, weeks: int) -> Floats:
        """Number of known weeks of the window."""
        count = self._window(self._counts, at, weeks).astype(np.float32)
        return np.broadcast_to(count, (len(self.values), len(at)))

    def zero_share(self, at: Ints, weeks: int) -> Floats:
        """Share of the known weeks of the window whose value is 0 or less."""
        return _divided(self._window(self._zeros, at, weeks), self._window(self._counts, at, weeks))

    def deviation(self, at: Ints, weeks: int) -> Floats:
        """Population standard deviation of the known values of the window."""
        # In float64 to the end: float32 would give a steady series of 1,000 units a deviation of 0.2.
        sums = (self._counts, self._sums, self._squares)
        count, total, squares = (self._window(cumulative, at, weeks) for cumulative in sums)
        with np.errstate(divide="ignore", invalid="ignore"):
            variance = squares / count - (total / count) ** 2
        return np.sqrt(np.maximum(variance, 0)).astype(np.float32)

    def _window(self, cumulative: Doubles, at: Ints, weeks: int) -> Doubles:
        end = np.clip(at + 1, 0, self.n_weeks)
        start = np.clip(at + 1 - weeks, 0, self.n_weeks)
        return _columns(cumulative, end) - _columns(cumulative, start)

    @cached_property
    def _known(self) -> NDArray[np.bool_]:
        known: NDArray[np.bool_] = ~np.isnan(self.values)
        return known

    @cached_property
    def _sums(self) -> Doubles:
        return _cumulative(np.where(self._known, self.values, 0))

    @cached_property
    def _counts(self) -> Doubles:
        if self._known.all():  # one row serves every series
            return np.arange(self.n_weeks + 1, dtype=np.float64)[None]
        return _cumulative(self._known)

    @cached_property
    def _squares(self) -> Doubles:
        return _cumulative(np.where(self._known, self.values, 0).astype(np.float64) ** 2)

    @cached_property
    def _zeros(self) -> Doubles:
        return _cumulative(self._known & (np.where(self._known, self.values, 1) <= 0))


def lag_features(values: NDArray[np.floating], lags: tuple[int, ...], windows: tuple[int, ...]) -> Floats:
    """Lags and rolling means at every week, shape (n_features, n_series, n_weeks); lag 0 is the week itself.

    The rows are `lags` in their order, then the means over the last `windows` weeks.
    """
    rolling, n_weeks = Windows(values), values.shape[1]
    out = np.empty((len(lags) + len(windows), *values.shape), np.float32)
    for i, lag in enumerate(lags):
        out[i, :, :lag] = np.nan
        out[i, :, lag:] = values[:, : max(n_weeks - lag, 0)]
    for i, weeks in enumerate(windows, start=len(lags)):
        rolling.mean_of_all(weeks, out[i])
    return out


def _cumulative(values: NDArray[np.generic]) -> Doubles:
    """Sums up to and without each column, shape (n_series, n_weeks + 1)."""
    out = np.zeros((values.shape[0], values.shape[1] + 1))
    np.cumsum(values, axis=1, dtype=np.float64, out=out[:, 1:])
    return out


def _columns(cumulative: Doubles, at: Ints) -> Doubles:
    steps = np.diff(at)
    if len(at) > 1 and (steps == 1).all():  # a slice is a view, a list of columns a copy
        return cumulative[:, at[0] : at[-1] + 1]
    return cumulative[:, at]


def _divided(total: Doubles, count: Doubles) -> Floats:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.divide(total, count).astype(np.float32)
