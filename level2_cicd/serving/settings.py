"""What a service is told when it starts."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from level2_cicd.serving.engine import Answers, Rows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from prometheus_client import Counter

    from level2_cicd.serving.release import Release

LOCAL = "local"
MEBIBYTE = 1 << 20


class Capture(Protocol):
    """Who is told of each answer after it was formed; it must come back at once."""

    @property
    def counters(self) -> "Sequence[Counter]":
        """What it counts, for the service's metrics."""

    def seen(self, request_kind: str, release: "Release", rows: Rows, answers: Answers) -> None:
        """Takes note of what a release was asked and what it answered."""

    def close(self) -> None:
        """Finishes what is left; the process ends."""


@dataclass(frozen=True)
class Limits:
    """What one request, and all that wait, may take."""

    body_bytes: int = 24 * MEBIBYTE  # about 5,000 rows of 250 features
    rows: int = 5_000  # of a request
    header_bytes: int = 16_384  # of request line and headers
    header_seconds: float = 5.0  # for the first byte and all headers
    body_seconds: float = 10.0  # for the body
    waiting: int = 512  # requests; at a quarter of a millisecond each, the last waits an eighth of a second
    waiting_bytes: int = 64 * MEBIBYTE  # of the bodies that wait
    hold_seconds: float = 1.0  # before a request is told that it is shed, so that a flood slows down
    keep_alive_seconds: float = 30.0  # that a connection may be idle
    drain_seconds: float = 5.0  # in which connections may finish when the service stops
    inline_bytes: int = MEBIBYTE // 2  # a larger body is worked on beside the loop that takes requests


@dataclass(frozen=True)
class ServingSettings:
    """Where a service finds its release, and what it lets in.

    store: environment store with current.json, bundle/ and forecasts.parquet. poll_seconds: between looks at
    the pointer. self_test_rows: of the snapshot that each segment must answer well before it serves.
    """

    store: Path
    environment: str = LOCAL
    token_required: bool = False
    limits: Limits = field(default_factory=Limits)
    poll_seconds: float = 0.5
    self_test_rows: int = 32
    capture: Capture | None = None
