"""Answers the model is unsure of, sampled into capture.db beside the requests, to be learnt from."""

import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from demand.errors import IntegrityError
from level2_cicd.serving.background import Background
from level2_cicd.serving.capture_db import CAPTURE, Captured, as_json, write
from level2_cicd.serving.doubts import REASONS, Doubts, read_doubts
from level2_cicd.serving.engine import Answers, Rows
from level2_cicd.serving.release import Release

DROPPED = "dropped"
REMEMBERED = 100_000  # rows that are not kept a second time


@dataclass(frozen=True)
class Sampling:
    """How much is looked at: so little at once that the requests meanwhile hardly wait for it.

    requests: in each of `every` seconds. rows: of one request, evenly spread. wide: see `Doubts`.
    """

    requests: int = 16
    every: float = 0.25
    rows: int = 16
    wide: float = 6.0


@dataclass(frozen=True)
class Sighting:
    """An answered request, or the sampled rows of it."""

    kind: str
    release: Release
    rows: Rows
    answers: Answers


class Capture:
    """Keeps the doubtful ones of the answers it is shown.

    told: called with a reason and the rows kept for it, and with "dropped" and what was dropped since.
    Nothing here waits for the disk or fails a request: what there is no room for, and what cannot be written,
    is counted as dropped and forgotten.
    """

    def __init__(
        self,
        store: Path,
        told: Callable[[str, int], None] = lambda _, __: None,
        sampling: Sampling = Sampling(),
    ) -> None:
        self.failed = self._dropped = 0
        self._store, self._told, self._sampling = store, told, sampling
        self._doubts: Doubts | None = None
        self._known: set[int] = set()
        self._background = Background(self._work, room=sampling.requests, every=sampling.every)

    @property
    def dropped(self) -> int:
        """Requests that were not looked at, and rows that could not be written."""
        return self._background.dropped + self.failed

    def has_room(self) -> bool:
        """Whether one more request is looked at; if not, it is counted as dropped."""
        return self._background.has_room()

    def seen(self, sighting: Sighting) -> None:
        """Takes note of an answered request; comes back at once."""
        self._background.offer(sighting)

    def close(self) -> None:
        """Writes what is left, and ends."""
        self._background.close()

    def _work(self, batch: list[Sighting]) -> None:
        rows = [row for sighting in batch for row in self._captured(sighting)]
        try:
            write(self._store / CAPTURE, rows)
        except (sqlite3.Error, OSError):
            self.failed += len(rows)
            return self._tell_dropped()
        counts = Counter(reason for row in rows for reason in REASONS if reason in row.reason)
        for reason, number in counts.items():
            self._told(reason, number)
        self._tell_dropped()

    def _tell_dropped(self) -> None:
        dropped = self.dropped
        self._told(DROPPED, dropped - self._dropped)
        self._dropped = dropped

    def _captured(self, sighting: Sighting) -> Iterator[Captured]:
        """The doubtful rows of a request that were not kept before."""
        try:
            doubts = self._of(sighting.release)
        except (IntegrityError, OSError):  # its bundle was cleared away meanwhile
            self.failed += len(sighting.rows)
            return
        for row, reason in enumerate(doubts.reasons(sighting.rows, sighting.answers)):
            if reason and self._is_new(sighting, row):
                yield _row(sighting, row, reason)

    def _of(self, release: Release) -> Doubts:
        if self._doubts is None or self._doubts.release is not release:
            self._doubts = read_doubts(self._store, release, self._sampling.wide)
        return self._doubts

    def _is_new(self, sighting: Sighting, row: int) -> bool:
        if len(self._known) >= REMEMBERED:
            self._known.clear()
        rows = sighting.rows
        told = (
            sighting.release.version,
            rows.names[row],
            int(rows.horizon[row]),
            rows.features[row].tobytes(),
        )
        before = len(self._known)
        self._known.add(hash(told))
        return len(self._known) > before


def sampled(sighting: Sighting, most: int) -> Sighting:
    """The request itself, or `most` of its rows, evenly spread and copied."""
    rows, answers = sighting.rows, sighting.answers
    if len(rows) <= most:
        return sighting
    place = [i * len(rows) // most for i in range(most)]
    return Sighting(
        sighting.kind,
        sighting.release,
        Rows([rows.names[i] for i in place], rows.horizon[place], rows.level[place], rows.features[place]),
        Answers(
            answers.numbers[:, place], [answers.told[i] for i in place], [answers.reason[i] for i in place]
        ),
    )


def week_of(release: Release, horizon: int) -> str:
    """The Monday so many weeks after the last that the release knows; empty where it tells none."""
    as_of = release.manifest.meta.as_of
    return (as_of + timedelta(weeks=horizon)).isoformat() if as_of else ""


def utc_now() -> str:
    """The time, UTC, to the millisecond."""
    return datetime.now(UTC).replace(tzinfo=None).isoformat(timespec="milliseconds")


def _row(sighting: Sighting, row: int, reason: str) -> Captured:
    rows, answers, release = sighting.rows, sighting.answers, sighting.release
    region, store, product, category, form = rows.names[row]
    told, horizon = answers.told[row], int(rows.horizon[row])
    units, lower, upper = answers.numbers[:, row].tolist()
    features = dict(zip(release.snapshot.columns, rows.features[row].tolist(), strict=True))
    inputs = {"category": category, "format": form, "level": float(rows.level[row]), **features}
    return Captured(
        at=utc_now(),
        release=release.version,
        kind=sighting.kind,
        reason=reason,
        region=region,
        store_id=store,
        product_id=product,
        week=week_of(release, horizon),
        horizon=horizon,
        source=told.source,
        model_version=told.model_version,
        units=units,
        lower=lower,
        upper=upper,
        inputs=as_json(inputs),
    )
