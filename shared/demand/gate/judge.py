"""Holds each segment's new model against the historical average and the model in use."""

from dataclasses import replace

import pandas as pd

from demand.config import Config, GateConfig
from demand.gate import rules
from demand.gate.bounds import holm_levels
from demand.gate.evidence import Evidence, gather
from demand.gate.verdict import Verdict
from demand.segments import Segment


def judge_gate(table_: pd.DataFrame, segments: list[Segment], config: Config) -> dict[Segment, Verdict]:
    """The verdict on each segment, from the contracted backtest rows of weeks that no compared model saw.

    table_: columns of `backtest` and `champion`: what the model in use forecasts for the same rows, in units,
    NaN where it has no forecast; without it, or all NaN, there is no champion. A segment passes where its
    MAPE is certainly below the baseline's, at most gate.margin above the champion's as measured, and
    certainly less than gate.limit above it. Whatever cannot be judged is refused: no row, too few, doubled,
    missing or infinite numbers or columns.
    Why so, and how often it errs: docs/decisions/0006-the-gate.md.
    """
    gate, found = config.gate, gather(table_, segments, config)
    # Passing needs both findings, so each may take the whole level (Berger, 1982).
    better = holm_levels([each.baseline.chance(1.0) for each in found.values()], gate.level)
    no_worse = holm_levels([each.champion.chance(1 + gate.limit) for each in found.values()], gate.level)
    levels = dict(zip(found, zip(better, no_worse, strict=True), strict=True))
    return {
        segment: _judge(_draft(segment, each, levels[segment]), each, gate) for segment, each in found.items()
    }


def _draft(segment: Segment, found: Evidence, levels: tuple[float, float]) -> Verdict:
    """The figures of a segment, refused as long as no rule was asked."""
    _, baseline_upper = found.baseline.bounds(levels[0])
    champion_lower, champion_upper = found.champion.bounds(levels[1])
    return Verdict(
        segment,
        passed=False,
        alarm=False,
        reasons=(found.fault,),
        n=found.n,
        mape=found.mape,
        baseline_mape=found.baseline_mape,
        champion_mape=found.champion_mape,
        baseline_ratio=found.baseline.value,
        baseline_upper=baseline_upper,
        champion_ratio=found.champion.value,
        champion_lower=champion_lower,
        champion_upper=champion_upper,
    )


def _judge(draft: Verdict, found: Evidence, gate: GateConfig) -> Verdict:
    if found.fault:
        return draft
    alarms = rules.too_good(draft, found.equal, gate)
    few = rules.too_few(draft, found.compared, gate)
    worse = rules.against_baseline(draft) + rules.against_champion(draft, found.compared, gate)
    against = alarms or few or worse
    reasons = against or rules.in_favour(draft, found.compared)
    return replace(draft, passed=not against, alarm=bool(alarms), reasons=tuple(reasons))
