"""Overview, training and monitoring, from what was gathered: for their templates and their scripts."""

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from level2_cicd.dashboards.accuracy import accuracy
from level2_cicd.dashboards.common import common, names_of_segments, segment_data
from level2_cicd.dashboards.concerns import concerns
from level2_cicd.dashboards.events import Event
from level2_cicd.dashboards.gathered import Gathered
from level2_cicd.dashboards.packing import rounded
from level2_cicd.dashboards.page import Page
from level2_cicd.dashboards.reading import Part
from level2_cicd.dashboards.segments import TARGET_GAIN, TARGET_MAPE, segments_of
from level2_cicd.dashboards.series import SeriesTable
from level2_cicd.dashboards.totals import outlook, total_content
from level2_cicd.dashboards.verdicts import training_verdict, verdict
from level2_cicd.dashboards.watching import drift_content, drift_latest, error_content
from level2_cicd.ledger import SERVING_KINDS

MOST_DRIFTS, MOST_DECISIONS, MOST_EVENTS, DATA_WEEKS = 60, 30, 30, 8


def index_page(found: Gathered, table: pd.DataFrame, series: SeriesTable | None) -> Page:
    """The overview: what is forecast, how good it has been, what needs a look."""
    every = concerns(found, table)
    got = accuracy(found)
    place = _places(found, table, series)
    context = {
        **common(found, table, verdict(found, table, every)),
        "concerns": every,
        "accuracy": got,
        "regions": outlook(series) if series else [],
        "met": int((table["verdict"] == "meets").sum()),
        "judged": int(table["verdict"].isin(["meets", "misses"]).sum()),
        "oldest": _largest(table["age"]),
        "served": _served(table),
    }
    data = {**segment_data(table), "total": total_content(series, place, len(table)) if series else None}
    return Page("index", context, data, ("total",))


def training_page(found: Gathered, table: pd.DataFrame) -> Page:
    """The last training run: stages, data, errors against target and baseline, what the gate said."""
    run = found.run.value
    context = {
        **common(found, table, training_verdict(found, table)),
        "faults": found.faults("run", "report", "gate", "backtest"),
        "run": run,
        "longest": max((stage.seconds for stage in run.stages), default=0) if run else 0,
        "most": max(100.0, 1.05 * (_largest(table["mape"]) or 0)),
    }
    columns = ("mape", "baseline_mape")
    errors = {name: [rounded(value) for value in table[name]] for name in columns}
    target = {"mape": TARGET_MAPE, "gain": TARGET_GAIN}
    data = {**segment_data(table), **errors, "verdict": list(table["verdict"]), "target": target}
    return Page("training", context, data, ("spread",))


def monitoring_page(found: Gathered, table: pd.DataFrame, series: SeriesTable | None) -> Page:
    """What serves now: forecasts against what came, error over time, drift, age, failovers, decisions."""
    every = concerns(found, table)
    names = names_of_segments(table)
    drift, quality = _filled(found.drift), _filled(found.quality)
    context = {
        **common(found, table, verdict(found, table, every)),
        "faults": found.faults(),
        "accuracy": accuracy(found),
        "interval": found.run.value.interval if found.run.value else None,
        "serving": serving_since(found.ledger.value or []),
        "oldest": _largest(table["age"]),
        "served": _served(table),
        "has": {"series": series is not None, "quality": quality is not None, "drift": drift is not None},
        "left_out": series.left_out if series else 0,
        "drifts": _drifts(drift),
        "data_rows": _data_rows(found),
        "decisions": list(reversed((found.decisions.value or [])[-MOST_DECISIONS:])),
        "events": list(reversed((found.ledger.value or [])[-MOST_EVENTS:])),
    }
    data = {
        **segment_data(table),
        "targetMape": TARGET_MAPE,
        "interval": context["interval"],
        "series": series.content(_places(found, table, series)) if series else None,
        "errors": error_content(quality, names) if quality is not None else None,
        "drift": drift_content(drift, names) if drift is not None else None,
    }
    return Page("monitoring", context, data, ("series", "error", "drift"))


def _places(found: Gathered, table: pd.DataFrame, series: SeriesTable | None) -> NDArray[np.intp]:
    if series is None:
        return np.zeros(0, dtype=np.intp)
    return segments_of(found, series.keys, names_of_segments(table))


def serving_since(events: list[Event]) -> Event | None:
    """The row of the ledger by which the version that serves began to; None without one."""
    return next((event for event in reversed(events) if event.kind in SERVING_KINDS), None)


def _served(table: pd.DataFrame) -> dict[str, int]:
    return {source: int((table["source"] == source).sum()) for source in ("champion", "previous", "baseline")}


def _largest(values: pd.Series) -> float | None:
    return float(values.max()) if values.notna().any() else None


def _filled(part: Part[pd.DataFrame]) -> pd.DataFrame | None:
    """The table unless it has no row."""
    return None if part.value is None or part.value.empty else part.value


def _drifts(drift: pd.DataFrame | None) -> list[dict[str, Any]]:
    if drift is None:
        return []
    rows = drift_latest(drift).head(MOST_DRIFTS)
    return [{str(key): value for key, value in row.items()} for row in rows.to_dict(orient="records")]


def _data_rows(found: Gathered) -> list[dict[str, Any]]:
    """Deliveries of the last weeks, per region, the latest first."""
    table = _filled(found.data_quality)
    if table is None:
        return []
    rows = table[table["week"] > table["week"].max() - pd.Timedelta(weeks=DATA_WEEKS)]
    rows = rows.sort_values(["week", "region"], ascending=[False, True])
    return [{str(key): value for key, value in row.items()} for row in rows.to_dict(orient="records")]
