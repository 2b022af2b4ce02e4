"""A block of series at some origins: what every feature is computed from, and on which scale."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from demand.features.panel import Panel
from demand.features.windows import Floats, Ints, Windows, shifted

SERIES_PER_BLOCK = 2048
YEAR = 52  # weeks back to the same season
LEVEL_WEEKS, SHORT_LEVEL_WEEKS = 26, 13
FULL_YEAR = 47  # known weeks of the last 52 from which the longer level is used


@dataclass(frozen=True)
class Block:
    """Some series of a panel at some origins; arrays have the shape (n_series, n_origins).

    rows: the series. at: column of each origin, the last week a forecast may know.
    """

    panel: Panel
    rows: slice
    at: Ints

    @cached_property
    def units(self) -> Windows:
        """Rolling statistics of units."""
        return Windows(self.panel.units[self.rows])

    @cached_property
    def level(self) -> Floats:
        """Level S: mean units of the last 26 known weeks, of 13 where there is no full year."""
        return self.level_at(self.at)

    @cached_property
    def offset(self) -> Floats:
        """Offset k = max(1, 0.1 S), in units, that keeps logs of small numbers in bounds."""
        return offset_of(self.level)

    def level_at(self, at: Ints) -> Floats:
        """Level S of other weeks, NaN where a series had not begun."""
        long, short = self.units.mean(at, LEVEL_WEEKS), self.units.mean(at, SHORT_LEVEL_WEEKS)
        level = np.where(self.units.count(at, YEAR) >= FULL_YEAR, long, short)
        return np.where(np.isnan(level), self.units.mean(at, YEAR), level)

    def past(self, weeks: int) -> Floats:
        """Units that many weeks before each origin; 0 is the origin's week."""
        return shifted(self.units.values, self.at - weeks)

    def ahead(self, weeks: int) -> Floats:
        """Units that many weeks after each origin, the target; NaN where not known yet."""
        return shifted(self.units.values, self.at + weeks)

    def relative(self, units: Floats) -> Floats:
        """log((units + k) / (S + k)): units on the scale that large and small stores share."""
        return log_ratio(units, self.level, self.offset)


def blocks(panel: Panel, at: Ints) -> Iterator[Block]:
    """The panel in blocks of 2,048 series, so that memory does not grow with their number."""
    for start in range(0, len(panel.series), SERIES_PER_BLOCK):
        yield Block(panel, slice(start, start + SERIES_PER_BLOCK), at)


def offset_of(level: Floats) -> Floats:
    """Offset k = max(1, 0.1 S) of levels S, in units."""
    offset: Floats = np.maximum(np.float32(1), np.float32(0.1) * level)
    return offset


def log_ratio(value: Floats, level: Floats, offset: Floats) -> Floats:
    """log((value + offset) / (level + offset)), values below 0 as 0; all in units."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.log((np.maximum(value, np.float32(0)) + offset) / (level + offset))
