"""Features of the target week itself: season, place in the month, events, weather. All known ahead."""

import numpy as np

from demand.contracts import EVENT_KINDS
from demand.features.block import YEAR, Block
from demand.features.history import Features
from demand.features.panel import Panel
from demand.features.windows import Floats, Ints, Windows, shifted

PAIRS = 3  # of sine and cosine over the year


def season_of_year(block: Block, horizon: int) -> Features:
    """Three Fourier pairs of the year and two of the month at the target week, shape (1, n_origins)."""
    weeks = block.panel.weeks[block.at] + np.timedelta64(7 * horizon, "D")
    year = (weeks.day_of_year.to_numpy() - 1) / 365.25
    month = (weeks.day.to_numpy() - 1) / weeks.days_in_month.to_numpy()
    found = {}
    for name, phase, pairs in (("year", year, PAIRS), ("month", month, 2)):
        for pair in range(1, pairs + 1):
            angle = 2 * np.pi * pair * phase
            found[f"{name}_sin_{pair}"] = np.sin(angle)[None].astype(np.float32)
            found[f"{name}_cos_{pair}"] = np.cos(angle)[None].astype(np.float32)
    return found | {"horizon": np.full((1, len(block.at)), horizon, np.float32)}


def event_weeks(block: Block, horizon: int, names: tuple[str, ...]) -> Features:
    """1 where the target week, the week before it or the week after it has the named event."""
    found = {}
    own = {name: code for code, name in enumerate(block.panel.event_names)}
    for lead in (-1, 0, 1):
        week = events_at(block, block.at + horizon + lead)
        for name in names:
            found[f"event_{name}_{lead:+d}"] = (week == own.get(name, -1)).astype(np.float32)
    return found


def event_days(block: Block, horizon: int) -> Features:
    """Share of the week's days with each kind of event: at the target, around it, and a year before it."""
    found = {}
    for kind in EVENT_KINDS:
        days = _input(block, f"event_{kind}")
        for lead in (-1, 0, 1):
            found[f"{kind}_days_{lead:+d}"] = np.nan_to_num(shifted(days, block.at + horizon + lead))
        found[f"{kind}_days_year_ago"] = np.nan_to_num(shifted(days, block.at + horizon - YEAR))
    return found


def event_origin(block: Block) -> Features:
    """1 where the origin's week, or the week before it, has a named event."""
    return {
        f"event_origin_{lead:+d}": (events_at(block, block.at + lead) > 0).astype(np.float32)
        for lead in (-1, 0)
    }


def weather(block: Block, horizon: int) -> Features:
    """Temperature (10 deg C) and precipitation (10 mm) of the target week, and against other weeks."""
    found = {}
    for name in ("temperature", "precipitation"):
        values = _input(block, name) / np.float32(10)
        target = shifted(values, block.at + horizon)
        found[name] = target
        found[f"{name}_step_8"] = target - Windows(values).mean(block.at, 8)
        found[f"{name}_step_origin"] = target - shifted(values, block.at)
        found[f"{name}_step_year"] = target - shifted(values, block.at + horizon - YEAR)
    return found


def shoppers(block: Block) -> Features:
    """Demographics of the store, shape (n_series, 1): logs of people and dollars, shares as they are."""
    found = {}
    for name, column in block.panel.shoppers.items():
        values = column[block.rows][:, None]
        found[f"shoppers_{name}"] = values if name.startswith("share") else np.log1p(values)
    return found


def event_vocabulary(panels: list[Panel]) -> tuple[str, ...]:
    """Names of the events that fall into a known week of any panel, sorted."""
    found: set[str] = set()
    for panel in panels:
        codes = np.unique(panel.event[:, : panel.n_known])
        found |= {panel.event_names[code] for code in codes}
    return tuple(sorted(found - {""}))


def _input(block: Block, name: str) -> Floats:
    return block.panel.inputs[name][block.rows]


def events_at(block: Block, at: Ints) -> Ints:
    """Codes of the events of each series in the columns `at`, (n_series, n_at); 0 outside the panel."""
    events = block.panel.event[block.rows]
    inside = (at >= 0) & (at < events.shape[1])
    found = np.zeros((len(events), len(at)), dtype=np.intp)
    found[:, inside] = events[:, at[inside]]
    return found
