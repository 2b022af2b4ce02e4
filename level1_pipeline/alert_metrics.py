"""The state of monitoring as Prometheus reads it: a text file for the node exporter's textfile collector."""

from collections.abc import Hashable, Iterable, Iterator, Mapping
from datetime import UTC, date, datetime
from pathlib import Path

import pandas as pd

from demand.bundle import Manifest
from demand.sources.publish import write_bytes
from level1_pipeline.findings import ACTING, WEEKS
from level1_pipeline.monitoring.book import Book
from level1_pipeline.monitoring.issued import FOLDER
from level1_pipeline.triggers import TRIGGERS, Decision

FILE = "alerts.prom"
SEGMENT = ["region", "format", "speed"]
HELP = {
    "demand_model_age_days": "Days from the last week that the model knows to the as-of date.",
    "demand_monitoring_as_of_seconds": "Unix time of the Monday of the last week that monitoring looked at.",
    "demand_champion_mape": "MAPE in percent of the forecasts that served, last 4 weeks.",
    "demand_baseline_mape": "MAPE in percent of the historical average, last 4 weeks.",
    "demand_interval_coverage": "Percent of actuals within the interval, last 4 weeks.",
    "demand_drift_psi": "Population stability index of an input, last 2 weeks against the same season.",
    "demand_drift_over_limit": "Value of a drift measure that acts, divided by its limit.",
    "demand_unseen_share": "Share of rows with a category that training has not seen.",
    "demand_data_late_rows": "Rows of the last 4 weeks that came later than they could have.",
    "demand_data_restated_rows": "Rows of the last 4 weeks that changed after they were first seen.",
    "demand_data_missing_share": "Share of the last week's rows that were not delivered.",
    "demand_segments_failed_over": "Segments that are not served by a model of the bundle's own run.",
    "demand_retrain_decision": "1 where the last decision to retrain names this trigger.",
}
Sample = tuple[str, Mapping[str, str], float]


def write_alerts(store: Path, book: Book, manifest: Manifest, decision: Decision | None) -> Path:
    """The text file that was written from the tables, the manifest and the last decision."""
    path = store / FOLDER / FILE
    write_bytes(path, exposition(samples(book, manifest, decision)).encode())
    return path


def samples(book: Book, manifest: Manifest, decision: Decision | None) -> Iterator[Sample]:
    """Name, labels and value of everything that an alert may look at; what is not known is left out."""
    trained = manifest.meta.as_of
    as_of = decision.as_of if decision else book.as_of
    if trained and as_of:
        yield "demand_model_age_days", {}, float((as_of - trained).days)
    if book.as_of:
        yield "demand_monitoring_as_of_seconds", {}, _seconds(book.as_of)
    carried = [each for each in manifest.entries.values() if each.version != manifest.meta.model_version]
    yield "demand_segments_failed_over", {}, float(len(carried) + len(manifest.failed))
    yield from _quality(book.of_week("quality", WEEKS))
    yield from _drift(book.of_week("drift"))
    yield from _data(book)
    named = {reason.trigger for reason in decision.reasons} if decision else set()
    for trigger in TRIGGERS:
        yield "demand_retrain_decision", {"trigger": trigger}, float(trigger in named)


def exposition(found: Iterable[Sample]) -> str:
    """The samples in Prometheus' text format 0.0.4, a name's samples together under its help."""
    by_name: dict[str, list[str]] = {}
    for name, labels, value in found:
        told = ",".join(f'{key}="{_escaped(text)}"' for key, text in labels.items())
        by_name.setdefault(name, []).append(
            f"{name}{{{told}}} {value:.10g}" if told else f"{name} {value:.10g}"
        )
    parts = [
        "\n".join([f"# HELP {name} {HELP[name]}", f"# TYPE {name} gauge", *lines])
        for name, lines in by_name.items()
    ]
    return "\n".join(parts) + "\n"


def _quality(quality: pd.DataFrame) -> Iterator[Sample]:
    names = {"champion": "demand_champion_mape", "baseline": "demand_baseline_mape"}
    for method, rows in quality.groupby("method"):
        for labels, value in _weighted(rows, "mape"):
            yield names[str(method)], labels, value
    for labels, value in _weighted(quality[quality["method"] == "champion"], "coverage"):
        yield "demand_interval_coverage", labels, value


def _weighted(rows: pd.DataFrame, name: str) -> Iterator[tuple[dict[str, str], float]]:
    """Labels of each segment and the mean of a column, weighted by rows, where one is known."""
    known = rows[rows[name].notna() & (rows["n"] > 0)]
    for key, group in known.groupby(SEGMENT, sort=True):
        value = float((group[name] * group["n"]).sum() / group["n"].sum())
        yield dict(zip(SEGMENT, map(str, key), strict=True)), value


def _drift(drift: pd.DataFrame) -> Iterator[Sample]:
    known = drift[drift["value"].notna()]
    for row in known[known["measure"] == "psi"].to_dict(orient="records"):
        yield "demand_drift_psi", _labels(row, [*SEGMENT, "feature"]), float(row["value"])
    for row in known[known["measure"].isin(ACTING)].to_dict(orient="records"):
        labels = _labels(row, [*SEGMENT, "feature", "measure"])
        yield "demand_drift_over_limit", labels, float(row["value"]) / float(row["limit"])
    for row in known[known["measure"] == "unseen_share"].to_dict(orient="records"):
        yield "demand_unseen_share", _labels(row, [*SEGMENT, "feature"]), float(row["value"])


def _data(book: Book) -> Iterator[Sample]:
    recent, last = book.of_week("data_quality", WEEKS), book.of_week("data_quality")
    for region, rows in recent.groupby("region", sort=True):
        labels = {"region": str(region)}
        yield "demand_data_late_rows", labels, float(rows["late"].sum())
        yield "demand_data_restated_rows", labels, float(rows["restated"].sum())
    for row in last.to_dict(orient="records"):
        whole = row["rows"] + row["missing"]
        if whole:
            yield "demand_data_missing_share", {"region": str(row["region"])}, float(row["missing"] / whole)


def _labels(row: Mapping[Hashable, object], names: list[str]) -> dict[str, str]:
    return {name: str(row[name]) for name in names}


def _seconds(day: date) -> float:
    return datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
