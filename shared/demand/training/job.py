"""What training works on: a job, and one region's part of it, which is what travels to a worker."""

from dataclasses import dataclass, field

import numpy as np

from demand.config import Config
from demand.errors import DataError
from demand.features import Panel, Windows
from demand.segments import Segment
from demand.training.memo import Memo, NoMemo
from demand.training.rows import DataSet, Encoder, Ints, Rows, build_panel_rows


@dataclass(frozen=True)
class Job:
    """A data set, how it is encoded and configured, how many may work on it, and what keeps their pieces."""

    data: DataSet
    encoder: Encoder
    config: Config
    workers: int = 1
    memo: Memo = field(default_factory=NoMemo)


@dataclass(frozen=True)
class Part:
    """One region of a job.

    first: index of the panel's first series among all of the data set. segments: of the region. own: index
    into them for each series of the panel, (n_series,).
    """

    panel: Panel
    encoder: Encoder
    config: Config
    memo: Memo
    first: int
    segments: tuple[Segment, ...]
    own: Ints

    def training_rows(self, at: Ints, last: int) -> Rows:
        """Rows with known targets up to the column `last`, from the origins `at`."""
        least = self.config.training.min_weeks
        return build_panel_rows(self.panel, self.encoder, at, (self.first, least)).known(last)

    def judging_rows(self, at: Ints, last: int) -> Rows:
        """Rows of every series with a known week, with known targets up to the column `last`."""
        return build_panel_rows(self.panel, self.encoder, at, (self.first, 1)).known(last)

    def split(self, rows: Rows) -> list[Rows]:
        """The rows of each of the part's segments."""
        own = self.own[rows.series - self.first]
        return [rows.take(np.flatnonzero(own == i)) for i in range(len(self.segments))]


def parts_of(job: Job, last: int) -> list[Part]:
    """The parts of a job, one per region, with the segments as of the column `last`."""
    segments, of_series, _ = job.data.segments(last)
    found, first = [], 0
    for panel in job.data.panels:
        of_panel = of_series[first : first + len(panel.series)]
        region = panel.series["region"].iloc[0]
        place = [i for i, segment in enumerate(segments) if segment.region == region]
        index = np.searchsorted(place, of_panel)
        own = tuple(segments[i] for i in place)
        found.append(Part(panel, job.encoder, job.config, job.memo, first, own, index))
        first += len(panel.series)
    return found


def drawn_rows(parts: list[Part], at: Ints, last: int) -> Rows:
    """Training rows of all parts for the network, at most about network.max_rows of them, drawn evenly.

    Raises DataError where there is no row to train on.
    """
    config = parts[0].config
    total = sum(_count(part.panel, at, last, config) for part in parts)
    share = min(1.0, config.network.max_rows / max(1, total))
    drawn = [_drawn(part.training_rows(at, last), share, part.first, config) for part in parts]
    rows = drawn[0].joined(drawn[1:])
    if len(rows) == 0:
        raise DataError(
            f"weeks: expected at least one series with {config.training.min_weeks} known weeks before a "
            "known target; got none. Deliver more history, or lower training.min_weeks."
        )
    return rows


def _drawn(rows: Rows, share: float, first: int, config: Config) -> Rows:
    if share >= 1:
        return rows
    random = np.random.default_rng([config.forecast.seed, first])
    return rows.take(random.random(len(rows)) < share)


def _count(panel: Panel, at: Ints, last: int, config: Config) -> int:
    """Number of training rows of a panel, without building them."""
    counted = Windows(panel.units).count(at, panel.n_known) >= config.training.min_weeks
    total = 0
    for horizon in range(1, config.forecast.horizon + 1):
        inside = at + horizon <= last
        total += int((counted[:, inside] & ~np.isnan(panel.units[:, at[inside] + horizon])).sum())
    return total
