"""Forecasts of feature rows by a release's graphs, with the historical average where there is none to ask.

The same answers as `demand.scoring.score_rows`, on plain arrays: a row takes microseconds, not milliseconds.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from demand.bundle.graph import GRAPH_ERRORS
from level2_cicd.serving.averages import Averages

CATEGORIES = ("region", "store_id", "product_id", "category", "format")
NUMBERS = ["units", "lower", "upper"]
CHUNK = 2048  # rows a call of a graph
Names = tuple[str, str, str, str, str]  # of a series, in CATEGORIES' order
Floats = NDArray[np.float32]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Rows:
    """Feature rows; names has n_rows series, horizon and level (n_rows,), features (n_rows, n_columns).

    features are unscaled, in the order of the release's columns, NaN where not known. level: S in units.
    """

    names: list[Names]
    horizon: Ints
    level: Floats
    features: Floats

    def __len__(self) -> int:
        return len(self.names)


@dataclass(frozen=True)
class Told:
    """Where forecasts come from: champion, previous or baseline, the run that trained, and when (UTC)."""

    source: str
    model_version: str
    trained_at: str


@dataclass(frozen=True)
class Answers:
    """Units a week and their interval, float64 (n_rows,), NaN where absent; where each comes from and why."""

    numbers: NDArray[np.float64]  # (3, n_rows): units, lower, upper
    told: list[Told]
    reason: list[str]


@dataclass(frozen=True, eq=False)
class Graph:
    """The graph of a segment, and what it reads.

    columns: place in the release's columns of each feature, -1 for the horizon, (n_features,). known: the
    names that training has seen, by category.
    """

    name: str
    session: onnxruntime.InferenceSession
    columns: NDArray[np.intp]
    known: tuple[frozenset[str], ...]
    weeks: int
    told: Told
    reason: str

    @cached_property
    def ahead(self) -> NDArray[np.intp]:
        """Which of the features are the horizon."""
        return np.flatnonzero(self.columns < 0)

    def unseen(self, names: Names) -> str:
        """Which kinds of names training has not seen, as a reason; empty where it has seen all."""
        odd = [
            kind for kind, name, known in zip(CATEGORIES, names, self.known, strict=True) if name not in known
        ]
        return f"not seen in training: {', '.join(odd)}" if odd else ""


@dataclass(frozen=True)
class Series:
    """What a release knows of a series: who is asked, and what is said where the graph cannot speak.

    average: units, lower and upper of the historical average; None where there is none. reason: beside a
    graph's forecast, or why there is no graph.
    """

    graph: Graph | None
    average: tuple[float, float, float] | None
    reason: str


@dataclass(frozen=True)
class Engine:
    """A release's graphs and averages. graphs, failed: by segment name, and why a segment has no graph."""

    graphs: Mapping[str, Graph]
    failed: Mapping[str, str]
    averages: Averages
    own: Told  # of the averages
    absent: Told
    series: dict[Names, Series]  # those of the snapshot; others are looked up anew

    def known(self, names: list[Names]) -> list[Series | None]:
        """The series of these names, None for one that the snapshot does not have."""
        return list(map(self.series.get, names))

    def answer(self, rows: Rows, known: list[Series | None] | None = None) -> Answers:
        """The forecast of each row, in their order; known: what `known` found, where it was asked already."""
        known = self.known(rows.names) if known is None else known
        found = [each or self.look_up(names) for each, names in zip(known, rows.names, strict=True)]
        groups = _by_graph(found, rows.horizon)
        asked = [(graph, place, _ask(graph, rows, place, found)) for graph, place in groups.items()]
        numbers = _whole(asked, len(rows))
        if numbers is not None:  # a graph spoke for each row, as for most requests: there is nothing to add
            told = [each.graph.told for each in found if each.graph is not None]
            return Answers(numbers, told, [each.reason for each in found])
        answers = _Filling(rows, found)
        for graph, place, numbers in asked:
            answers.enter(graph, place, numbers)
        return answers.finish(self.own, self.absent)

    def look_up(self, names: Names) -> Series:
        """What the release knows of a series."""
        region, _, product, _, kind = names
        segment = f"{region}-{kind}-{self.averages.speed(region, kind, product)}"
        average = self.averages.of(names)
        graph = self.graphs.get(segment)
        if graph is None:
            return Series(None, average, self.failed.get(segment, "no model for this segment"))
        reasons = [each for each in (graph.reason, graph.unseen(names)) if each]
        return Series(graph, average, "; ".join(reasons))


Asked = tuple[Graph, list[int], NDArray[np.float64] | None]  # a graph, its rows, what it gave for them


def _whole(asked: list[Asked], n_rows: int) -> NDArray[np.float64] | None:
    """Units, lower and upper, (3, n_rows), if there is a finite number for every row; else None."""
    if sum(len(place) for _, place, _ in asked) < n_rows:
        return None
    if len(asked) == 1:
        whole = asked[0][2]
    else:
        whole = np.empty((len(NUMBERS), n_rows))
        for _, place, numbers in asked:
            whole[:, place] = np.nan if numbers is None else numbers
    return whole if whole is not None and np.isfinite(whole).all() else None


class _Filling:
    """Answers as they come in."""

    def __init__(self, rows: Rows, found: list[Series]) -> None:
        self.rows, self.found = rows, found
        self.numbers = np.full((len(NUMBERS), len(found)), np.nan)
        self.told: list[Told | None] = [None] * len(found)
        self.reason = [each.reason for each in found]

    def enter(self, graph: Graph, place: list[int], numbers: NDArray[np.float64] | None) -> None:
        """Enters what a graph gave for some rows; None where it failed."""
        if numbers is None:
            for row in place:
                self.reason[row] = f"the model of segment {graph.name} failed"
            return
        self.numbers[:, place] = numbers
        good = np.asarray(np.isfinite(numbers).all(axis=0))
        if good.all():
            for row in place:
                self.told[row] = graph.told
            return
        for row, fine in zip(place, good.tolist(), strict=True):
            self.told[row] = graph.told if fine else None
            if not fine:
                self.reason[row] = f"the model of segment {graph.name} gave no finite number"

    def finish(self, own: Told, absent: Told) -> Answers:
        """The answers, with the historical average where no graph spoke."""
        told: list[Told] = []
        for row, (series, graph_told) in enumerate(zip(self.found, self.told, strict=True)):
            if graph_told is not None:
                told.append(graph_told)
                continue
            told.append(own if series.average else absent)
            self.numbers[:, row] = series.average or np.nan
            graph = series.graph
            if graph is not None and self.rows.horizon[row] > graph.weeks:
                self.reason[row] = f"the model of segment {graph.name} forecasts {graph.weeks} weeks"
        return Answers(self.numbers, told, self.reason)


def _by_graph(found: list[Series], horizon: Ints) -> dict[Graph, list[int]]:
    """The rows that each graph is asked for."""
    groups: dict[Graph, list[int]] = {}
    for row, (series, weeks) in enumerate(zip(found, horizon.tolist(), strict=True)):
        graph = series.graph
        if graph is None or weeks > graph.weeks:
            continue
        if graph in groups:
            groups[graph].append(row)
        else:
            groups[graph] = [row]
    return groups


def _ask(graph: Graph, rows: Rows, place: list[int], found: list[Series]) -> NDArray[np.float64] | None:
    """Units, lower and upper of some rows, (3, n); None where the graph failed."""
    inputs = _inputs(graph, rows, place, found)
    try:
        if len(place) <= CHUNK:
            return np.array(graph.session.run(NUMBERS, inputs), dtype=np.float64)
        parts = [graph.session.run(NUMBERS, part) for part in _chunks(inputs)]
        return np.concatenate([np.array(part, dtype=np.float64) for part in parts], axis=1)
    except GRAPH_ERRORS:
        return None


def _inputs(
    graph: Graph, rows: Rows, place: list[int], found: list[Series]
) -> dict[str, NDArray[np.generic]]:
    """What a graph reads: the features in its own order, and the names of each known series once."""
    whole = len(place) == len(rows)
    horizon = rows.horizon if whole else rows.horizon[place]
    own = rows.features if whole else rows.features[place]
    features = own[:, graph.columns]
    features[:, graph.ahead] = horizon[:, None]
    index: dict[int, int] = {}
    series = [index.setdefault(id(found[row]), len(index)) for row in place]
    names = {at: rows.names[row] for at, row in zip(series, place, strict=True)}
    return {
        "features": features,
        "level": rows.level if whole else rows.level[place],
        "horizon": horizon,
        "series": np.array(series, dtype=np.int64),
        **{
            kind: np.array(each, dtype=object)
            for kind, each in zip(CATEGORIES, zip(*names.values(), strict=True), strict=True)
        },
    }


def _chunks(inputs: dict[str, NDArray[np.generic]]) -> list[dict[str, NDArray[np.generic]]]:
    """The inputs in parts of CHUNK rows; the series' names go with each."""
    parts = []
    for start in range(0, len(inputs["level"]), CHUNK):
        cut = {
            name: inputs[name][start : start + CHUNK] for name in ("features", "level", "horizon", "series")
        }
        parts.append({**inputs, **cut})
    return parts
