"""A release as it serves: read from a store, every byte verified before it is parsed, and self-tested."""

import hashlib
import json
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Any

import msgspec
import numpy as np
from onnxruntime import InferenceSession

from demand.bundle.folder import read_files
from demand.bundle.graph import check_certificates, open_graph
from demand.bundle.manifest import BASELINE, ENCODER, PARITY, SNAPSHOT, SPEEDS, Manifest
from demand.errors import IntegrityError, UsageError
from demand.segments import Segment
from level2_cicd.serving.averages import Averages, learn_averages
from level2_cicd.serving.engine import CATEGORIES, Engine, Graph, Told
from level2_cicd.serving.snapshot import Snapshot, read_snapshot
from level2_cicd.serving.tables import Columns, read_tables

CURRENT = "current.json"
HORIZON = "horizon"


@dataclass(frozen=True)
class Release:
    """What serves: its manifest, the engine over its graphs, and the feature snapshot."""

    manifest: Manifest
    engine: Engine
    snapshot: Snapshot
    columns_id: str

    @cached_property
    def version(self) -> str:
        """The version of the release."""
        return self.manifest.meta.model_version

    @cached_property
    def trained_at(self) -> str:
        """When its run began, in UTC as ISO 8601."""
        return utc(self.manifest.meta.trained_at)

    @cached_property
    def interval(self) -> float:
        """The share of weeks that an interval is to hold."""
        return float(self.manifest.meta.config.get("forecast", {}).get("interval", 0.9))

    @cached_property
    def versions(self) -> frozenset[str]:
        """The runs that its forecasts can come from."""
        return frozenset({self.version, *(entry.version for entry in self.manifest.entries.values())})

    @property
    def failed_over(self) -> dict[str, str]:
        """The segments that the release's own run does not serve, and why."""
        carried = {s.name: e.reason for s, e in self.manifest.entries.items() if e.version != self.version}
        return carried | {segment.name: why for segment, why in self.manifest.failed.items()}


class _Form(msgspec.Struct):
    """The part of an input form that serving reads."""

    names: tuple[str, ...]
    vocabulary: dict[str, tuple[str, ...]]
    spec: dict[str, Any]


def read_pointer(store: Path) -> bytes:
    """The bytes of the pointer; raises UsageError where the store has none."""
    path = store / CURRENT
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise UsageError(
            f"{store}: expected a store with a release in use; it has no {CURRENT}. "
            "Train and promote a release into it first, or name another store."
        ) from None


def read_release(store: Path, pointer: bytes) -> Release:
    """The release that a pointer names; raises IntegrityError where any of it is not what was recorded."""
    return read_with(store, pointer, {})[0]


def read_with(store: Path, pointer: bytes, more: Mapping[str, bytes]) -> tuple[Release, dict[str, Columns]]:
    """The release that a pointer names, and its tables with those of `more` files, which are read as it is.

    Raises IntegrityError where any of it is not what was recorded.
    """
    folder, sha256 = _target(store, pointer)
    manifest, files = read_files(folder, sha256)
    check_certificates(folder / PARITY, files[PARITY], manifest.entries)
    with ThreadPoolExecutor(1) as beside:  # another process reads the tables while this one opens the graphs
        reading = beside.submit(
            read_tables, {**more, **{name: files[name] for name in (SNAPSHOT, BASELINE, SPEEDS)}}
        )
        sessions = {s: open_graph(files[entry.file], entry.file) for s, entry in manifest.entries.items()}
        tables = reading.result()
    snapshot = read_snapshot(tables[SNAPSHOT], str(folder / SNAPSHOT))
    place = {name: column for column, name in enumerate(snapshot.columns)} | {HORIZON: -1}
    forms = {name: _form(files[name], folder / name) for name in _forms_of(manifest)}
    graphs = {
        segment.name: _graph(segment, sessions[segment], (manifest, forms[entry.form], place))
        for segment, entry in manifest.entries.items()
    }
    engine = _engine(manifest, graphs, _averages(tables, folder))
    engine.series.update({names: engine.look_up(names) for names in snapshot.names})
    return Release(manifest, engine, snapshot, columns_id(snapshot.columns)), tables


def self_test(release: Release, rows: int) -> None:
    """Scores up to `rows` snapshot rows of every segment; raises IntegrityError unless each answer is good.

    Good are finite numbers of at least 0, in the order lower, units, upper.
    """
    by_graph: dict[str, list[int]] = {}
    for row, names in enumerate(release.snapshot.names):
        graph = release.engine.series[names].graph
        own = by_graph.setdefault(graph.name if graph else "", [])
        if len(own) < rows:
            own.append(row)
    for segment, place in by_graph.items():
        answers = release.engine.answer(release.snapshot.rows(place))
        units, lower, upper = answers.numbers
        good = np.isfinite(answers.numbers).all(axis=0) & (lower >= 0) & (lower <= units) & (units <= upper)
        asked = [told.source != "baseline" for told in answers.told] if segment else good
        if not (good & np.asarray(asked)).all():
            at = int(np.argmin(good & np.asarray(asked)))
            raise IntegrityError(
                f"release {release.version}: expected finite, ordered forecasts of segment {segment}; got "
                f"{units[at]:g} units in {lower[at]:g} to {upper[at]:g} ({answers.reason[at]}). Train again."
            )


def columns_id(columns: tuple[str, ...]) -> str:
    """What names these columns in this order: the first 16 digits of a sha256."""
    return hashlib.sha256("\n".join(columns).encode()).hexdigest()[:16]


def utc(moment: datetime) -> str:
    """A time in UTC as ISO 8601, to the second."""
    return moment.replace(tzinfo=UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _target(store: Path, pointer: bytes) -> tuple[Path, str]:
    """The folder that a pointer names and the sha256 of its manifest."""
    try:
        content = json.loads(pointer)
        version, sha256 = content["model_version"], content["manifest_sha256"]
        if PurePosixPath(version).name != version:
            raise ValueError("a version that is no folder's name")
        return store / "bundle" / version, str(sha256)
    except (ValueError, KeyError, TypeError) as error:
        raise IntegrityError(
            f"{store / CURRENT}: expected a pointer to a bundle; got {type(error).__name__}: {error}. "
            "Promote a release again."
        ) from None


def _forms_of(manifest: Manifest) -> set[str]:
    return {ENCODER, *(entry.form for entry in manifest.entries.values())}


def _form(content: bytes, path: Path) -> _Form:
    try:
        form = msgspec.json.decode(content, type=_Form)
        if set(form.vocabulary) != set(CATEGORIES) or not form.spec.get("horizons"):
            raise msgspec.ValidationError("other categories or no horizons")
        return form
    except msgspec.MsgspecError as error:
        raise IntegrityError(
            f"{path}: expected the inputs of a bundle of this version; got {error}. Export it again."
        ) from error


def _averages(tables: Mapping[str, Columns], folder: Path) -> Averages:
    baseline, speeds = tables[BASELINE], tables[SPEEDS]
    try:
        return learn_averages(
            zip(
                *(baseline.text(name) for name in ("region", "format", "store_id", "product_id")), strict=True
            ),
            baseline.number("units").tolist(),
            zip(*(speeds.text(name) for name in ("region", "format", "product_id", "speed")), strict=True),
        )
    except KeyError as error:
        raise IntegrityError(
            f"{folder}: expected averages and speeds; no {error}. Export it again."
        ) from None


def _engine(manifest: Manifest, graphs: Mapping[str, Graph], averages: Averages) -> Engine:
    version, trained_at = manifest.meta.model_version, utc(manifest.meta.trained_at)
    return Engine(
        graphs=graphs,
        failed={segment.name: why for segment, why in manifest.failed.items()},
        averages=averages,
        own=Told("baseline", version, trained_at),
        absent=Told("absent", version, trained_at),
        series={},
    )


def _graph(
    segment: Segment, session: InferenceSession, around: tuple[Manifest, _Form, Mapping[str, int]]
) -> Graph:
    manifest, form, place = around
    entry = manifest.entries[segment]
    missing = [name for name in form.names if name not in place]
    if missing:
        raise IntegrityError(
            f"{entry.form}: expected features of the snapshot; it has no {', '.join(missing[:3])}. "
            "Export it again."
        )
    own = manifest.meta.model_version
    source = "champion" if entry.version == own else "previous"
    return Graph(
        name=segment.name,
        session=session,
        columns=np.array([place[name] for name in form.names], dtype=np.intp),
        known=tuple(frozenset(form.vocabulary[kind]) for kind in CATEGORIES),
        weeks=max(form.spec["horizons"]),
        told=Told(source, entry.version, utc(entry.trained_at)),
        reason=entry.reason,
    )
