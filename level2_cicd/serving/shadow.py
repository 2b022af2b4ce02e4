"""A challenger that answers beside the champion, unheard: both answers are kept for comparison."""

import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from level2_cicd.serving.background import Background
from level2_cicd.serving.capture import Sighting, utc_now, week_of
from level2_cicd.serving.capture_db import CAPTURE, Shadowed, write
from level2_cicd.serving.engine import Answers, Rows
from level2_cicd.serving.release import Release


class Shadow:
    """Asks a challenger what the champion was asked; told: called with the number of rows that were kept.

    Of many requests only as many are asked again as there is time for; the others are counted as dropped.
    """

    def __init__(
        self,
        store: Path,
        challenger: Release,
        told: Callable[[int], None] = lambda _: None,
        *,
        requests: int = 10,
        every: float = 0.25,
    ) -> None:
        self.challenger = challenger
        self.failed = 0
        self._path, self._told = store / CAPTURE, told
        self._background = Background(self._work, room=requests, every=every)

    @property
    def dropped(self) -> int:
        """Requests that the challenger was not asked, and rows that could not be written."""
        return self._background.dropped + self.failed

    def has_room(self) -> bool:
        """Whether the challenger is asked once more; if not, the request is counted as dropped."""
        return self._background.has_room()

    def seen(self, sighting: Sighting) -> None:
        """Takes note of what the champion answered; comes back at once."""
        self._background.offer(sighting)

    def close(self) -> None:
        """Asks what is left, and ends."""
        self._background.close()

    def _work(self, batch: list[Sighting]) -> None:
        rows = [row for sighting in batch for row in self._shadowed(sighting)]
        try:
            write(self._path, rows)
        except (sqlite3.Error, OSError):
            self.failed += len(rows)
            return
        self._told(len(rows))

    def _shadowed(self, sighting: Sighting) -> Iterator[Shadowed]:
        if sighting.release.version == self.challenger.version:  # promoted meanwhile: nothing to compare
            return
        columns = sighting.release.snapshot.columns
        answers = self.challenger.engine.answer(_translated(sighting.rows, columns, self.challenger))
        for row in range(len(sighting.rows)):
            yield _row(sighting, answers, row, self.challenger.version)


def _translated(rows: Rows, columns: tuple[str, ...], challenger: Release) -> Rows:
    """The rows with the challenger's columns, NaN for those that the champion does not have."""
    wanted = challenger.snapshot.columns
    if wanted == columns:
        return rows
    place = {name: column for column, name in enumerate(columns)}
    found = np.array([place.get(name, -1) for name in wanted], dtype=np.intp)
    features = rows.features[:, found]
    features[:, found < 0] = np.nan
    return Rows(rows.names, rows.horizon, rows.level, features)


def _row(sighting: Sighting, other: Answers, row: int, challenger: str) -> Shadowed:
    rows, answers = sighting.rows, sighting.answers
    region, store, product, _, _ = rows.names[row]
    units, lower, upper = _numbers(answers, row)
    other_units, other_lower, other_upper = _numbers(other, row)
    return Shadowed(
        at=utc_now(),
        release=sighting.release.version,
        challenger=challenger,
        kind=sighting.kind,
        region=region,
        store_id=store,
        product_id=product,
        week=week_of(sighting.release, int(rows.horizon[row])),
        horizon=int(rows.horizon[row]),
        source=answers.told[row].source,
        units=units,
        lower=lower,
        upper=upper,
        challenger_source=other.told[row].source,
        challenger_units=other_units,
        challenger_lower=other_lower,
        challenger_upper=other_upper,
    )


def _numbers(answers: Answers, row: int) -> list[float | None]:
    return [None if np.isnan(each) else each for each in answers.numbers[:, row].tolist()]
