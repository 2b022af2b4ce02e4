"""What of the monitoring tables counts: the rows above their limits, as plain values a decision can hold."""

import math
from collections.abc import Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import pandas as pd

ACTING = ("wasserstein", "categorical_psi", "unseen_share")  # PSI and KS are shown and decide nothing
SEGMENTS_SHARE = 0.5  # of a region's segments that must drift alike
WEEKS, LEAST_ROWS = 4, 30  # of a segment that is held against the historical average
ALL = "*"
WORDS = {"level_shift": "level of sales against forecasts", "error_rise": "relative error of the forecasts"}


@dataclass(frozen=True)
class Finding:
    """One figure above its limit. place: a segment as R01-large-fast, a region, or all regions."""

    place: str
    measure: str
    value: float
    limit: float
    sentence: str


@dataclass(frozen=True)
class Findings:
    """What monitoring found in one week; the largest first. restated: share of a region's rows of a week."""

    degraded: tuple[Finding, ...] = ()
    drifted: tuple[Finding, ...] = ()
    restated: tuple[Finding, ...] = ()
    new_regions: tuple[str, ...] = ()


def degraded(signals: pd.DataFrame, quality: pd.DataFrame) -> tuple[Finding, ...]:
    """Signals above their limits, and segments whose forecasts are no better than the historical average.

    signals: of one week. quality: of the same week and the three before.
    """
    up = signals["value"].where(signals["signal"] == "error_rise", signals["value"].abs())
    found = signals[up > signals["limit"]].to_dict(orient="records")
    return _largest([*(_signal(row) for row in found), *_no_better(quality)])


def drifted(drift: pd.DataFrame) -> tuple[Finding, ...]:
    """Input drift above its limit in at least half of a region's segments; one finding for each region.

    drift: of one week.
    """
    acting = drift[drift["measure"].isin(ACTING) & drift["value"].notna()]
    found = []
    for (region, feature, measure), rows in acting.groupby(["region", "feature", "measure"], sort=True):
        above = rows[rows["value"] > rows["limit"]]
        if len(above) and len(above) >= SEGMENTS_SHARE * len(rows):
            value, limit = float(above["value"].max()), float(above["limit"].max())
            how = f"{str(measure).replace('_', ' ')} {value:.2f}, limit {limit:g}"
            told = f"{feature} drifted in region {region}: {how}"
            found.append(Finding(str(region), f"{feature} {measure}", round(value, 6), limit, told))
    return _largest(found)


def restated(actuals: pd.DataFrame, since: date) -> tuple[Finding, ...]:
    """The share of rows restated after a day, of each region and week that has some."""
    changed = (actuals["changed_as_of"] > pd.Timestamp(since)).astype(int)
    counted = actuals[["region", "week"]].assign(rows=1, restated=changed)
    sums = counted.groupby(["region", "week"], as_index=False).sum()
    return _largest([_restated(row) for row in sums[sums["restated"] > 0].to_dict(orient="records")])


def _restated(row: Mapping[Hashable, Any]) -> Finding:
    region, week = str(row["region"]), f"{row['week']:%Y-%m-%d}"
    told = f"{row['restated']} of {row['rows']} rows of region {region} were restated for the week of {week}"
    return Finding(region, f"restated {week}", round(row["restated"] / row["rows"], 6), 0.0, told)


def _signal(row: Mapping[Hashable, Any]) -> Finding:
    parts = (str(row[name]) for name in ("region", "format", "speed"))
    place = "-".join(each for each in parts if each != ALL) or "all regions"
    value, limit = float(row["value"]), float(row["limit"])
    percent, most = 100 * math.expm1(value), 100 * math.expm1(limit)
    told = f"{WORDS[str(row['signal'])]} in {place} moved by {percent:+.0f} %, limit {most:.0f} %"
    return Finding(place, str(row["signal"]), round(value, 6), limit, told)


def _no_better(quality: pd.DataFrame) -> Iterator[Finding]:
    """Segments whose MAPE of these weeks is above that of the historical average."""
    known = quality[quality["mape"].notna()]
    parts = known.assign(part=known["mape"] * known["n"]).groupby(["region", "format", "speed", "method"])
    sums = parts[["part", "n"]].sum().reset_index()
    sums["mape"] = sums["part"] / sums["n"]
    both = sums[sums["method"] == "champion"].merge(
        sums[sums["method"] == "baseline"], on=["region", "format", "speed"], suffixes=("", "_baseline")
    )
    for row in both[both["n"] >= LEAST_ROWS].to_dict(orient="records"):
        own, average = float(row["mape"]), float(row["mape_baseline"])
        if own > average:
            place = "-".join(str(row[name]) for name in ("region", "format", "speed"))
            told = f"MAPE in {place} is {own:.0f} %, the historical average's {average:.0f} %"
            yield Finding(place, "mape", round(own, 6), round(average, 6), told)


def _largest(found: Iterable[Finding]) -> tuple[Finding, ...]:
    """The findings, the furthest above their limits first."""
    return tuple(sorted(found, key=_order))


def _order(finding: Finding) -> tuple[float, str, str]:
    return finding.limit / max(abs(finding.value), 1e-12), finding.place, finding.measure
