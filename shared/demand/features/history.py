"""Features of a series' own past: level, recent weeks, spread, and the same season a year ago."""

import warnings

import numpy as np

from demand.features.block import YEAR, Block, log_ratio
from demand.features.windows import Floats, Ints, shifted

Features = dict[str, Floats]
LAGS = (0, 1, 2, 3)
MEANS = (4, 8, 13, 52)
ORDER_WEEKS = 26
QUANTILES = (0.1, 0.25, 0.5, 0.75, 0.9)


def recent(block: Block) -> Features:
    """Lags, rolling means and spread of the last weeks, and the age and level of the series."""
    units, at = block.units, block.at
    found = {f"lag_{lag}": block.relative(block.past(lag)) for lag in LAGS}
    found |= {f"mean_{weeks}": block.relative(units.mean(at, weeks)) for weeks in MEANS}
    for weeks in (8, 26):
        found[f"variation_{weeks}"] = units.deviation(at, weeks) / (units.mean(at, weeks) + 1)
        found[f"zero_share_{weeks}"] = units.zero_share(at, weeks)
    lags = np.stack([block.relative(block.past(lag)) for lag in range(8)])
    weights = np.where(np.isnan(lags), 0, 0.7 ** np.arange(8, dtype=np.float32)[:, None, None])
    found["faded_mean"] = (np.nan_to_num(lags) * weights).sum(axis=0) / np.maximum(weights.sum(axis=0), 1e-6)
    found["weeks_since_sale"] = np.log1p(_weeks_since_sale(block))
    found["age"] = np.log1p(units.count(at, block.panel.n_known))
    found["log_level"] = np.log(block.level + block.offset)
    return found


def spread(block: Block) -> Features:
    """Quantiles of the last 26 weeks that had sales, and the constant that had the least MAPE on them.

    The least-MAPE constant is the median weighted with 1 / units (Gneiting, 2011, section 2.3).
    """
    weeks = np.stack([block.past(lag) for lag in range(ORDER_WEEKS)], axis=2)  # (n_series, n_origins, 26)
    ordered = np.sort(np.where(weeks > 0, weeks, np.nan), axis=2)
    count = (~np.isnan(ordered)).sum(axis=2)
    found = {}
    for share in QUANTILES:
        index = np.rint(share * np.maximum(count - 1, 0)).astype(np.intp)
        found[f"quantile_{int(100 * share)}"] = block.relative(_take(ordered, index))
    with np.errstate(divide="ignore"):
        weights = np.cumsum(np.where(np.isnan(ordered), 0, 1 / ordered), axis=2)
    found["least_mape"] = block.relative(_take(ordered, np.argmax(weights >= weights[:, :, -1:] / 2, axis=2)))
    return found


def growth(block: Block) -> Features:
    """Level now against a year ago over 4, 13 and 26 weeks, and where last year's origin week stood."""
    back, offset = block.at - YEAR, block.offset
    then = {weeks: block.units.mean(back, weeks) for weeks in (4, 13)}
    level = block.level_at(back)
    scale = np.maximum(np.float32(1), np.float32(0.1) * level)
    return {
        "has_last_year": (~np.isnan(level)).astype(np.float32),
        "growth_26": log_ratio(block.level, level, offset),
        "growth_4": log_ratio(block.units.mean(block.at, 4), then[4], offset),
        "growth_13": log_ratio(block.units.mean(block.at, 13), then[13], offset),
        "year_ago_origin": log_ratio(shifted(block.units.values, back), level, scale),
        "year_ago_mean_4": log_ratio(then[4], level, scale),
    }


def season(block: Block, horizon: int) -> Features:
    """The target week one and two years ago and its neighbours, against the level and the weeks of then."""
    back = block.at - YEAR
    level = block.level_at(back)
    scale = np.maximum(np.float32(1), np.float32(0.1) * level)
    weeks = {lead: shifted(block.units.values, back + horizon + lead) for lead in (-2, -1, 0, 1, 2)}
    three, five = _mean([weeks[lead] for lead in (-1, 0, 1)]), _mean(list(weeks.values()))
    base = log_ratio(block.units.mean(back, 4), level, scale)
    twice = block.level_at(block.at - 2 * YEAR)
    then = shifted(block.units.values, block.at - 2 * YEAR + horizon)
    found = {f"year_ago_{lead:+d}": log_ratio(weeks[lead], level, scale) for lead in (-1, 0, 1)}
    return found | {
        "year_ago_3": log_ratio(three, level, scale),
        "year_ago_5": log_ratio(five, level, scale),
        "year_ago_step": log_ratio(weeks[0], level, scale) - base,
        "year_ago_step_3": log_ratio(three, level, scale) - base,
        "year_ago_grown": block.relative(grown(block, weeks[0], back)),
        "year_ago_units": block.relative(weeks[0]),
        "two_years_ago": log_ratio(then, twice, np.maximum(np.float32(1), np.float32(0.1) * twice)),
    }


def grown(block: Block, then: Floats, back: Ints, weeks: int = 13) -> Floats:
    """Last year's units scaled by the growth of the mean of the last `weeks`, in units."""
    offset = block.offset
    now, before = (block.units.mean(at, weeks) for at in (block.at, back))
    scaled: Floats = then * (now + offset) / (before + offset)
    return scaled


def _weeks_since_sale(block: Block) -> Floats:
    """Weeks since the last week with sales, 52 where there was none."""
    values = block.units.values
    weeks = np.arange(values.shape[1])
    last = np.maximum.accumulate(np.where(np.nan_to_num(values) > 0, weeks, -1), axis=1)[:, block.at]
    return np.where(last < 0, YEAR, block.at - last).astype(np.float32)


def _take(ordered: Floats, index: Ints) -> Floats:
    return np.take_along_axis(ordered, index[:, :, None], axis=2)[:, :, 0]


def _mean(parts: list[Floats]) -> Floats:
    """Mean of the known ones, NaN where none is."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # a slice without a known week is what NaN says
        mean: Floats = np.nanmean(np.stack(parts), axis=0)
    return mean
