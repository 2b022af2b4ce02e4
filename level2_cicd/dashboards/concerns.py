"""What needs a look, the worst first."""

from dataclasses import dataclass

import pandas as pd

from level2_cicd.dashboards.accuracy import accuracy
from level2_cicd.dashboards.gathered import Gathered
from level2_cicd.dashboards.segments import RECENT_WEEKS, STALE_DAYS
from level2_cicd.dashboards.watching import drift_latest

NOTHING, GOOD, ATTENTION, PROBLEM = "nothing", "good", "attention", "problem"
RANK = {NOTHING: 0, GOOD: 1, ATTENTION: 2, PROBLEM: 3}
COVERAGE_SLACK = 10.0  # percentage points below the promised share from which intervals are too narrow


@dataclass(frozen=True)
class Concern:
    """Something to look at: how grave, in words, and on which page."""

    level: str
    text: str
    page: str


def concerns(found: Gathered, table: pd.DataFrame) -> list[Concern]:
    """Everything that needs a look, the worst first."""
    every = [
        *(Concern(PROBLEM, fault, "monitoring") for fault in found.faults()),
        *_decided(found),
        *_worse_than_average(table),
        *_stale(table),
        *_failovers(table),
        *_drifting(found),
        *_deliveries(found),
        *_narrow(found),
    ]
    return sorted(every, key=lambda each: -RANK[each.level])


def _decided(found: Gathered) -> list[Concern]:
    if not found.decisions.value:
        return []
    last = found.decisions.value[-1]
    if not last.retrain:
        return []
    why = " ".join(reason.text for reason in last.reasons[:2])
    return [Concern(ATTENTION, f"Retraining was called for on {last.as_of}. {why}", "monitoring")]


def _worse_than_average(table: pd.DataFrame) -> list[Concern]:
    own = table[table["source"] != "baseline"]
    worse = own[own["recent_mape"] > own["recent_baseline_mape"]]
    if worse.empty:
        return []
    level = PROBLEM if len(worse) > len(own) / 10 else ATTENTION
    text = f"Worse than the historical average over the last {RECENT_WEEKS} weeks: {_named(worse)}."
    return [Concern(level, text, "monitoring")]


def _stale(table: pd.DataFrame) -> list[Concern]:
    stale = table[table["stale"]]
    if stale.empty:
        return []
    oldest = stale["age"].max()
    text = f"Older than {STALE_DAYS} days, the oldest {oldest:.0f}: the models of {_named(stale)}."
    return [Concern(ATTENTION, text, "monitoring")]


def _failovers(table: pd.DataFrame) -> list[Concern]:
    words = {
        "previous": "Served by the model of before, since the new one was no better",
        "baseline": "Served by the historical average, since no model is certainly better",
    }
    parts = {source: table[table["source"] == source] for source in words}
    return [
        Concern(ATTENTION, f"{words[source]}: {_named(rows)}.", "monitoring")
        for source, rows in parts.items()
        if len(rows)
    ]


def _drifting(found: Gathered) -> list[Concern]:
    if found.drift.value is None or found.drift.value.empty:
        return []
    over = drift_latest(found.drift.value).query("over")
    if over.empty:
        return []
    features = over["feature"].drop_duplicates()
    segments = len(over.drop_duplicates(["region", "format", "speed"]))
    first = ", ".join(features[:3])
    many = f"{len(features)} inputs have" if len(features) > 1 else "1 input has"
    text = f"{many} drifted beyond the limit in {segments} of the segments: {first}."
    return [Concern(ATTENTION, text, "monitoring")]


def _deliveries(found: Gathered) -> list[Concern]:
    table = found.data_quality.value
    if table is None or table.empty:
        return []
    last = table[table["week"] == table["week"].max()]
    bad = last[(last["missing"] > 0) | (last["late"] > 0)]
    if bad.empty:
        return []
    text = (
        f"Data of the last week are incomplete in {', '.join(bad['region'][:4])}: "
        f"{bad['missing'].sum():,.0f} rows missing, {bad['late'].sum():,.0f} late."
    )
    return [Concern(ATTENTION, text, "monitoring")]


def _narrow(found: Gathered) -> list[Concern]:
    got, run = accuracy(found).coverage, found.run.value
    if got is None or run is None or got >= 100 * run.interval - COVERAGE_SLACK:
        return []
    text = f"Intervals hold {got:.0f} % of what came, where {100 * run.interval:.0f} % is promised."
    return [Concern(ATTENTION, text, "monitoring")]


def _named(rows: pd.DataFrame) -> str:
    """How many segments, and the first of them by name."""
    names = [
        f"{region}-{fmt}-{speed}" for region, fmt, speed in rows[["region", "format", "speed"]].to_numpy()
    ]
    more = f" and {len(names) - 2} more" if len(names) > 2 else ""
    return f"{len(names)} of the segments ({', '.join(names[:2])}{more})"
