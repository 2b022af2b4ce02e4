"""Ratios of MAPEs and how sure they are: whole series are drawn again and again."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import stdtr, stdtrit

NAN = float("nan")
CELLS = 2**20  # series drawn in one piece: bounds the memory, not the result


@dataclass(frozen=True)
class Ratio:
    """A ratio of two MAPEs. error: standard error of its logarithm. series: how many it comes from."""

    value: float = NAN
    error: float = NAN
    series: int = 0

    def chance(self, limit: float) -> float:
        """How likely a ratio this low would be if it were `limit` in truth, a share; NaN: not known."""
        distance = np.log(self.value / limit) if self.value > 0 else NAN
        if self.series < 2 or not self.error >= 0:
            return NAN
        if self.error == 0:
            return float(distance >= 0)
        return float(stdtr(self.series - 1, distance / self.error))

    def bounds(self, level: float) -> tuple[float, float]:
        """Bounds below and above the ratio, each wrong with the chance `level`; NaN: not known."""
        if self.series < 2:
            return NAN, NAN
        with np.errstate(over="ignore"):  # so few series that there is no bound
            away = np.exp(-stdtrit(self.series - 1, level) * self.error)
        return float(self.value / away), float(self.value * away)


UNKNOWN = Ratio()


def mape_ratio(rows: pd.DataFrame, theirs: str, *, draws: int, seed: int) -> Ratio:
    """The MAPE of column `ensemble` over that of column `theirs`, on the rows given; all must have sold.

    Series are resampled whole, both columns together: a paired cluster bootstrap. It gives the standard error
    of the log ratio, and bounds follow from Student's t on one degree of freedom less than there are series
    (Efron and Tibshirani, 1993, chapters 6, 8 and 12). A percentile at 0.05 / 56 would need tens of thousands
    of draws; a standard error needs hundreds. Of a single series the error is not known.
    """
    return ratio_of(_errors(rows, theirs), draws=draws, seed=seed)


def ratio_of(sums: NDArray[np.float64], *, draws: int, seed: int) -> Ratio:
    """The ratio of two columns' totals, each row a series: ours and theirs, (n_series, 2)."""
    ours, other = sums.sum(axis=0)
    value = float(ours / other) if other > 0 else NAN
    known = ours > 0 and other > 0 and len(sums) > 1
    return Ratio(value, _standard_error(sums, draws, seed) if known else NAN, len(sums))


def holm_levels(chances: Sequence[float], level: float) -> list[float]:
    """The level at which each of several comparisons is tested, so that `level` holds for all together.

    chances: how likely each finding would be by chance; NaN where nothing was compared, which does not count.
    Holm (1979): the clearest finding is tested at level / m, the next at level / (m - 1), and so on until one
    fails; the rest is tested at that one's level. Valid however the comparisons depend on each other, and
    never weaker than Bonferroni's level / m for all. A finding holds where its chance is below its level.
    """
    known = np.asarray(chances, dtype=np.float64)
    order = np.argsort(known, kind="stable")[: int(np.isfinite(known).sum())]
    levels = np.full(len(known), level / max(1, len(order)))
    first = np.searchsorted(known[order], known[order])  # equal findings share the place of the first
    for place, index in zip(first, order, strict=True):
        remaining = level / (len(order) - place)
        if known[index] >= remaining:
            levels[order[place:]] = remaining
            break
        levels[index] = remaining
    return [float(each) for each in levels]


def _errors(rows: pd.DataFrame, theirs: str) -> NDArray[np.float64]:
    """Sums of relative errors of each series: ours and theirs, (n_series, 2)."""
    relative = rows[["ensemble", theirs]].sub(rows["actual"], axis=0).abs().div(rows["actual"], axis=0)
    totals = relative.groupby([rows["store_id"], rows["product_id"]]).sum()
    return totals.to_numpy(dtype=np.float64)


def _standard_error(sums: NDArray[np.float64], draws: int, seed: int) -> float:
    """Standard error of the log ratio of the two columns' totals; NaN where a draw holds no error at all."""
    random, count = np.random.default_rng(seed), len(sums)
    at_once = max(1, CELLS // count)
    parts = []
    for first in range(0, draws, at_once):
        picked = random.integers(0, count, (min(at_once, draws - first), count))
        parts.append(sums[picked].sum(axis=1))
    totals = np.concatenate(parts)
    if not (totals > 0).all():
        return NAN
    logs = np.log(totals[:, 0]) - np.log(totals[:, 1])
    # Drawing from n series shows (n - 1) / n of their variance.
    return float(np.sqrt(count / (count - 1)) * logs.std())
