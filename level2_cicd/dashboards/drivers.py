"""What drives each segment: the LASSO's coefficients, and how far forecasts move when inputs are shuffled."""

import zlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import onnx
import pandas as pd
from numpy.typing import NDArray
from onnx import numpy_helper

from demand.bundle import (
    GRAPH_ERRORS,
    Bundle,
    RawRows,
    Session,
    read_bundle,
    read_snapshot,
    read_verified,
    run_graph,
)  # fmt: skip
from demand.errors import IntegrityError, UsageError
from demand.features import CATEGORIES
from demand.segments import Segment, assign_segments
from level1_pipeline import store
from level2_cicd.dashboards.labels import FAMILIES, IDENTITY, family, label
from level2_cicd.dashboards.reading import UNREADABLE, Part, short

MOST_COEFFICIENTS = 12
SHUFFLES = 3
Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Coefficient:
    """What one deviation more of an input adds to the LASSO's forecast, in percent."""

    label: str
    family: str
    percent: float


@dataclass(frozen=True)
class Drivers:
    """What drives a segment.

    families: mean change of the forecast in percent when a family's inputs are shuffled among the rows, the
    largest first. coefficients: the largest of the LASSO; used, of how many inputs it uses any.
    network: weight of the network in the forecast, 0 to 1, the LASSO has the rest. rows: shuffled.
    """

    families: tuple[tuple[str, float], ...]
    coefficients: tuple[Coefficient, ...]
    used: int
    inputs: int
    network: float
    rows: int


def read_drivers(folder: Path) -> Part[dict[Segment, Drivers]]:
    """The drivers of every segment with a model of the bundle in use; absent without a bundle."""
    try:
        bundle = read_bundle(store.current_bundle(folder))
        return Part(_drivers(bundle))
    except UsageError:
        return Part()
    except IntegrityError as error:
        return Part(fault=f"The model in use cannot be trusted, so it is not explained. {error}")
    except (*UNREADABLE, *GRAPH_ERRORS) as error:
        return Part(fault=f"The model in use cannot be explained: {short(error)}")


def _drivers(bundle: Bundle) -> dict[Segment, Drivers]:
    rows = read_snapshot(bundle)
    segments = np.array([each.name for each in assign_segments(rows, bundle.speeds)], dtype=object)
    return {
        segment: _of_segment(bundle, segment, rows[segments == segment.name])
        for segment in sorted(bundle.sessions)
    }


def _of_segment(bundle: Bundle, segment: Segment, rows: pd.DataFrame) -> Drivers:
    entry = bundle.entries[segment]
    names = bundle.forms[entry.form].names
    weights = _weights(read_verified(bundle, entry.file))
    coefficients = _coefficients(weights, names)
    moved = shuffled(bundle.sessions[segment], _raw(rows, names), names, zlib.crc32(segment.name.encode()))
    return Drivers(
        families=tuple(sorted(moved.items(), key=lambda each: -each[1])),
        coefficients=tuple(coefficients[:MOST_COEFFICIENTS]),
        used=len(coefficients),
        inputs=len(names),
        network=float(weights["network_weight"]),
        rows=len(rows),
    )


def shuffled(session: Session, rows: RawRows, names: tuple[str, ...], seed: int) -> dict[str, float]:
    """Mean change of a graph's forecast, percent of the mean forecast, by family of inputs; {} without rows.

    All inputs of a family are shuffled together, so that they stay true to each other; Breiman (2001),
    section 10, with the forecast in the place of the error, which nobody knows yet.
    """
    if not len(rows):
        return {}
    draw = np.random.default_rng(seed)
    before = run_graph(session, rows)["units"].astype(np.float64)
    orders = [draw.permutation(len(rows)) for _ in range(SHUFFLES)]
    found = {}
    for name in FAMILIES:
        columns = np.array([place for place, each in enumerate(names) if family(each) == name], dtype=np.intp)
        if len(columns) or name == IDENTITY:
            after = [run_graph(session, _mixed(rows, columns, order, name))["units"] for order in orders]
            change = np.mean([np.abs(each - before).mean() for each in after])
            found[name] = 100 * float(change / max(before.mean(), 1e-9))
    return found


def _mixed(rows: RawRows, columns: NDArray[np.intp], order: NDArray[np.intp], name: str) -> RawRows:
    if name == IDENTITY:
        return replace(rows, series=rows.series[order])
    features = rows.features.copy()
    features[:, columns] = features[order][:, columns]
    return replace(rows, features=features)


def _raw(rows: pd.DataFrame, names: tuple[str, ...]) -> RawRows:
    texts = rows[list(CATEGORIES)].astype(object)
    number = texts.groupby(list(CATEGORIES), sort=False, dropna=False).ngroup().to_numpy().astype(np.int64)
    series = texts.drop_duplicates(list(CATEGORIES))
    return RawRows(
        features=rows[list(names)].to_numpy(dtype=np.float32),
        level=rows["level"].to_numpy(dtype=np.float32),
        horizon=rows["horizon"].to_numpy(dtype=np.int64),
        series=number,
        categories={name: series[name].to_numpy(dtype=object) for name in CATEGORIES},
    )


def _weights(content: bytes) -> dict[str, NDArray[np.generic]]:
    graph = onnx.load_model_from_string(content).graph
    return {each.name: numpy_helper.to_array(each) for each in graph.initializer}


def _coefficients(weights: Mapping[str, NDArray[np.generic]], names: tuple[str, ...]) -> list[Coefficient]:
    """The LASSO's coefficients that are not 0, by size: of features, and of the products of two."""
    matrix, widths = weights["feature_matrix"], np.cumsum(weights["first_widths"])
    linear = matrix[:, widths[1]]  # the column after the network's first layer and its skip
    mixed, picked = matrix[:, widths[2] : widths[3]], matrix[:, widths[3] : widths[4]]
    found = [Coefficient(label(n), family(n), _percent(c)) for n, c in zip(names, linear, strict=True) if c]
    for column, mover in enumerate(picked.argmax(axis=0)):
        for moved in np.flatnonzero(mixed[:, column]):
            both = f"{label(names[moved])} \N{MULTIPLICATION SIGN} {label(names[mover]).lower()}"
            found.append(Coefficient(both, family(names[moved]), _percent(mixed[moved, column])))
    return sorted(found, key=lambda each: -abs(each.percent))


def _percent(coefficient: float) -> float:
    return 100 * float(np.expm1(coefficient))
