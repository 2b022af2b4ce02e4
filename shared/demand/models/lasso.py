"""The linear member: LASSO on weighted Gram matrices, so that one pass over the rows serves a whole path.

Grams add up: over chunks of rows, over segments, over weeks. A segment's fit borrows from the other segments
of its region by adding a share of their Grams. Relative error is reached by iteratively reweighted least
squares (Holland and Welsch, 1977): after a fit, each row weighs as much as makes the gradient of its squared
log error that of its absolute relative error.
"""

import warnings
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import lasso_path

from demand.models.design import Design
from demand.models.encoding import Codes, Floats

CHUNK = 32_768  # rows
RIDGE = 1e-5  # of a standardised column's variance: keeps the factor of collinear columns
FLAT = 1e-5  # of a column's mean square: a variance below it is float32 rounding of a constant
NEAREST = 0.05  # log error below which a row's weight grows no more
Doubles = NDArray[np.float64]


@dataclass(frozen=True)
class LassoMember:
    """A fitted linear member.

    linear: (n_features,). products: (n_pairs,) on `pairs` (n_pairs, 2). one_hot: one (size,) array per
    category of ONE_HOT, 0 for codes without a column. intercept: log ratio.
    """

    linear: Floats
    products: Floats
    pairs: NDArray[np.intp]
    one_hot: tuple[Floats, ...]
    intercept: float

    def predict(self, values: Floats, codes: Codes) -> Floats:
        """Log ratios, shape (n_rows,); values scaled (n_rows, n_features), codes of ONE_HOT (n_rows, 2)."""
        used = self.products != 0
        pairs = self.pairs[used]
        ratio = values @ self.linear + self.intercept
        ratio += (values[:, pairs[:, 0]] * values[:, pairs[:, 1]]) @ self.products[used]
        for i, table in enumerate(self.one_hot):
            ratio += table[codes[:, i]]
        return ratio.astype(np.float32)


def gram(design: Design, values: Floats, codes: Codes, ratio: Floats, weight: Floats) -> Doubles:
    """Weighted Gram matrix of [columns, 1, ratio], shape (width + 2, width + 2).

    One-hot columns are all but empty: their products with the others are sums over the rows of each level.
    """
    width, n_dense = design.width, design.n_dense
    dense = [*range(n_dense), width, width + 1]
    total = np.zeros((width + 2, width + 2))
    room = np.empty((min(CHUNK, len(values)), n_dense + 2), np.float32)
    for start in range(0, len(values), CHUNK):
        rows = slice(start, start + CHUNK)
        root = np.sqrt(weight[rows])
        columns, hot = room[: len(root)], design.one_hot(codes[rows])
        design.dense(values[rows], columns[:, :-2])
        columns[:, -2], columns[:, -1] = 1, ratio[rows]
        columns *= root[:, None]
        hot.data *= root.repeat(np.diff(hot.indptr))
        total[np.ix_(dense, dense)] += columns.T @ columns
        total[n_dense:width, dense] += hot.T @ columns
        total[n_dense:width, n_dense:width] += (hot.T @ hot).toarray()
    total[np.ix_(dense, range(n_dense, width))] = total[n_dense:width, dense].T
    return total


def pooled(grams: list[Doubles], share: float) -> list[Doubles]:
    """Each Gram plus `share` times the sum of the others; one without rows takes them whole."""
    everything = np.sum(grams, axis=0)
    return [(1 - share) * own + share * everything if own[-2, -2] > 0 else everything for own in grams]


def path(total: Doubles, alphas: Doubles) -> tuple[Doubles, Doubles]:
    """Coefficients (width, n_alphas) and intercepts (n_alphas,) of the LASSO on a Gram, alphas descending.

    The Gram of standardised columns is factored into a square matrix that has the same Gram, which
    scikit-learn's coordinate descent then takes for the rows. Without rows everything is 0: the level itself.
    """
    weight = max(total[-2, -2], np.finfo(np.float64).tiny)
    mean, center = total[-2, :-2] / weight, total[-2, -1] / weight
    covariance = total[:-2, :-2] / weight - np.outer(mean, mean)
    cross = total[:-2, -1] / weight - mean * center
    used = np.diag(covariance) > np.maximum(1e-9, FLAT * np.diag(total)[:-2] / weight)
    coefficients = np.zeros((len(used), len(alphas)))
    if not used.any():
        return coefficients, np.full(len(alphas), center)
    scale = np.sqrt(np.diag(covariance)[used])
    rows, moment = len(scale), cross[used] / scale * len(scale)
    factor = _lower(covariance[np.ix_(used, used)] / np.outer(scale, scale), RIDGE).T * np.sqrt(rows)
    target = np.linalg.solve(factor.T, moment)
    with warnings.catch_warnings():
        # An alpha that stops before it converges is one more candidate: validation judges it like the others.
        warnings.simplefilter("ignore", ConvergenceWarning)
        _, found, _ = lasso_path(
            factor, target, alphas=alphas, precompute=factor.T @ factor, Xy=moment, max_iter=500, tol=1e-3
        )
    coefficients[used] = found / scale[:, None]
    return coefficients, center - mean @ coefficients


def _lower(correlation: Doubles, ridge: float) -> Doubles:
    """The Cholesky factor of a correlation matrix plus the least ridge, from `ridge` up, that it needs."""
    try:
        return np.linalg.cholesky(correlation + ridge * np.eye(len(correlation))).astype(np.float64)
    except np.linalg.LinAlgError:
        if not ridge < 1:
            raise
    return _lower(correlation, 10 * ridge)


def member(design: Design, coefficients: Doubles, intercept: float) -> LassoMember:
    """The member of one column of a path's coefficients, shape (width,)."""
    ends = np.cumsum([design.n_features, len(design.pairs), *map(len, design.levels)])
    linear, products, *hot = np.split(coefficients.astype(np.float32), ends[:-1])
    tables = []
    for size, levels, values in zip(design.sizes, design.levels, hot, strict=True):
        table = np.zeros(size, np.float32)
        table[levels] = values
        tables.append(table)
    return LassoMember(linear, products, design.pairs, tuple(tables), float(intercept))


def error_weights(forecast: Floats, ratio: Floats, denominator: Floats) -> Floats:
    """Weights (n_rows,) that turn squared log error into |p - y| / denominator around `forecast`.

    forecast, ratio: log ratios of forecast and actual. denominator: in units of S + k. The slope of that
    error in the log ratio is exp(forecast) / denominator, that of squared error grows with the distance.
    """
    bounded = np.clip(forecast, -8, 3)
    weight: Floats = np.exp(bounded) / denominator / np.maximum(np.abs(bounded - ratio), NEAREST)
    return weight


def relative_denominator(units: Floats, scale: Floats, floor: float, zero_weight: float) -> Floats:
    """What relative error divides by, in units of `scale` = S + k: as in the network's loss."""
    unsold = 1 / zero_weight if zero_weight > 0 else np.inf
    return np.where(units > 0, np.maximum(units / scale, floor), unsold).astype(np.float32)


def early_weights(ratio: Floats, power: float) -> Floats:
    """Weights exp(-p z) of the first pass, which has no forecast yet; shape (n_rows,)."""
    weight: Floats = np.exp(-power * np.clip(ratio, -3, 3))
    return weight
