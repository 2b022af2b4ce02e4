"""What is compared with what: the latest weeks, and the same season of the weeks that training knew."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from demand.features import Panel

Floats = NDArray[np.float64]
Columns = NDArray[np.intp]
WEEKS = 2  # the latest weeks, looked at together
SEASON = 3  # weeks to either side that count as the same season
LEVEL_WEEKS = 26  # before a week: what its units and prices are held against
YEAR = 52.18  # weeks
SCALED = ("units", "price")
PLAIN = ("feature", "deal", "temperature", "precipitation")
FEATURES = (*SCALED, *PLAIN)


def recent(at: int) -> Columns:
    """Columns of the latest weeks, the column `at` the last of them."""
    return np.arange(max(0, at - WEEKS + 1), at + 1)


def same_season(panel: Panel, at: int, until: int) -> Columns:
    """Columns up to `until`, before the latest weeks, at most 3 weeks from them in the year; any year."""
    now = recent(at)
    week = np.arange(min(until, int(now[0]) - 1) + 1)
    apart = np.abs(week[:, None] - now[None, :]) % YEAR
    near = np.minimum(apart, YEAR - apart).min(axis=1) <= SEASON + 0.5
    # Weeks just before the latest ones are the same season as well, but the same spell of weather, too.
    found: Columns = week[near & (week < now[0] - YEAR / 2)]
    return found


def values_of(panel: Panel, feature: str, columns: Columns) -> Floats:
    """A feature at some columns, (n_series, n_columns); units and prices as logs against the weeks before.

    So a series that grew, or a price that rose with all prices, is not taken for drift.
    """
    if feature in PLAIN:
        return panel.inputs[feature][:, columns].astype(np.float64)
    values = panel.units if feature == "units" else panel.inputs["price"]
    found = np.full((len(values), len(columns)), np.nan)
    for place, column in enumerate(columns):
        before = values[:, max(0, column - LEVEL_WEEKS) : column].astype(np.float64)
        count = (~np.isnan(before)).sum(axis=1)
        level = np.nansum(before, axis=1) / np.where(count >= LEVEL_WEEKS // 2, count, np.nan)
        offset = np.maximum(1.0, 0.1 * level) if feature == "units" else 1e-9
        found[:, place] = np.log((values[:, column] + offset) / (level + offset))
    return found


def living(panel: Panel, columns: Columns) -> NDArray[np.bool_]:
    """Which series have known units in which columns, (n_series, n_columns)."""
    known: NDArray[np.bool_] = ~np.isnan(panel.units[:, columns])
    return known


def weeks_text(week: pd.Timestamp) -> str:
    """A Monday as messages have it."""
    return f"{week:%Y-%m-%d}"
