"""What makes an answer doubtful: a wide interval, names that training has not seen, inputs it never met."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from demand.bundle.folder import verified
from level2_cicd.serving.engine import Answers, Rows, Series
from level2_cicd.serving.ranges import TrainingRange, read_range
from level2_cicd.serving.release import Release

WIDE, UNSEEN, OUTSIDE = "wide interval", "not seen in training", "outside the training range"
REASONS = (WIDE, UNSEEN, OUTSIDE)
NAMED = 3  # features that a reason names


@dataclass(frozen=True)
class Doubts:
    """How a release's answers are doubted.

    ranges: by segment name. wide: width of an interval, in times the forecast (of at least one unit), beyond
    which it says little.
    """

    release: Release
    ranges: Mapping[str, TrainingRange]
    wide: float

    def reasons(self, rows: Rows, answers: Answers) -> list[str]:
        """Why each row is doubted, reasons joined by "; "; empty where nothing is."""
        found: list[list[str]] = [[] for _ in rows.names]
        series = [self._series(rows, row) for row in range(len(rows))]
        for wide in np.flatnonzero(self._wide(answers)):
            found[wide].append(WIDE)
        for row, each in enumerate(series):
            if UNSEEN in each.reason:
                found[row].append(each.reason[each.reason.index(UNSEEN) :])
            if each.graph is not None and (odd := self._outside(each, rows, row)):
                found[row].append(f"{OUTSIDE}: {', '.join(odd[:NAMED])}" + " and more" * (len(odd) > NAMED))
        return ["; ".join(each) for each in found]

    def _series(self, rows: Rows, row: int) -> Series:
        engine = self.release.engine
        return engine.series.get(rows.names[row]) or engine.look_up(rows.names[row])

    def _wide(self, answers: Answers) -> NDArray[np.bool_]:
        units, lower, upper = answers.numbers
        return np.asarray(
            upper - lower > self.wide * np.maximum(units, 1.0)
        )  # False where there is no answer

    def _outside(self, series: Series, rows: Rows, row: int) -> list[str]:
        """The features of a row that the model of its segment cuts off."""
        assert series.graph is not None
        place = series.graph.columns
        values = rows.features[row, place]
        values[place < 0] = rows.horizon[row]
        columns = self.release.snapshot.columns
        odd = place[self.ranges[series.graph.name].outside(values)]
        return [columns[each] if each >= 0 else "horizon" for each in odd]


def read_doubts(store: Path, release: Release, wide: float) -> Doubts:
    """The doubts of a release of a store; raises IntegrityError where its graphs changed since."""
    folder = store / "bundle" / release.version
    files = {segment.name: entry.file for segment, entry in release.manifest.entries.items()}
    ranges = {
        segment: read_range(verified(folder / file, release.manifest.files[file]), str(folder / file))
        for segment, file in files.items()
    }
    return Doubts(release, ranges, wide)
