"""How far a sample lies from a reference: effect sizes, one float each, NaN where one of them is empty.

A p-value alone says little here: with enough rows it calls any difference significant.
Samples are arrays of shape (n,), NaN for what is not known, which does not count.
"""

from collections.abc import Mapping, Set

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import wasserstein_distance

BINS = 10
HALF = 0.5  # rows added to each bin, so that an empty one gives a large number and not infinity


def psi(reference: ArrayLike, current: ArrayLike, bins: int = BINS) -> float:
    """Population stability index over quantile bins of the reference, 0 or more; 0.25 counts as much.

    Siddiqi, Credit Risk Scorecards (2006), chapter 9. Even without any drift it is about
    (bins - 1) (1 / n + 1 / m) for n and m independent rows (Yurdakul, 2018).
    """
    before, now = _known(reference), _known(current)
    if not (before.size and now.size):
        return float("nan")
    inner = np.unique(np.quantile(before, np.arange(1, bins) / bins))
    counts = [np.bincount(np.searchsorted(inner, x), minlength=len(inner) + 1) for x in (before, now)]
    return _index(*(count.astype(np.float64) for count in counts))


def ks(reference: ArrayLike, current: ArrayLike) -> float:
    """Largest distance between the two empirical distribution functions, 0 to 1 (Kolmogorov and Smirnov).

    Formula: Hodges, Arkiv foer Matematik 3 (1958), equation 2.1.
    """
    before, now = np.sort(_known(reference)), np.sort(_known(current))
    if not (before.size and now.size):
        return float("nan")
    at = np.concatenate([before, now])
    share = [np.searchsorted(x, at, side="right") / x.size for x in (before, now)]
    return float(np.abs(share[0] - share[1]).max())


def wasserstein(reference: ArrayLike, current: ArrayLike) -> float:
    """Mean distance that the values have to be moved, in standard deviations of the reference.

    Ramdas, Garcia and Cuturi, Entropy 19 (2017), proposition 1. A reference that never changes has no
    standard deviation; the distance is then in the unit of the values.
    """
    before, now = _known(reference), _known(current)
    if not (before.size and now.size):
        return float("nan")
    return float(wasserstein_distance(before, now) / (before.std() or 1.0))


def categorical_psi(reference: Mapping[str, float], current: Mapping[str, float]) -> float:
    """Population stability index over categories, 0 or more; counts by category, in rows or units.

    A category that one side lacks counts half a row there.
    """
    names = sorted({*reference, *current})
    before, now = (np.array([side.get(name, 0.0) for name in names]) for side in (reference, current))
    return _index(before, now) if before.sum() > 0 and now.sum() > 0 else float("nan")


def unseen_share(known: Set[str], current: ArrayLike) -> float:
    """Share of values, 0 to 1, that are not among the known ones."""
    values, counts = np.unique(np.asarray(current, dtype=np.str_), return_counts=True)
    unseen = np.array([value not in known for value in values], dtype=bool)
    return float(counts[unseen].sum() / counts.sum()) if counts.sum() else float("nan")


def _known(sample: ArrayLike) -> NDArray[np.float64]:
    values = np.asarray(sample, dtype=np.float64)
    return values[~np.isnan(values)]


def _index(before: NDArray[np.float64], now: NDArray[np.float64]) -> float:
    """Sum over bins of (q - p) ln(q / p) for the two shares."""
    p, q = ((side + HALF) / (side + HALF).sum() for side in (before, now))
    return float(((q - p) * np.log(q / p)).sum())
