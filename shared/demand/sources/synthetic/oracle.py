"""The forecast that no model can beat: the point of least MAPE of the true distribution."""

from functools import cache

import numpy as np
from scipy.stats import gamma, nbinom

from demand.sources.synthetic.sizes import Floats

MEANS = np.exp(np.linspace(np.log(0.02), np.log(400.0), 240))
ALPHAS = np.linspace(0.02, 0.15, 14)


def mape_best(mean: Floats, alpha: Floats) -> Floats:
    """Units p that minimise the mean of |y - p| / y over y > 0, y negative binomial; shape of `mean`.

    `alpha` is the dispersion per row (variance mean + alpha mean^2). A share of zero weeks does not
    matter, since MAPE leaves them out. Up to a mean of 400 from a table, above it from the gamma limit.
    """
    alpha = np.broadcast_to(alpha, mean.shape)
    low = _from_table(np.clip(mean, MEANS[0], MEANS[-1]), np.clip(alpha, ALPHAS[0], ALPHAS[-1]))
    high = np.maximum(mean, MEANS[-1])
    spread = alpha + 1 / high
    return np.where(mean <= MEANS[-1], low, _gamma_median(high, spread))


def _gamma_median(mean: Floats, spread: Floats) -> Floats:
    """Median of gamma weighted by 1 / y: shape 1 / spread - 1 (Wilson-Hilferty, within 0.1 % here)."""
    shape = 1 / spread - 1
    return shape * (1 - 1 / (9 * shape)) ** 3 * spread * mean


@cache
def _table() -> Floats:
    """Best points over MEANS x ALPHAS: medians of the distribution weighted by p(y) / y."""
    units = np.arange(1, 1 + int(gamma.ppf(0.99999, 1 / ALPHAS[-1], scale=MEANS[-1] * ALPHAS[-1])))
    best = np.empty((len(MEANS), len(ALPHAS)))
    for column, alpha in enumerate(ALPHAS):
        shape = 1 / alpha
        weight = nbinom.pmf(units, shape, shape / (shape + MEANS[:, None])) / units
        passed = np.cumsum(weight, axis=1) >= weight.sum(axis=1, keepdims=True) / 2
        best[:, column] = units[passed.argmax(axis=1)]
    return best


def _from_table(mean: Floats, alpha: Floats) -> Floats:
    """Linear in log mean and alpha between the points of the table."""
    table = _table()
    row = np.log(mean / MEANS[0]) / np.log(MEANS[-1] / MEANS[0]) * (len(MEANS) - 1)
    column = (alpha - ALPHAS[0]) / (ALPHAS[-1] - ALPHAS[0]) * (len(ALPHAS) - 1)
    r, c = np.minimum(row.astype(int), len(MEANS) - 2), np.minimum(column.astype(int), len(ALPHAS) - 2)
    up, right = row - r, column - c
    left = table[r, c] * (1 - up) + table[r + 1, c] * up
    best: Floats = left * (1 - right) + (table[r, c + 1] * (1 - up) + table[r + 1, c + 1] * up) * right
    return best
