"""The weights of one segment's graph, by the names `topology` gives them."""

from collections import Counter
from typing import cast

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn

from demand.export.topology import IN_LOG
from demand.features import ANCHOR, CATEGORIES, GATE
from demand.models.blend import ANCHORED
from demand.models.design import ONE_HOT
from demand.models.encoding import Floats
from demand.models.intervals import Intervals
from demand.models.lasso import LassoMember
from demand.models.network import Network
from demand.models.scale import HIGHEST, LOWEST
from demand.training import Encoder, SegmentModel

Weights = dict[str, NDArray[np.generic] | np.generic]
OFFSET_SHARE, LEAST_OFFSET = 0.1, 1.0  # k = max(1, 0.1 S); the certificate holds it against demand.features


def segment_weights(encoder: Encoder, model: SegmentModel) -> Weights:
    """Every initializer of a segment's graph: names, types and shapes are those of every other segment."""
    return {
        **_scaling(encoder),
        **_first_layer(model.lasso, model.network),
        **_later_layers(model.network),
        **_blending(model.weight),
        **_anchoring(encoder.names),
        **_intervals(model.intervals),
        "columns": np.array([1]),
        "leading": np.array([0]),
        "least_units": _least(model.least),
        "offset_share": np.float32(OFFSET_SHARE),
        "least_offset": np.float32(LEAST_OFFSET),
        "lowest_ratio": np.float32(LOWEST),
        "highest_ratio": np.float32(HIGHEST),
    }


def _least(least: float) -> Floats:
    """Units that each output is at least, (n_outputs, 1): `least`, but 0 for the interval's lower end."""
    return np.array([[0.0 if name == "lower_ratio" else least] for name in IN_LOG], np.float32)


def hidden_layers(network: Network) -> list[nn.Linear]:
    """The linear layers of the network's body, in their order."""
    return [layer for layer in network.body if isinstance(layer, nn.Linear)]


def movers(pairs: NDArray[np.intp]) -> tuple[int, ...]:
    """Features such that every pair, (n_pairs, 2), holds one: the most frequent first; one at the least."""
    left = [(int(one), int(other)) for one, other in pairs]
    found: list[int] = []
    while left:
        count = Counter(feature for pair in left for feature in set(pair))
        found.append(min(count, key=lambda feature: (-count[feature], feature)))
        left = [pair for pair in left if found[-1] not in pair]
    return tuple(found) or (0,)


def _scaling(encoder: Encoder) -> Weights:
    scaler = encoder.scaler
    return {
        "center": scaler.center,
        "inverse_deviation": 1 / scaler.scale,
        "clip_low": np.float32(-scaler.clip),
        "clip_high": np.float32(scaler.clip),
    }


def _first_layer(lasso: LassoMember, network: Network) -> Weights:
    """The one product over features, and what categories and biases add to its first columns."""
    layer = hidden_layers(network)[0]
    inputs = np.concatenate(
        [_array(layer.weight).T, _array(network.skip.weight).T], axis=1
    )  # (width, columns)
    n_features = len(lasso.linear)
    chosen = movers(lasso.pairs)
    mixed = _mixed(lasso, chosen)  # (n_features, n_movers)
    picked = np.eye(n_features, dtype=np.float32)[:, chosen]
    effects = np.zeros((len(ONE_HOT), inputs.shape[1] + 1), np.float32)
    effects[:, -1] = 1  # the LASSO's column
    to_first = np.concatenate([np.pad(inputs[n_features:], ((0, 0), (0, 1))), effects])
    rest = 2 * len(chosen)  # columns to which categories add nothing
    bias = np.concatenate([_array(layer.bias), _array(network.skip.bias), [lasso.intercept]])
    tables = [_array(cast(nn.Embedding, table).weight) for table in network.embeddings]
    return {
        **{f"{name}_embedding": table for name, table in zip(CATEGORIES, tables, strict=True)},
        "feature_matrix": np.concatenate([inputs[:n_features], lasso.linear[:, None], mixed, picked], axis=1),
        **{f"{name}_effects": t[:, None] for name, t in zip(ONE_HOT, lasso.one_hot, strict=True)},
        "category_matrix": np.pad(to_first, ((0, 0), (0, rest))),
        "first_bias": np.pad(bias, (0, rest)).astype(np.float32),
        "first_widths": np.array([layer.out_features, 1, 1, len(chosen), len(chosen)]),
    }


def _mixed(lasso: LassoMember, chosen: tuple[int, ...]) -> Floats:
    """Coefficients (n_features, n_movers) by which a product's other feature adds to its mover's sum."""
    out = np.zeros((len(lasso.linear), len(chosen)), np.float32)
    place = {feature: column for column, feature in enumerate(chosen)}
    for (one, other), coefficient in zip(lasso.pairs, lasso.products, strict=True):
        mover, moved = (one, other) if int(one) in place else (other, one)
        out[moved, place[int(mover)]] += coefficient
    return out


def _later_layers(network: Network) -> Weights:
    layers = [*hidden_layers(network)[1:], network.out]
    found: Weights = {}
    for number, layer in enumerate(layers, start=2):
        found[f"matrix_{number}"] = np.ascontiguousarray(_array(layer.weight).T)
        found[f"bias_{number}"] = _array(layer.bias)
    return found


def _blending(weight: float) -> Weights:
    return {"lasso_weight": np.float32(1 - weight), "network_weight": np.float32(weight)}


def _anchoring(names: tuple[str, ...]) -> Weights:
    """Where gate and anchor are among the features, and the anchor's share; nothing without a gate."""
    if GATE not in names:
        return {}
    return {
        "gate_column": np.int64(names.index(GATE)),
        "anchor_column": np.int64(names.index(ANCHOR)),
        "half": np.float32(0.5),
        "anchor_share": np.float32(ANCHORED),
        "blended_share": np.float32(1 - np.float32(ANCHORED)),
    }


def _intervals(intervals: Intervals) -> Weights:
    """The tables of bands and horizons as one vector each: cell = band x n_horizons + horizon - 1."""
    return {
        "band_edges": intervals.edges[:, None],
        "lower_cells": intervals.lower.ravel(),
        "upper_cells": intervals.upper.ravel(),
        "first_horizon": np.int64(1),
        "last_horizon": np.int64(intervals.lower.shape[1]),
    }


def _array(parameter: Tensor) -> Floats:
    return parameter.detach().numpy()
