"""MLflow's record of a run: a parent run, a child run per segment, the hashes of what went in, the files."""

import json
import math
import os
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # MLflow takes seconds to import: only a run that tracks pays for it
    from mlflow import MlflowClient
    from mlflow.entities import DatasetInput

EXPERIMENT = "level1"
DIGEST_DIGITS = 36  # what MLflow's database keeps of a digest; the whole hash is a tag
PER_BATCH = 100  # MLflow's limit of parameters, and of tags, in one call
# A dead server must not hold a run for minutes: the client's own defaults wait about four.
BUDGET = {
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",
    "MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR": "1",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "10",
    "MLFLOW_LOGGING_LEVEL": "WARNING",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DO_NOT_TRACK": "true",
}


class DependencyError(RuntimeError):
    """A service that a command needs does not answer; the command line turns it into exit code 5."""


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


@dataclass(frozen=True)
class Place:
    """Where runs are tracked: the address of a server or database, None for the store's own SQLite file."""

    store: Path
    uri: str | None = None

    @property
    def address(self) -> str:
        """The address that counts: the given one, MLFLOW_TRACKING_URI, or the store's own."""
        own = f"sqlite:///{(self.store / 'mlflow.db').resolve()}"
        return self.uri or os.environ.get("MLFLOW_TRACKING_URI") or own

    @property
    def public_address(self) -> str:
        """The address without user and password."""
        return _without_password(self.address)


class Tracker:
    """One parent run. A server that does not answer costs its record, never the run's work."""

    def __init__(self, place: Place, name: str, started_at: datetime) -> None:
        self.place, self.name, self.started_at = place, name, started_at
        self.run_id: str | None = None
        self._experiment = ""
        self._client: MlflowClient

    def begin(self) -> None:
        """Opens the store, once and before any worker runs, and the parent run; raises DependencyError."""
        with _answering(self.place):
            self._client, self._experiment = _open(self.place)
            self.run_id = self._create(self.name, None)

    def finish(self, parent: Record, children: list[Record], files: list[Path]) -> None:
        """Logs everything and closes the parent run; raises DependencyError."""
        if self.run_id is None:
            self.begin()
        run_id = str(self.run_id)
        with _answering(self.place):
            for child in children:
                child_id = self._create(child.name, run_id)
                self._log(child_id, child)
                self._client.set_terminated(child_id)
            self._log(run_id, parent)
            for file in files:
                self._client.log_artifact(run_id, str(file))
            self._client.set_terminated(run_id)

    def fail(self, error: BaseException) -> None:
        """Marks the parent run as failed, or killed where a person stopped it; raises DependencyError."""
        if self.run_id is None:
            return
        with _answering(self.place):
            self._client.set_tag(self.run_id, "error", f"{type(error).__name__}: {error}"[:500])
            status = "FAILED" if isinstance(error, Exception) else "KILLED"
            self._client.set_terminated(self.run_id, status=status)

    def _create(self, name: str, parent: str | None) -> str:
        tags = {"mlflow.runName": name, "mlflow.source.name": "level1_pipeline"}
        if parent:
            tags["mlflow.parentRunId"] = parent
        start = round(self.started_at.timestamp() * 1000)
        return str(self._client.create_run(self._experiment, start_time=start, tags=tags).info.run_id)

    def _log(self, run_id: str, record: Record) -> None:
        from mlflow.entities import Metric, Param, RunTag

        at = round(self.started_at.timestamp() * 1000)
        metrics = [Metric(k, float(v), at, 0) for k, v in record.metrics.items() if math.isfinite(v)]
        params = [Param(name, str(value)) for name, value in record.params.items()]
        tags = [RunTag(name, value) for name, value in record.tags.items()]
        for first in range(0, max(len(params), len(tags), 1), PER_BATCH):
            part = slice(first, first + PER_BATCH)
            self._client.log_batch(run_id, () if first else metrics, params[part], tags[part])
        if record.inputs:
            self._client.log_inputs(run_id, [_dataset(each) for each in record.inputs])


@contextmanager
def tracked(tracker: Tracker | None, say: Callable[[str], None]) -> Iterator[None]:
    """A block whose parent run begins with it and is marked as failed if it raises.

    Where the server does not answer at first, that is said, and the block goes on.
    """
    if tracker is not None:
        try:
            tracker.begin()
        except DependencyError as error:
            say(f"{error} The run goes on; its record is tried again at the end.")
    try:
        yield
    except BaseException as error:
        if tracker is not None:
            _fail(tracker, error)
        raise


def finish(tracker: Tracker | None, parent: Record, children: list[Record], files: list[Path]) -> str | None:
    """Logs a run that is done; why its record is missing, or None where it is there."""
    if tracker is None:
        return None
    try:
        tracker.finish(parent, children, files)
    except DependencyError as error:
        return str(error)
    return None


def _fail(tracker: Tracker, error: BaseException) -> None:
    try:
        tracker.fail(error)
    except DependencyError as also:  # the first error is the one to tell
        error.add_note(str(also))


@contextmanager
def _answering(place: Place) -> Iterator[None]:
    """A block in which what MLflow raises becomes a DependencyError that names the address."""
    for name, value in BUDGET.items():
        os.environ.setdefault(name, value)
    from mlflow.exceptions import MlflowException
    from sqlalchemy.exc import SQLAlchemyError

    try:
        yield
    except (MlflowException, SQLAlchemyError, OSError) as error:
        first = _without_password((str(error).splitlines() or [type(error).__name__])[0])
        raise DependencyError(
            f"tracking at {place.public_address}: expected an MLflow server or database that answers; "
            f"got {first[:300]} Start it, name another with --tracking-uri, or run with --no-tracking."
        ) from error


def _without_password(text: str) -> str:
    return re.sub(r"://[^/@\s]*@", "://", text)


def _open(place: Place) -> "tuple[MlflowClient, str]":
    """The client and the experiment, both made where they are not there yet."""
    from mlflow import MlflowClient

    own = place.address.startswith("sqlite:")
    if own:
        place.store.mkdir(parents=True, exist_ok=True)
    client = MlflowClient(tracking_uri=place.address)
    found = client.get_experiment_by_name(EXPERIMENT)
    if found is not None:
        return client, str(found.experiment_id)
    artifacts = (place.store / "mlartifacts").resolve().as_uri() if own else None
    return client, str(client.create_experiment(EXPERIMENT, artifact_location=artifacts))


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
