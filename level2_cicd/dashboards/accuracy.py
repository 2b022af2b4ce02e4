"""How good the forecasts were, in the figures and the sentence that head the pages."""

from dataclasses import dataclass

import pandas as pd

from level2_cicd.dashboards.gathered import Gathered
from level2_cicd.dashboards.segments import RECENT_WEEKS, recent_rows


@dataclass(frozen=True)
class Accuracy:
    """MAPE of model and historical average, bias and coverage, percent, None where not known; of what."""

    mape: float | None
    baseline: float | None
    bias: float | None
    coverage: float | None
    of: str


def accuracy(found: Gathered) -> Accuracy:
    """How good the forecasts were: over the last weeks if they were watched, else over those that judged."""
    quality = found.quality.value
    if quality is not None and not quality.empty:
        rows = recent_rows(quality)
        weeks = f"the last {RECENT_WEEKS} weeks"
        own = rows[rows["method"] == "champion"]
        average = rows[rows["method"] == "baseline"]
        return Accuracy(
            _mean(own, "mape"), _mean(average, "mape"), _mean(own, "bias"), _mean(own, "coverage"), weeks
        )
    if found.run.value is not None:
        got = found.run.value.metrics
        return Accuracy(
            got["mape"], got["baseline_mape"], got["bias"], got["coverage"], "the weeks kept back to judge"
        )
    return Accuracy(None, None, None, None, "")


def accuracy_words(got: Accuracy) -> str:
    """Accuracy as one sentence, empty where nothing is known."""
    if got.mape is None:
        return ""
    against = f"; the historical average is off by {got.baseline:.0f} %" if got.baseline is not None else ""
    return f"Over {got.of}, a forecast was off by {got.mape:.0f} % on average{against}."


def _mean(rows: pd.DataFrame, column: str) -> float | None:
    known = rows[rows[column].notna() & (rows["n"] > 0)]
    return float((known[column] * known["n"]).sum() / known["n"].sum()) if len(known) else None
