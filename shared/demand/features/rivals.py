"""Features of the other products of a category on the same store's shelf: their prices and promotions."""

import warnings
from dataclasses import dataclass

import numpy as np

from demand.features.block import Block
from demand.features.history import Features
from demand.features.panel import Panel
from demand.features.windows import Floats, Ints, Windows

MOST_PRODUCTS = 12  # of a category whose products are looked at one by one
Shelves = dict[str, tuple[str, ...]]  # category to its products, sorted


@dataclass(frozen=True)
class Shelf:
    """Plans of all products of a category in a store, side by side.

    of_series: shelf of each series. slot: its place there, -1 for a product that has none.
    price, feature, deal: (n_shelves, n_weeks, n_slots) float32, log price NaN where not known, shares 0.
    """

    of_series: Ints
    slot: Ints
    price: Floats
    feature: Floats
    deal: Floats


def shelf_vocabulary(panels: list[Panel]) -> Shelves:
    """Category to its products; categories of one product, or of more than 12, have no rivals to look at."""
    series = [panel.series[["category", "product_id"]].drop_duplicates() for panel in panels]
    products: dict[str, set[str]] = {}
    for frame in series:
        for category, product in zip(frame["category"], frame["product_id"], strict=True):
            products.setdefault(category, set()).add(product)
    return {
        category: tuple(sorted(found))
        for category, found in sorted(products.items())
        if 1 < len(found) <= MOST_PRODUCTS
    }


def build_shelf(panel: Panel, shelves: Shelves) -> Shelf:
    """The shelves of a panel with the slots that `shelves` gives to products."""
    slots = {(name, product): i for name, products in shelves.items() for i, product in enumerate(products)}
    pairs = zip(panel.series["category"], panel.series["product_id"], strict=True)
    slot = np.array([slots.get(pair, -1) for pair in pairs], dtype=np.intp)
    of_series = panel.series.groupby(["store_id", "category"], sort=True).ngroup().to_numpy().astype(np.intp)
    shape = (int(of_series.max()) + 1, len(panel.weeks), max(map(len, shelves.values())))
    at, there = (of_series[slot >= 0], slice(None), slot[slot >= 0]), slot >= 0
    price = np.full(shape, np.nan, np.float32)
    known = panel.inputs["price"][there]
    price[at] = np.log(np.where(known > 0, known, np.float32(np.nan)))
    plans = {}
    for name in ("feature", "deal"):
        plans[name] = np.zeros(shape, np.float32)
        plans[name][at] = np.nan_to_num(panel.inputs[name][there])
    return Shelf(of_series, slot, price, **plans)


def rival_plan(block: Block, shelf: Shelf, horizon: int) -> Features:
    """Rivals' log prices and promotions in the target week, against the own price and against their past."""
    members, slot = shelf.of_series[block.rows], shelf.slot[block.rows]
    own = (np.arange(shelf.price.shape[2]) == slot[:, None])[:, None, :]  # (n_series, 1, n_slots)
    price, feature, deal = (values[members] for values in (shelf.price, shelf.feature, shelf.deal))
    rival_price = np.where(own, np.float32(np.nan), price)
    least, mean = _least(rival_price), _mean(rival_price)
    featured = np.where(feature >= 0.5, rival_price, np.float32(np.nan))
    lowest_featured = np.where(np.isnan(_least(featured)), mean, _least(featured))
    features_, deals = (np.where(own, 0, values).sum(axis=2) for values in (feature, deal))
    at = np.clip(block.at + horizon, 0, shelf.price.shape[1] - 1)
    mine = np.where(slot[:, None] < 0, np.float32(np.nan), np.where(own, price, 0).sum(axis=2)[:, at])
    found = {
        "rival_price_least": mine - least[:, at],
        "rival_price_mean": mine - mean[:, at],
        "rival_price_featured": mine - lowest_featured[:, at],
        "rival_price_least_step": least[:, at] - Windows(least).mean(block.at, 26),
        "rival_price_mean_step": mean[:, at] - Windows(mean).mean(block.at, 26),
        "rival_features": features_[:, at],
        "rival_features_before": features_[:, at - 1],
        "rival_features_mean_8": Windows(features_).mean(block.at, 8),
        "rival_deals": deals[:, at],
    }
    for i in range(price.shape[2]):
        found[f"shelf_price_{i}"] = price[:, at, i] - Windows(price[:, :, i]).mean(block.at, 26)
        found[f"shelf_feature_{i}"] = feature[:, at, i]
    return {name: values.astype(np.float32) for name, values in found.items()}


def _least(values: Floats) -> Floats:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # a shelf without a rival that week gives NaN
        least: Floats = np.nanmin(values, axis=2)
    return least


def _mean(values: Floats) -> Floats:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        mean: Floats = np.nanmean(values, axis=2)
    return mean
