"""An event's first anniversary: last year is known, and no model has seen yet what it says of this year.

A model that met Thanksgiving once met it without a last year to look back on, so no weight of it can carry
last year's peak over. These columns do: the forecast is anchored on them, see `demand.models.blend`.
"""

import numpy as np

from demand.features.block import YEAR, Block
from demand.features.calendar import events_at
from demand.features.history import Features, grown
from demand.features.panel import Panel
from demand.features.windows import Floats, Ints, shifted

GATE, ANCHOR = "anniversary", "anniversary_ratio"
GROWTH_WEEKS = (13, 26)
APART = 26  # weeks between occurrences from which they are two, not one event that lasts


def met_once(panels: list[Panel], until: int) -> tuple[str, ...]:
    """Names of the events that occurred once up to the column `until`, sorted.

    Weeks less than half a year apart are one occurrence.
    """
    weeks: dict[str, set[int]] = {}
    for panel in panels:
        known = panel.event[:, : until + 1]
        for code in np.unique(known[known > 0]):
            found = np.flatnonzero((known == code).any(axis=0))
            weeks.setdefault(panel.event_names[code], set()).update(found.tolist())
    return tuple(sorted(name for name, each in weeks.items() if max(each) - min(each) < APART))


def anniversary(block: Block, horizon: int, names: tuple[str, ...]) -> Features:
    """1 in weeks touched by the first anniversary of an event, and last year's log ratio there, else 0 and 0.

    Touched: the target week, or the one before or after it, has an event of `names` and had it a year ago.
    The ratio is that of last year's units grown since; growth over a quarter and half a year count alike.
    """
    back = block.at - YEAR
    then = shifted(block.units.values, back + horizon)
    ratio = sum(block.relative(grown(block, then, back, weeks)) for weeks in GROWTH_WEEKS) / len(GROWTH_WEEKS)
    touched = _touched(block, horizon, names) & np.isfinite(ratio)
    return {
        GATE: touched.astype(np.float32),
        ANCHOR: np.where(touched, ratio, 0).astype(np.float32),
    }


def anchors(values: Floats, names: tuple[str, ...]) -> Floats:
    """The anchor of each row, (n_rows,) log ratios, NaN where none; `values` raw (n_rows, n_features)."""
    if GATE not in names:
        return np.full(len(values), np.nan, np.float32)
    open_ = values[:, names.index(GATE)] > 0.5
    return np.where(open_, values[:, names.index(ANCHOR)], np.float32(np.nan))


def _touched(block: Block, horizon: int, names: tuple[str, ...]) -> np.ndarray:
    """Whether each series and origin (n_series, n_origins) has the same named event now and a year before."""
    codes: Ints = np.array([code for code, name in enumerate(block.panel.event_names) if name in names])
    found = np.zeros((len(block.units.values), len(block.at)), dtype=np.bool_)
    for lead in (-1, 0, 1):
        week = events_at(block, block.at + horizon + lead)
        found |= np.isin(week, codes) & (week == events_at(block, block.at + horizon + lead - YEAR))
    return found
