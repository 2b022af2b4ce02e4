"""Rows a second of the graphs beside LightGBM, one thread each, and seconds to export 56 graphs.

Speed does not depend on what the weights are: the graphs' are drawn, the shapes are those of training.
"""

import sys
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import lightgbm
import numpy as np
import pandas as pd

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "tests" / "demand"))

from ensembles import data_set, drawn_encoder, drawn_ensemble, drawn_model  # noqa: E402
from own_features import PARAMETERS, ROUNDS  # noqa: E402

from demand.bundle import CHUNK, RawRows, joined, open_graph, raw_rows, run_graph  # noqa: E402
from demand.config import Config  # noqa: E402
from demand.export import export_graphs  # noqa: E402
from demand.features import CATEGORIES, FeatureTable, build_features  # noqa: E402
from demand.models.scale import to_ratio  # noqa: E402
from demand.segments import Segment  # noqa: E402
from demand.sources import read_raw  # noqa: E402
from demand.training import Ensemble, learn_encoder  # noqa: E402

HIDDEN = Config().network.hidden
LEAVES = (63, 31)  # the accuracy benchmark's, and LightGBM's default
PAIRS = 5
PREDICTED_BY_TREES = 16_384  # rows a measurement
FIGURE = "{method:<24} {rows_per_second:>11,.0f} rows/s   {ratio:5.1f} x LightGBM with {leaves} leaves"


def measure() -> list[dict[str, Any]]:
    """Rows a second of the graph and of LightGBM; `ratio` is the median of PAIRS pairs measured in turn."""
    rows, target, ensemble = _tiny()
    session = open_graph(next(iter(export_graphs(ensemble).values())), "benchmark")
    codes = ensemble.encoder.vocabulary.codes(pd.DataFrame(rows.categories))[rows.series]
    table = np.concatenate([rows.features, codes.astype(np.float32)], axis=1)
    found: list[dict[str, Any]] = []
    for leaves in LEAVES:
        predict = partial(_train(table, target, leaves).predict, table[-PREDICTED_BY_TREES:], num_threads=1)
        run = partial(run_graph, session, rows)
        pairs = np.array([(_rate(len(rows), run), _rate(PREDICTED_BY_TREES, predict)) for _ in range(PAIRS)])
        ratios = (float(np.median(pairs[:, 0] / pairs[:, 1])), 1.0)
        for method, rate, ratio in zip(("onnx", "lightgbm"), np.median(pairs, axis=0), ratios, strict=True):
            shape = {"leaves": leaves, "features": len(ensemble.encoder.names), "chunk": CHUNK}
            found.append({"method": method, **shape, "rows_per_second": float(rate), "ratio": ratio})
    return found


def measure_export(segments: int = 56) -> float:
    """Seconds to export graphs of 203 features, 150 stores, 12 products and the default hidden layers."""
    encoder = drawn_encoder(203, 150, 12)
    models = {Segment(f"R{i:02}", "large", "fast"): drawn_model(encoder, HIDDEN, i) for i in range(segments)}
    drawn = drawn_ensemble()
    ensemble = Ensemble(encoder, models, drawn.baseline, drawn.speeds, drawn.origin)
    start = time.perf_counter()
    export_graphs(ensemble)
    return time.perf_counter() - start


def _tiny() -> tuple[RawRows, np.ndarray, Ensemble]:
    """Rows of the tiny data set with a known target, their log ratios, and an ensemble of its shapes."""
    data = data_set(read_raw(ROOT / "shared" / "data" / "tiny"))
    at = np.arange(20, data.last_week - 3)
    encoder = learn_encoder(data, at[::8], Config())
    parts = [build_features(panel, encoder.spec, at) for panel in data.panels]
    tables = [part.take(_in_order(part)) for part in parts]
    rows = joined([_as_one_origin(table) for table in tables])
    target = np.concatenate([to_ratio(table.units, table.level, table.offset) for table in tables])
    model = {Segment("R01", "large", "fast"): drawn_model(encoder, HIDDEN, 1)}
    drawn = drawn_ensemble()
    return rows, target, Ensemble(encoder, model, drawn.baseline, drawn.speeds, data.last_week)


def _in_order(table: FeatureTable) -> np.ndarray:
    """Rows with a known target, origin after origin, as each would be scored."""
    order = np.lexsort((table.series, table.horizon, table.origin))
    return order[~np.isnan(table.units[order])]


def _as_one_origin(table: FeatureTable) -> RawRows:
    """Raw rows in which each origin of a series is a series of its own, as if all were of one origin."""
    pair, series = np.unique(table.series * 10_000 + table.origin, return_inverse=True)
    rows = raw_rows(table)
    texts = {name: values[pair // 10_000] for name, values in rows.categories.items()}
    return replace(rows, series=series.astype(np.int64), categories=texts)


def _train(table: np.ndarray, target: np.ndarray, leaves: int) -> lightgbm.Booster:
    """The accuracy benchmark's LightGBM on the same features, with so many leaves."""
    columns = [f"f{i}" for i in range(table.shape[1])]
    data = lightgbm.Dataset(
        table,
        target,
        feature_name=columns,
        categorical_feature=columns[-len(CATEGORIES) :],
        params={"verbosity": -1},
    )
    return lightgbm.train(PARAMETERS | {"objective": "l1", "num_leaves": leaves}, data, ROUNDS)


def _rate(n_rows: int, call: Callable[[], object]) -> float:
    """Rows a second of the processor's time: what else the machine does meanwhile does not count."""
    start = time.process_time()
    call()
    return n_rows / (time.process_time() - start)


def main() -> None:
    """Print the figures."""
    print(f"56 graphs exported in {measure_export():.2f} s")
    for line in measure():
        print(FIGURE.format(**line))


if __name__ == "__main__":
    main()
