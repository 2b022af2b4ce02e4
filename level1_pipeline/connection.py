"""How MLflow is reached: where it lies, how long a silent server is waited for, who opens a store first."""

import os
import re
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from demand.sources.publish import write_bytes

if TYPE_CHECKING:  # MLflow takes seconds to import: only a run that tracks pays for it
    from mlflow import MlflowClient

EXPERIMENT = "level1"
DATABASE, FIRST, IDENTITY = "mlflow.db", ".mlflow.lock", ".tracking-id"
PATIENCE = 45.0  # seconds of silence, over all calls since the last answer, after which a server is gone
PAUSE = 1.0  # seconds between two tries
# The client's own tries would wait about four minutes, and could create a run twice: asking again is ours.
BUDGET = {
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "10",
    "MLFLOW_LOGGING_LEVEL": "WARNING",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DO_NOT_TRACK": "true",
}
PASSING = ("INTERNAL_ERROR", "TEMPORARILY_UNAVAILABLE", "REQUEST_LIMIT_EXCEEDED")

Answer = TypeVar("Answer")


class DependencyError(RuntimeError):
    """A service that a command needs does not answer; the command line turns it into exit code 5."""


@dataclass(frozen=True)
class Place:
    """Where runs are tracked: the address of a server or database, None for the store's own SQLite file."""

    store: Path
    uri: str | None = None

    @property
    def address(self) -> str:
        """The address that counts: the given one, MLFLOW_TRACKING_URI, or the store's own."""
        own = f"sqlite:///{(self.store / DATABASE).resolve()}"
        return self.uri or os.environ.get("MLFLOW_TRACKING_URI") or own

    @property
    def public_address(self) -> str:
        """The address without user and password."""
        return without_password(self.address)

    @property
    def is_file(self) -> bool:
        """Whether it is a SQLite file, which no waiting brings back."""
        return self.address.startswith("sqlite:")


class Line:
    """A line to the place where runs are tracked; it asks again until there is an answer or patience ends.

    patience: seconds of silence, PATIENCE where none is given.
    """

    def __init__(
        self,
        place: Place,
        *,
        patience: float | None = None,
        clock: Callable[[], float] = time.monotonic,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self.place = place
        self._patience = PATIENCE if patience is None else patience
        self._clock, self._pause = clock, pause
        self._silent = 0.0  # seconds spent on tries and pauses since the last answer

    def ask(self, question: Callable[[], Answer], again: Callable[[], Answer] | None = None) -> Answer:
        """What `question` answers; after a failure `again` is asked instead, where it is given.

        Once patience has ended, further questions are tried once each, until one is answered.
        Raises DependencyError.
        """
        for name, value in BUDGET.items():
            os.environ.setdefault(name, value)
        from mlflow.exceptions import MlflowException
        from sqlalchemy.exc import SQLAlchemyError

        while True:
            begin = self._clock()
            try:
                answer = question()
            except (MlflowException, SQLAlchemyError, OSError) as error:
                self._silent += self._clock() - begin
                if self._silent >= self._patience or not _passes(error, self.place):
                    raise self._told(error) from error
            else:
                self._silent = 0.0
                return answer
            self._pause(PAUSE)
            self._silent += PAUSE
            question = again or question

    def _told(self, error: Exception) -> DependencyError:
        first = without_password((str(error).splitlines() or [type(error).__name__])[0])
        return DependencyError(
            f"tracking at {self.place.public_address}: expected an MLflow server or database that answers; "
            f"got {first[:300]} in {self._silent:.0f} s. What was done is kept. Start it, name another with "
            "--tracking-uri, or run with --no-tracking: the same command goes on from there."
        )


def open_store(place: Place) -> "tuple[MlflowClient, str]":
    """The client and the experiment, both made where they are not there yet; one process at a time.

    A new SQLite file takes its name only when it is complete: who is killed meanwhile leaves none.
    """
    from filelock import FileLock
    from mlflow import MlflowClient

    place.store.mkdir(parents=True, exist_ok=True)
    with FileLock(place.store / FIRST, timeout=PATIENCE):
        artifacts = (place.store / "mlartifacts").resolve().as_uri() if place.is_file else None
        own = place.store / DATABASE
        if place.address == f"sqlite:///{own.resolve()}" and not own.exists():
            _make_database(own, artifacts)
        _reach(place.address)
        client = MlflowClient(tracking_uri=place.address)
        found = client.get_experiment_by_name(EXPERIMENT)
        if found is not None:
            return client, str(found.experiment_id)
        return client, str(client.create_experiment(EXPERIMENT, artifact_location=artifacts))


def identity(place: Place) -> str:
    """What tells the runs of this store from those of others at the same place; made once."""
    from filelock import FileLock

    path = place.store / IDENTITY
    with FileLock(place.store / FIRST, timeout=PATIENCE):
        if not path.is_file():
            write_bytes(path, uuid.uuid4().hex.encode())
        return path.read_text()


def without_password(text: str) -> str:
    """The text with no user and password in its addresses."""
    return re.sub(r"://[^/@\s]*@", "://", text)


def _make_database(path: Path, artifacts: str | None) -> None:
    from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

    part = path.with_name(f".{path.name}.new")
    for leftover in (part, part.with_name(f"{part.name}-journal")):
        leftover.unlink(missing_ok=True)
    made: Any = SqlAlchemyStore(f"sqlite:///{part.resolve()}", artifacts)  # type: ignore[no-untyped-call]
    made.create_experiment(EXPERIMENT, artifact_location=artifacts)
    made.engine.dispose()
    part.replace(path)


def _reach(address: str) -> None:
    """Raises SQLAlchemyError where a database does not answer: MLflow itself would try for 100 s."""
    from sqlalchemy import create_engine
    from sqlalchemy.pool import NullPool

    if not address.startswith(("http:", "https:")):
        patience = {"connect_timeout": 10} if address.startswith("postgresql") else {}
        create_engine(address, poolclass=NullPool, connect_args=patience).connect().close()


def _passes(error: Exception, place: Place) -> bool:
    """Whether the same question may be answered a moment later."""
    if place.is_file:
        return "database is locked" in str(error)
    code = getattr(error, "error_code", None)
    return code is None or code in PASSING
