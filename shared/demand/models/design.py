"""The columns of the linear member: scaled features, products of two, and one-hot stores and products."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

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

    def matrix(self, values: Floats, codes: Codes) -> Floats:
        """The columns of some rows, shape (n_rows, width); values scaled (n_rows, n_features)."""
        products = values[:, self.pairs[:, 0]] * values[:, self.pairs[:, 1]]
        hot = [
            (codes[:, CATEGORIES.index(name), None] == levels).astype(np.float32)
            for name, levels in zip(ONE_HOT, self.levels, strict=True)
        ]
        return np.concatenate([values, products, *hot], axis=1)


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
