"""Features of the groups a series belongs to: its product, category, store, format and region in a region.

A group's value is the mean of the units of the series known that week, so that births and deaths of series do
not look like demand. In the real sets the product's group carries half of the week-to-week variance and more.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from demand.features.block import LEVEL_WEEKS, YEAR, Block, log_ratio
from demand.features.history import Features
from demand.features.panel import Panel
from demand.features.windows import Floats, Ints, Windows, shifted

GROUPS = {
    "product": ["region", "product_id"],
    "category": ["region", "category"],
    "store": ["region", "store_id"],
    "product_format": ["region", "product_id", "format"],
    "region": ["region"],
}


@dataclass(frozen=True)
class Group:
    """The mean units of each group of one kind, and the group of each series, shape (n_series,)."""

    name: str
    of_series: Ints
    units: Windows


def build_groups(panel: Panel) -> list[Group]:
    """The groups of a panel, one kind each."""
    found: list[Group] = []
    for name, keys in GROUPS.items():
        of_series = panel.series.groupby(keys, sort=True, observed=True).ngroup().to_numpy().astype(np.intp)
        found.append(Group(name, of_series, Windows(_means(panel.units, of_series))))
    return found


def _means(units: Floats, of_series: Ints) -> Floats:
    """Mean of the known units per group and week, NaN without one; shape (n_groups, n_weeks)."""
    known = ~np.isnan(units)
    frame = pd.DataFrame(np.where(known, units, 0).astype(np.float64)).groupby(of_series, sort=True).sum()
    count = pd.DataFrame(known).groupby(of_series, sort=True).sum().to_numpy()
    mean: Floats = np.full(count.shape, np.nan, np.float32)
    np.divide(frame.to_numpy(), count, out=mean, where=count > 0, casting="same_kind")
    return mean


def group_recent(block: Block, group: Group) -> Features:
    """Recent weeks and growth of a group against its own level of 26 weeks."""
    at, units = block.at, group.units
    level, then = units.mean(at, LEVEL_WEEKS), units.mean(at - YEAR, LEVEL_WEEKS)
    four, four_then = units.mean(at, 4), units.mean(at - YEAR, 4)
    found = {
        "lag_0": log_ratio(shifted(units.values, at), level, _offset(level)),
        "lag_1": log_ratio(shifted(units.values, at - 1), level, _offset(level)),
        "mean_4": log_ratio(four, level, _offset(level)),
        "mean_13": log_ratio(units.mean(at, 13), level, _offset(level)),
        "growth_26": log_ratio(level, then, _offset(level)),
        "growth_4": log_ratio(four, four_then, _offset(level)),
        "year_ago_origin": log_ratio(shifted(units.values, at - YEAR), then, _offset(then)),
        "year_ago_mean_4": log_ratio(four_then, then, _offset(then)),
    }
    return _spread_out(found, block, group)


def group_season(block: Block, group: Group, horizon: int) -> Features:
    """The target week one and two years ago and its neighbours, against the group's level of then."""
    units, back = group.units, block.at - YEAR
    level = units.mean(back, LEVEL_WEEKS)
    weeks = {lead: shifted(units.values, back + horizon + lead) for lead in (-1, 0, 1)}
    twice = units.mean(back - YEAR, LEVEL_WEEKS)
    found = {f"year_ago_{lead:+d}": log_ratio(week, level, _offset(level)) for lead, week in weeks.items()}
    found["year_ago_3"] = log_ratio(units.mean(back + horizon + 1, 3), level, _offset(level))
    found["year_ago_step"] = found["year_ago_+0"] - log_ratio(units.mean(back, 4), level, _offset(level))
    found["two_years_ago"] = log_ratio(shifted(units.values, back - YEAR + horizon), twice, _offset(twice))
    return _spread_out(found, block, group)


def _spread_out(found: Features, block: Block, group: Group) -> Features:
    """Values per group, named and given to every series of the block."""
    members = group.of_series[block.rows]
    return {f"{group.name}_{name}": values[members] for name, values in found.items()}


def _offset(level: Floats) -> Floats:
    """In units: keeps the log of an empty week in bounds, smaller than a series' since a sum is steadier."""
    return np.float32(0.02) * level + np.float32(1e-3)
