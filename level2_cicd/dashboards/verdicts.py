"""The one line at the top of a page: a level, a headline, and a sentence below it."""

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from level2_cicd.dashboards.accuracy import accuracy, accuracy_words
from level2_cicd.dashboards.concerns import ATTENTION, GOOD, NOTHING, PROBLEM, RANK, Concern
from level2_cicd.dashboards.gathered import Gathered
from level2_cicd.dashboards.segments import TARGET_GAIN, TARGET_MAPE


@dataclass(frozen=True)
class Verdict:
    """The line at the top of a page and the sentence below it."""

    level: str
    headline: str
    detail: str


def verdict(found: Gathered, table: pd.DataFrame, every: list[Concern]) -> Verdict:
    """The verdict on what serves now."""
    if found.manifest.value is None and found.report.value is None and not every:
        return Verdict(
            NOTHING,
            "Nothing has been trained yet.",
            "Train a model; then this page says what it forecasts and how good it is.",
        )
    level = max((each.level for each in every), key=RANK.__getitem__, default=GOOD)
    count = f"{len(every)} thing needs" if len(every) == 1 else f"{len(every)} things need"
    headline = {
        GOOD: "All is well: the forecasts are good, and their models are young.",
        ATTENTION: f"The forecasts can be used; {count} a look.",
        PROBLEM: f"Look before you rely on the forecasts: {count} attention.",
    }[level]
    return Verdict(level, headline, accuracy_words(accuracy(found)))


def training_verdict(found: Gathered, table: pd.DataFrame) -> Verdict:
    """The verdict on the last training run."""
    if found.report.value is None:
        faults = found.faults("report")
        if faults:
            return Verdict(PROBLEM, "The report of the last training cannot be read.", faults[0])
        return Verdict(NOTHING, "Nothing has been trained yet.", "The first training run fills this page.")
    judged = table[table["verdict"].isin(["meets", "misses"])]
    met, refused = int((judged["verdict"] == "meets").sum()), int((table["decision"] == "refused").sum())
    share = met / len(judged) if len(judged) else 0.0
    got: Mapping[str, float | None] = found.run.value.metrics if found.run.value else {}
    good = _within(got.get("mape"), TARGET_MAPE) and (got.get("gain") or 0) >= TARGET_GAIN
    level = GOOD if good and share >= 0.9 and not refused else ATTENTION if share > 0 else PROBLEM
    turned = f", {refused} were turned down by the gate" if refused else ", none was turned down by the gate"
    return Verdict(
        level,
        f"{met} of {len(judged)} segments meet the target{turned}.",
        _trained_words(got),
    )


def _trained_words(got: Mapping[str, float | None]) -> str:
    mape, baseline = got.get("mape"), got.get("baseline_mape")
    if mape is None or baseline is None:
        return ""
    return (
        f"On weeks the models had not seen, they were off by {mape:.1f} % on average and the "
        f"historical average by {baseline:.1f} %. Target: at most {TARGET_MAPE:.0f} %, and at "
        f"least {TARGET_GAIN:.0f} % less than the historical average."
    )


def _within(value: float | None, limit: float) -> bool:
    return value is not None and value <= limit
