"""Records what each stage of a run did: when, how many rows, which contents, with what parameters."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any


@dataclass
class Stage:
    """One stage as run.json has it: times in UTC as ISO text, seconds, rows, content hashes, parameters."""

    name: str
    start: str
    end: str = ""
    seconds: float = 0.0
    rows_in: int | None = None
    rows_out: int | None = None
    hashes: dict[str, str] = field(default_factory=dict)
    parameters: dict[str, Any] = field(default_factory=dict)
    status: str = "running"

    def note(
        self,
        *,
        rows_in: int | None = None,
        rows_out: int | None = None,
        hashes: Mapping[str, str] | None = None,
    ) -> None:
        """Keeps what went in and what came out."""
        self.rows_in, self.rows_out, self.hashes = rows_in, rows_out, dict(hashes or {})


class Recorder:
    """The stages of one run in their order; the only place where a run looks at the clock."""

    def __init__(self, on_stage: Callable[[str], None], now: Callable[[], datetime] | None = None) -> None:
        self.stages: list[Stage] = []
        self._on_stage = on_stage
        self._now = now or (lambda: datetime.now(UTC))
        self.started_at = self._now()

    @property
    def utc(self) -> datetime:
        """When the run began, in UTC, without a time zone."""
        return self.started_at.astimezone(UTC).replace(tzinfo=None)

    @contextmanager
    def stage(self, name: str, **parameters: Any) -> Iterator[Stage]:
        """A stage that begins and ends with the block; one that raises is kept as failed."""
        self._on_stage(name)
        stage = Stage(name, start=self._now().isoformat(), parameters=parameters)
        self.stages.append(stage)
        begin = time.perf_counter()
        try:
            yield stage
            stage.status = "done"
        finally:
            stage.status = stage.status.replace("running", "failed")
            stage.seconds = round(time.perf_counter() - begin, 3)
            stage.end = self._now().isoformat()

    def as_dicts(self) -> list[dict[str, Any]]:
        """The stages for JSON."""
        return [asdict(stage) for stage in self.stages]
