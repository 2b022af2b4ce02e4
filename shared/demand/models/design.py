"""The columns of the linear member: scaled features, products of two, and one-hot stores and products."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from demand.features import CATEGORIES
from demand.models.encoding import Codes, Floats

ONE_HOT = ("store_id", "product_id")
# Products that gained on the real sets, by what the second factor is moved by; a set that lacks a feature
# lacks its products. Figures: docs/decisions, the ensemble.
MOVED_BY: dict[tuple[str, ...], tuple[str, ...]] = {
    ("variation_26", "zero_share_8"): (
        "lag_0", "mean_4", "mean_13", "year_ago_+0", "year_ago_3", "year_ago_grown", "faded_mean",
        "quantile_10", "quantile_25", "least_mape", "product_year_ago_+0", "price_kernel", "feature_target",
        "price_step_26", "log_level", "variation_26",
    ),
    ("log_level",): (
        "lag_0", "mean_4", "mean_13", "year_ago_+0", "year_ago_3", "year_ago_grown", "faded_mean",
        "least_mape", "quantile_10", "product_year_ago_+0", "product_year_ago_step", "price_kernel",
        "feature_target", "price_step_26", "deal_target", "log_level", "year_sin_1", "year_cos_1",
        "year_sin_2", "year_cos_2",
    ),
    ("feature_target", "deal_target", "price_step_26"): (
        "featured_level_52", "unfeatured_level_52", "feature_mean_8", "feature_mean_26", "deal_mean_8",
        "price_kernel", "promotion_kernel", "rival_features", "rival_price_featured", "price_step_26",
        "feature_before_1", "price", "lag_0", "mean_8",
    ),
}  # fmt: skip


@dataclass(frozen=True)
class Design:
    """Which columns there are.

    pairs: (n_pairs, 2), the two features of each product. levels: the codes that have a one-hot column, for
    each category of ONE_HOT. sizes: number of codes of each of these categories.
    """

    n_features: int
    pairs: NDArray[np.intp]
    levels: tuple[Codes, ...]
    sizes: tuple[int, ...]

    @property
    def width(self) -> int:
        """Number of columns."""
        return self.n_features + len(self.pairs) + sum(map(len, self.levels))

    @property
    def n_dense(self) -> int:
        """Number of columns that come first: features, then products."""
        return self.n_features + len(self.pairs)

    def dense(self, values: Floats, out: Floats) -> None:
        """Writes features and products of some rows into `out`, (n_rows, n_dense)."""
        out[:, : self.n_features] = values
        first, second = (values.take(self.pairs[:, side], axis=1) for side in (0, 1))
        np.multiply(first, second, out=out[:, self.n_features :])

    def one_hot(self, codes: Codes) -> csr_array:
        """The one-hot columns of some rows, (n_rows, width - n_dense); codes (n_rows, n_categories)."""
        rows, columns, start = [], [], 0
        for name, levels in zip(ONE_HOT, self.levels, strict=True):
            own = codes[:, CATEGORIES.index(name)]
            rows.append(np.flatnonzero(np.isin(own, levels)))
            columns.append(start + np.searchsorted(levels, own[rows[-1]]))
            start += len(levels)
        index = (np.concatenate(rows), np.concatenate(columns))
        return csr_array((np.ones(len(index[0]), np.float32), index), shape=(len(codes), start))

    def matrix(self, values: Floats, codes: Codes) -> Floats:
        """The columns of some rows, shape (n_rows, width); values scaled (n_rows, n_features)."""
        columns = np.empty((len(values), self.width), np.float32)
        self.dense(values, columns[:, : self.n_dense])
        columns[:, self.n_dense :] = self.one_hot(codes).toarray()
        return columns


def build_design(names: tuple[str, ...], codes: Codes, sizes: tuple[int, ...]) -> Design:
    """The design for features of these names, with a column for every store and product code in `codes`."""
    place = {name: i for i, name in enumerate(names)}
    pairs = {
        tuple(sorted((place[mover], place[moved])))
        for movers, others in MOVED_BY.items()
        for mover in movers
        for moved in others
        if mover in place and moved in place
    }
    columns = [CATEGORIES.index(name) for name in ONE_HOT]
    levels = tuple(np.unique(codes[:, column]) for column in columns)
    pairs_ = np.array(sorted(pairs), dtype=np.intp).reshape(-1, 2)
    return Design(len(names), pairs_, levels, tuple(sizes[column] for column in columns))
