"""Validate training: the bundle it left, its report, and what the environment demands of a release."""

import math
from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from demand.bundle import Bundle, read_bundle
from demand.segments import Segment
from level1_pipeline import store
from level1_pipeline.records import Trained
from level1_pipeline.summaries import overall
from level2_cicd.environments import EnvironmentGate
from level2_cicd.validation.checks import Check, judged

PART = "training"


def validate_training(trained: Trained, folder: Path, gate: EnvironmentGate) -> list[Check]:
    """The checks of a training in a store; raises IntegrityError where its bundle is not whole."""
    bundle = read_bundle(store.bundle_folder(folder, trained.version))
    metrics = overall(trained.table)
    return [
        judged(PART, "bundle", True, f"{len(bundle.manifest.files)} files, each with its sha256"),
        _every_segment(trained, bundle),
        _numbers(metrics),
        _unseen_weeks(trained.table, bundle),
        *environment_gate(trained.report, metrics, gate),
    ]


def environment_gate(
    report: pd.DataFrame, metrics: Mapping[str, float], gate: EnvironmentGate
) -> list[Check]:
    """What an environment demands of a release as a whole, beside the gate of each segment."""
    good = int((report["mape"] <= gate.max_mape).sum())
    share, gain = good / max(len(report), 1), metrics["gain"]
    return [
        judged(
            PART,
            f"segments at a MAPE of at most {gate.max_mape:g} %",
            share >= gate.min_segments_share,
            f"{good} of {len(report)}, {share:.1%}; at least {gate.min_segments_share:.0%} demanded",
        ),
        judged(
            PART,
            "below the historical average",
            gain >= gate.min_gain,
            f"MAPE {metrics['mape']:.1f} % against {metrics['baseline_mape']:.1f} %, {gain:.1f} % below it; "
            f"at least {gate.min_gain:g} % demanded",
        ),
    ]


def _every_segment(trained: Trained, bundle: Bundle) -> Check:
    """Whether each segment of the report is in the bundle, with a model or with the reason for none."""
    keys = trained.report[["region", "format", "speed"]].itertuples(index=False, name=None)
    reported = {Segment(*key) for key in keys}
    served = {*bundle.entries, *bundle.manifest.failed}
    lost = sorted(each.name for each in reported ^ served)
    kinds = dict.fromkeys(("own", "carried over"), 0)
    for entry in bundle.entries.values():
        kinds["own" if entry.version == trained.version else "carried over"] += 1
    told = ", ".join(f"{count} {kind}" for kind, count in kinds.items())
    text = f"{len(reported)}: {told}, {len(bundle.manifest.failed)} left to the historical average"
    return judged(
        PART, "a model or a reason for every segment", not lost, f"{text} {', '.join(lost)}".strip()
    )


def _numbers(metrics: Mapping[str, float]) -> Check:
    bad = [name for name, value in metrics.items() if not math.isfinite(value)]
    text = f"not known: {', '.join(bad)}" if bad else f"{len(metrics)} metrics over {metrics['n']:,.0f} rows"
    return judged(PART, "metrics are numbers", not bad, text)


def _unseen_weeks(table: pd.DataFrame, bundle: Bundle) -> Check:
    """Whether the weeks that judged came after all that the judged models were trained on."""
    last, first = bundle.meta.judged_as_of, table["week"].min()
    good = last is not None and first > pd.Timestamp(last)
    text = f"trained up to {last}, judged from {first:%Y-%m-%d}"
    return judged(PART, "judged on weeks that no model saw", good, text)
