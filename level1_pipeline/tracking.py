"""MLflow's record of a run: a parent run, a child run per segment, the hashes of what went in, the files."""

import json
import math
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from level1_pipeline.connection import BUDGET, DependencyError, Line, Place, identity, open_store

if TYPE_CHECKING:  # MLflow takes seconds to import: only a run that tracks pays for it
    from mlflow import MlflowClient
    from mlflow.entities import DatasetInput, Run

__all__ = ["BUDGET", "DependencyError", "Input", "Place", "Record", "Tracker", "tracked"]

DIGEST_DIGITS = 36  # what MLflow's database keeps of a digest; the whole hash is a tag
PER_BATCH = 100  # MLflow's limit of parameters, and of tags, in one call
MOST_RUNS = 10_000  # more children than a run has, more open runs than a store has
KEY, STORE, PARENT = "level1.key", "level1.store", "mlflow.parentRunId"


@dataclass(frozen=True)
class Input:
    """A table that went into a run: its name, sha256, and what more is to be known of it."""

    name: str
    sha256: str
    source: Mapping[str, Any]


@dataclass(frozen=True)
class Record:
    """What MLflow keeps of one run; values that are not numbers are left out of the metrics."""

    name: str
    params: Mapping[str, Any]
    metrics: Mapping[str, float]
    tags: Mapping[str, str]
    inputs: tuple[Input, ...] = ()


class Tracker:
    """One parent run and its children: begin, children, finish; or fail. Each raises DependencyError.

    A question that a server did not answer is asked again (`connection.PATIENCE`), and every run has a key,
    so that none is there twice if only the answer was lost. client: there once begun. line: asks it.
    """

    client: "MlflowClient"

    def __init__(self, place: Place, name: str, started_at: datetime, line: Line | None = None) -> None:
        self.place, self.name, self.started_at = place, name, started_at
        self.line = line or Line(place)
        self.run_id: str | None = None
        self._key, self._store, self._experiment = uuid.uuid4().hex, "", ""
        self._goes_on = False
        self._children: dict[str, str] = {}

    def under(self, key: str) -> "Tracker":
        """This tracker, going on with the run that has this key, where there is one; before it begins."""
        self._key, self._goes_on = key, True
        return self

    def begin(self) -> None:
        """Opens the store, once and before any worker runs, and the parent run."""
        self.client, self._experiment = self.line.ask(partial(open_store, self.place))
        self._store = self.line.ask(partial(identity, self.place))
        before = self._search(f"tags.`{KEY}` = '{self._key}'") if self._goes_on else []
        if before:
            self._go_on(str(before[0].info.run_id))
        else:
            self.run_id = self._create(self.name, self._key, {})

    def abandoned(self) -> list[str]:
        """Ids of the parent runs that this store's dead processes left open, now marked as killed.

        Only for the holder of the store's lock: another run that is open is then dead.
        """
        filter_ = f"attributes.status = 'RUNNING' and tags.`{STORE}` = '{self._store}'"
        others = [run for run in self._search(filter_) if not self._is_own(run)]
        for run in others:
            self._tag(run.info.run_id, "abandoned", "its process ended without closing it")
            self._close(run.info.run_id, "KILLED")
        return [str(run.info.run_id) for run in others if PARENT not in run.data.tags]

    def children(self, records: list[Record]) -> dict[str, str]:
        """The id of a closed child run per name; records that already have theirs are logged anew."""
        parent = self._begun()
        for record in records:
            key = f"{self._key}/{record.name}"
            if record.name not in self._children:
                self._children[record.name] = self._create(record.name, key, {PARENT: parent})
            self._log(self._children[record.name], record)
            self._close(self._children[record.name], "FINISHED")
        return dict(self._children)

    def finish(self, parent: Record, files: list[Path]) -> None:
        """Logs the parent run with its files and closes it."""
        run_id = self._begun()
        self._log(run_id, parent)
        for file in files:
            self.line.ask(partial(self.client.log_artifact, run_id, str(file)))
        self._remove_doubles(run_id)
        self._close(run_id, "FINISHED")

    def fail(self, error: BaseException) -> None:
        """Marks the parent run as failed, or killed where a person stopped it."""
        if self.run_id is not None:
            self._tag(self.run_id, "error", f"{type(error).__name__}: {error}"[:500])
            self._close(self.run_id, "FAILED" if isinstance(error, Exception) else "KILLED")

    def _is_own(self, run: "Run") -> bool:
        return str(run.data.tags.get(KEY, "")).startswith(self._key)

    def _begun(self) -> str:
        if self.run_id is None:
            self.begin()
        return str(self.run_id)

    def _create(self, name: str, key: str, more: Mapping[str, str]) -> str:
        """The id of a new run; asked again, that of the run with this key if the first try made one."""
        own = {"mlflow.runName": name, "mlflow.source.name": "level1_pipeline", KEY: key, STORE: self._store}
        tags = {**own, **more}
        start = round(self.started_at.timestamp() * 1000)

        def create() -> str:
            return str(self.client.create_run(self._experiment, start_time=start, tags=tags).info.run_id)

        def found_or_created() -> str:
            found = self._runs(f"tags.`{KEY}` = '{key}'")
            return str(found[0].info.run_id) if found else create()

        return self.line.ask(create, again=found_or_created)

    def _go_on(self, run_id: str) -> None:
        """Opens a run again, whose process ended without closing it or failed, and finds its children."""
        self.run_id = run_id
        self.line.ask(partial(self.client.update_run, run_id, status="RUNNING"))
        children = self._search(f"tags.`{PARENT}` = '{run_id}'")
        self._children = {str(run.info.run_name): str(run.info.run_id) for run in children}

    def _remove_doubles(self, parent: str) -> None:
        """Deletes children whose creation was answered too late: the same key as one that is kept."""
        kept = set(self._children.values())
        for run in self._search(f"tags.`{PARENT}` = '{parent}'"):
            run_id = run.info.run_id
            if run_id not in kept:
                self.line.ask(partial(self.client.delete_run, run_id))

    def _search(self, filter_: str) -> "list[Run]":
        return self.line.ask(partial(self._runs, filter_))

    def _runs(self, filter_: str) -> "list[Run]":
        return list(self.client.search_runs([self._experiment], filter_, max_results=MOST_RUNS))

    def _tag(self, run_id: str, name: str, value: str) -> None:
        self.line.ask(partial(self.client.set_tag, run_id, name, value))

    def _close(self, run_id: str, status: str) -> None:
        self.line.ask(partial(self.client.set_terminated, run_id, status=status))

    def _log(self, run_id: str, record: Record) -> None:
        from mlflow.entities import Metric, Param, RunTag

        at = round(self.started_at.timestamp() * 1000)
        metrics = [Metric(k, float(v), at, 0) for k, v in record.metrics.items() if math.isfinite(v)]
        params = [Param(name, str(value)) for name, value in record.params.items()]
        tags = [RunTag(name, value) for name, value in record.tags.items()]
        for first in range(0, max(len(params), len(tags), 1), PER_BATCH):
            part = slice(first, first + PER_BATCH)
            batch = (() if first else metrics, params[part], tags[part])
            self.line.ask(partial(self.client.log_batch, run_id, *batch))
        if record.inputs:
            inputs = [_dataset(each) for each in record.inputs]
            self.line.ask(partial(self.client.log_inputs, run_id, inputs))


@contextmanager
def tracked(tracker: Tracker | None, say: Callable[[str], None]) -> Iterator[None]:
    """A block whose parent run begins with it and is marked as failed if it raises.

    Where the server does not answer at first, that is said, and the block goes on.
    """
    if tracker is not None:
        try:
            tracker.begin()
            for run_id in tracker.abandoned():
                say(f"MLflow run {run_id} was left open by a run that is dead; it is marked as killed.")
        except DependencyError as error:
            say(f"{error} The run goes on; its record is tried again at the end.")
    try:
        yield
    except BaseException as error:
        if tracker is not None:
            _fail(tracker, error)
        raise


def _fail(tracker: Tracker, error: BaseException) -> None:
    try:
        tracker.fail(error)
    except DependencyError as also:  # the first error is the one to tell
        error.add_note(str(also))


def _dataset(given: Input) -> "DatasetInput":
    from mlflow.entities import Dataset, DatasetInput, InputTag

    dataset = Dataset(
        name=given.name,
        digest=given.sha256[:DIGEST_DIGITS],
        source_type="local",
        source=json.dumps(dict(given.source)),
    )
    return DatasetInput(
        dataset, [InputTag("mlflow.data.context", "training"), InputTag("sha256", given.sha256)]
    )
