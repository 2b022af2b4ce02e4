"""The parity certificate: every graph on ONNX Runtime held against the Python path that was trained.

Differences are relative to the Python path's units, at least to the row's offset k: below that, both paths
subtract nearly equal numbers and neither has four digits.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from importlib.metadata import version

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from demand.bundle import OUTPUTS, PARITY_LIMIT, RawRows, joined, open_graph, raw_rows, run_graph
from demand.errors import IntegrityError
from demand.features import CATEGORIES, anchors, build_features, offset_of
from demand.models.encoding import Floats
from demand.segments import Segment
from demand.training import DataSet, Encoder, Ensemble, Rows, SegmentModel

MOST_ROWS = 2048  # real rows compared for each segment
EDGE_BASE = 4  # rows from which every edge case is made
FEATURE_EDGES = (np.nan, -1e9, 1e9, np.inf)
PACKAGES = ("numpy", "onnx", "onnxruntime", "torch")


@dataclass(frozen=True)
class Certificate:
    """What was compared for one segment: real rows, rows of edge cases, largest difference of each output."""

    rows: int
    edge_rows: int
    difference: Mapping[str, float]


def certify(ensemble: Ensemble, data: DataSet, graphs: Mapping[Segment, bytes]) -> dict[Segment, Certificate]:
    """The certificate of each segment's graph, on rows of `data` at the ensemble's origin and on edge cases.

    Raises IntegrityError naming the segments, outputs and differences above PARITY_LIMIT.
    """
    real = real_rows(ensemble, data)
    found = {s: certificate(ensemble, s, graph, real[s]) for s, graph in graphs.items()}
    _refuse(found)
    return found


def certificate(ensemble: Ensemble, segment: Segment, graph: bytes, real: RawRows) -> Certificate:
    """The certificate of one segment's graph, whatever it says, on its `real` rows and on edge cases.

    Raises IntegrityError for bytes that are no graph, GRAPH_ERRORS where the graph cannot run.
    """
    edges = _edge_rows(real, ensemble.encoder, ensemble.models[segment])
    rows = joined([real, edges])
    got = run_graph(open_graph(graph, segment.name), rows)
    expected = reference(ensemble.encoder, ensemble.models[segment], rows)
    least = offset_of(rows.level)
    difference = {name: relative_difference(got[name], expected[name], least) for name in OUTPUTS}
    return Certificate(len(real), len(edges), difference)


def certificate_content(certificates: Mapping[Segment, Certificate]) -> dict[str, object]:
    """The certificates as JSON holds them, by segment."""
    return {segment.name: asdict(found) for segment, found in sorted(certificates.items())}


def package_versions() -> dict[str, str]:
    """Versions of the packages whose results a certificate compares."""
    return {package: version(package) for package in PACKAGES}


def reference(encoder: Encoder, model: SegmentModel, rows: RawRows) -> dict[str, Floats]:
    """What the Python path gives for raw rows: each output (n_rows,) in units."""
    offset, nothing = offset_of(rows.level), np.full(len(rows), np.nan, np.float32)
    index = np.zeros(len(rows), dtype=np.intp)
    codes = encoder.vocabulary.codes(pd.DataFrame(rows.categories))
    prepared = Rows(
        values=encoder.scaler(rows.features),
        codes=codes[rows.series],
        series=index,
        origin=index,
        horizon=rows.horizon,
        level=rows.level,
        offset=offset,
        units=nothing,
        ratio=nothing,
        anchor=anchors(rows.features, encoder.names),
    )
    found = model.forecasts(prepared)
    return {name: found["ensemble" if name == "units" else name] for name in OUTPUTS}


def relative_difference(got: Floats, expected: Floats, least: Floats) -> float:
    """Largest relative difference of two columns of units, infinite where one holds a NaN.

    least: smallest denominator of each row, in units (n_rows,).
    """
    difference = np.abs(got.astype(np.float64) - expected) / np.maximum(np.abs(expected), least)
    return float(np.nan_to_num(difference, nan=np.inf).max())


def beyond(found: Certificate) -> list[str]:
    """The outputs whose difference is above PARITY_LIMIT, each with it."""
    return [f"{name} {each:.2g}" for name, each in found.difference.items() if not each <= PARITY_LIMIT]


def _refuse(certificates: Mapping[Segment, Certificate]) -> None:
    bad = [f"{segment.name} {each}" for segment, found in certificates.items() for each in beyond(found)]
    if bad:
        raise IntegrityError(
            f"parity: expected every graph within {PARITY_LIMIT:g} of the Python path; "
            f"got {len(bad)} outputs beyond it, first {', '.join(bad[:3])}. Mend the export."
        )


def real_rows(ensemble: Ensemble, data: DataSet) -> dict[Segment, RawRows]:
    """Rows of each segment at the ensemble's origin, evenly drawn where there are more than MOST_ROWS."""
    at = np.array([ensemble.origin])
    tables = [build_features(panel, ensemble.encoder.spec, at) for panel in data.panels]
    rows = joined([raw_rows(table) for table in tables])
    starts = np.cumsum([0, *(len(panel.series) for panel in data.panels)])
    series = np.concatenate([table.series + start for table, start in zip(tables, starts, strict=False)])
    segments, of_series, _ = data.segments(ensemble.origin)
    own = of_series[series]
    return {segment: rows.take(_spread(np.flatnonzero(own == i))) for i, segment in enumerate(segments)}


def _spread(index: NDArray[np.intp]) -> NDArray[np.intp]:
    chosen = np.linspace(0, len(index) - 1, min(len(index), MOST_ROWS)).round().astype(np.intp)
    return index[chosen]


def _edge_rows(real: RawRows, encoder: Encoder, model: SegmentModel) -> RawRows:
    """Rows that real data seldom hold: unseen categories, no known feature, no demand, ends of ranges."""
    base = real.take(slice(EDGE_BASE)) if len(real) else _plain_row(encoder)
    n_series, horizons = len(base.categories[CATEGORIES[0]]), model.intervals.lower.shape[1]
    unseen = {name: np.full(n_series, _unseen(encoder, name), dtype=object) for name in CATEGORIES}
    levels = [0.0, 1e6, *model.intervals.edges]
    cases = [
        *(replace(base, categories={**base.categories, name: unseen[name]}) for name in CATEGORIES),
        replace(base, categories=unseen),
        *(replace(base, features=np.full_like(base.features, value)) for value in FEATURE_EDGES),
        *(replace(base, level=np.full_like(base.level, level)) for level in levels),
        *(replace(base, horizon=np.full_like(base.horizon, h)) for h in (1, horizons, horizons + 1)),
    ]
    return joined(cases)


def _plain_row(encoder: Encoder) -> RawRows:
    """A row of mean features and the first category of each kind, for a segment without any."""
    first = [np.array([(*values, "")[0]], dtype=object) for values in encoder.vocabulary.values]
    texts = dict(zip(CATEGORIES, first, strict=True))
    one = np.ones(1, np.int64)
    return RawRows(encoder.scaler.center[None], np.ones(1, np.float32), one, 0 * one, texts)


def _unseen(encoder: Encoder, name: str) -> str:
    """A text longer than all that the vocabulary knows."""
    return max(("", *encoder.vocabulary.values[CATEGORIES.index(name)]), key=len) + "?"
