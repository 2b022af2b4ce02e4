"""Signals of degradation: errors of the last two weeks against the weeks before and against other regions."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from demand.contracts import check, columns
from demand.drift.errors import SEGMENT

WEEKS = 2  # the latest weeks, looked at together
HISTORY = 13  # weeks before them that say what is usual
FEWEST = 6  # of these known, or nothing is said
REGIONS = 3  # fewer tell no common movement from their own
ALL: Final = "*"


@dataclass(frozen=True)
class SignalLimits:
    """From which log ratio on a signal counts; tests/benchmarks/monitoring_power.py says how well it does.

    shift: of a region's level of sales against forecasts, beside the other regions. rise: of a region's
    relative error, beside the others. segment_rise: of one segment's. common_shift, common_rise: of all
    regions together, where a holiday that was missed looks the same. few_shift, few_rise: divided by the
    square root of the series with sales, the least that any of these limits may be.
    """

    shift: float = 0.117
    rise: float = 0.24
    segment_rise: float = 0.6
    common_shift: float = 0.25
    common_rise: float = 0.15
    few_shift: float = 1.15
    few_rise: float = 2.5


def signals(errors: pd.DataFrame, week: pd.Timestamp, limits: SignalLimits) -> pd.DataFrame:
    """The contracted table `signals` as of a week; `errors` as weekly_errors has them, that week and before.

    value: log of what the last two weeks are against the 13 weeks before, with the median of the regions
    taken off where there are at least 3. region, format or speed "*" stands for all of them. Without 6 known
    weeks before, or the last one, there is no row.
    """
    level, error = _by_region(errors, "level", "weight"), _by_region(errors, "error", "n").map(np.log)
    name = errors["region"] + "/" + errors["format"] + "/" + errors["speed"]
    segment = errors.assign(name=name).pivot(index="week", columns="name", values="error").map(np.log)
    shift, rise, single = (_against_before(values, week) for values in (level, error, segment))
    several = len(shift) >= REGIONS
    common = [float(each.median()) if several else 0.0 for each in (shift, rise)]
    found = [
        _rows(shift - common[0], "level_shift", limits.shift if several else limits.common_shift),
        _rows(rise - common[1], "error_rise", limits.rise if several else limits.common_rise),
        _rows(single - common[1], "error_rise", limits.segment_rise),
    ]
    if several:
        found.append(_rows(pd.Series({ALL: common[0]}), "level_shift", limits.common_shift))
        found.append(_rows(pd.Series({ALL: common[1]}), "error_rise", limits.common_rise))
    table = pd.concat(found, ignore_index=True).assign(week=week)
    counts = np.array(_counts(table, errors[errors["week"] == week]), dtype=np.int64)
    few = table["signal"].map({"level_shift": limits.few_shift, "error_rise": limits.few_rise})
    least = few.to_numpy(dtype=np.float64) / np.sqrt(np.maximum(counts, 1))
    table = table.assign(n=counts, limit=np.maximum(table["limit"], least))
    return check("signals", table[columns("signals")], "signals")


def _by_region(errors: pd.DataFrame, name: str, weight: str) -> pd.DataFrame:
    """Weighted mean of the segments' values, weeks by regions."""
    parts = errors.assign(part=errors[name] * errors[weight]).groupby(["week", "region"])
    sums = parts[["part", weight]].sum()
    return (sums["part"] / sums[weight]).unstack("region")


def _against_before(values: pd.DataFrame, week: pd.Timestamp) -> "pd.Series[float]":
    """Mean of the last two weeks less the mean of the 13 before, by column, where enough is known."""
    every = values.reindex(pd.date_range(end=week, periods=WEEKS + HISTORY, freq="7D"))
    now, before = every.iloc[-WEEKS:], every.iloc[:-WEEKS]
    usual = before.mean().where(before.notna().sum() >= FEWEST)
    difference: pd.Series[float] = now.mean() - usual
    return difference.where(now.iloc[-1].notna()).dropna()


def _rows(values: "pd.Series[float]", signal: str, limit: float) -> pd.DataFrame:
    """A row per value; its name is a region, or region/format/speed."""
    parts = [(*str(name).split("/"), ALL, ALL)[:3] for name in values.index]
    frame = pd.DataFrame(parts, columns=SEGMENT)
    return frame.assign(signal=signal, value=values.to_numpy(dtype=np.float64), limit=limit)


def _counts(table: pd.DataFrame, errors: pd.DataFrame) -> list[int]:
    """Series with sales in the last week behind each row."""
    names = list(errors[SEGMENT].itertuples(index=False, name=None))
    counts = errors["n"].to_numpy()
    return [
        int(counts[[_fits(row, name) for name in names]].sum())
        for row in table[SEGMENT].itertuples(index=False, name=None)
    ]


def _fits(row: tuple[str, ...], name: tuple[str, ...]) -> bool:
    return all(part in (ALL, value) for part, value in zip(row, name, strict=True))
