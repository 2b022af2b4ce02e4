"""What graphs are asked and what they answer: raw columns in, units out."""

from dataclasses import dataclass

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from demand.bundle.graph import OUTPUTS
from demand.features import CATEGORIES, FeatureTable
from demand.models.encoding import Floats

CHUNK = 2048  # rows a call: about what a core's cache holds; figures in docs/decisions, the ONNX graph
Texts = NDArray[np.object_]


@dataclass(frozen=True)
class RawRows:
    """What a graph reads; the first four arrays have n_rows rows.

    features: (n_rows, n_features) unscaled, NaN where not known. level: S in units. horizon: weeks ahead,
    from 1. series: which of the series below each row is of. categories: name to texts (n_series,), whether
    training has seen them or not.
    """

    features: Floats
    level: Floats
    horizon: NDArray[np.int64]
    series: NDArray[np.int64]
    categories: dict[str, Texts]

    def __len__(self) -> int:
        return len(self.features)

    def take(self, rows: NDArray[np.generic] | slice) -> "RawRows":
        """The chosen rows, by index, mask or slice, and their series alone."""
        series = self.series[rows]
        place = np.zeros(len(self.categories[CATEGORIES[0]]), dtype=np.int64)
        place[series] = 1
        used = np.flatnonzero(place)
        place[used] = np.arange(len(used))
        texts = {name: values[used] for name, values in self.categories.items()}
        return RawRows(self.features[rows], self.level[rows], self.horizon[rows], place[series], texts)


def raw_rows(table: FeatureTable) -> RawRows:
    """The rows of a feature table as a graph reads them."""
    texts = {name: table.keys[name].to_numpy(dtype=object) for name in CATEGORIES}
    return RawRows(
        table.values, table.level, table.horizon.astype(np.int64), table.series.astype(np.int64), texts
    )


def joined(parts: list[RawRows]) -> RawRows:
    """The rows of all parts, one below the other."""
    starts = np.cumsum([0, *(len(part.categories[CATEGORIES[0]]) for part in parts)])
    return RawRows(
        features=np.concatenate([part.features for part in parts]),
        level=np.concatenate([part.level for part in parts]),
        horizon=np.concatenate([part.horizon for part in parts]),
        series=np.concatenate([part.series + start for part, start in zip(parts, starts, strict=False)]),
        categories={name: np.concatenate([part.categories[name] for part in parts]) for name in CATEGORIES},
    )


def run_graph(session: onnxruntime.InferenceSession, rows: RawRows) -> dict[str, Floats]:
    """Forecast and interval, LASSO and network alone, each (n_rows,) in units, by OUTPUTS' names.

    Raises ValueError for a level, horizon or series that no row can have, GRAPH_ERRORS where the graph fails.
    """
    _check(rows)
    out = np.empty((len(OUTPUTS), len(rows)), np.float32)
    for start in range(0, len(rows), CHUNK):
        part = slice(start, start + CHUNK)
        out[:, part] = session.run(list(OUTPUTS), _inputs(rows.take(part)))
    return dict(zip(OUTPUTS, out, strict=True))


def _inputs(rows: RawRows) -> dict[str, NDArray[np.generic]]:
    columns = ("features", "level", "horizon", "series")
    return {**{name: getattr(rows, name) for name in columns}, **rows.categories}


def _check(rows: RawRows) -> None:
    """Raises ValueError for what the graph would take without a word: an index of -1 is its last series."""
    n_series = len(rows.categories[CATEGORIES[0]])
    _refuse("level", rows.level, np.isfinite(rows.level) & (rows.level >= 0), "units of at least 0")
    _refuse("horizon", rows.horizon, rows.horizon >= 1, "weeks, at least 1")
    inside = (rows.series >= 0) & (rows.series < n_series)
    _refuse("series", rows.series, inside, f"an index from 0 to {n_series - 1}")


def _refuse(name: str, values: NDArray[np.generic], good: NDArray[np.bool_], expected: str) -> None:
    if not good.all():
        at = int(np.argmin(good))
        raise ValueError(f"{name}: expected {expected}; got {values[at]} in row {at}. Mend the rows.")
