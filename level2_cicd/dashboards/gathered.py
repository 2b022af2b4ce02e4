"""Everything the pages show, read from one store; each part stands or falls by itself."""

from dataclasses import dataclass, fields, replace
from datetime import date
from pathlib import Path

import pandas as pd

from demand.bundle import Manifest, read_manifest
from demand.errors import IntegrityError, UsageError
from level1_pipeline import store
from level2_cicd.dashboards.delivered import delivered
from level2_cicd.dashboards.events import Decision, Event, parse_decision, read_ledger
from level2_cicd.dashboards.reading import (
    DAY,
    NUMBER,
    TEXT,
    Part,
    read_json,
    read_lines,
    read_table,
    read_tables,
)
from level2_cicd.dashboards.run_record import RunRecord, parse_run

SEGMENT = {"region": TEXT, "format": TEXT, "speed": TEXT}
SERIES = {"region": TEXT, "store_id": TEXT, "product_id": TEXT, "week": DAY}
BOUNDS = {"units": NUMBER, "lower": NUMBER, "upper": NUMBER}
ERRORS = dict.fromkeys(("mape", "wape", "rmse", "rmse0", "bias", "coverage"), NUMBER)
REPORT = {**SEGMENT, **ERRORS, "baseline_mape": NUMBER, "gain": NUMBER, "n": NUMBER, "verdict": TEXT}
GATE = {**SEGMENT, "decision": TEXT, "champion_mape": NUMBER, "reason": TEXT}
BACKTEST = {
    **SEGMENT, **SERIES, "horizon": NUMBER, "actual": NUMBER, "ensemble": NUMBER, "lower": NUMBER,
    "upper": NUMBER, "baseline": NUMBER,
}  # fmt: skip
FORECASTS = {**SERIES, "horizon": NUMBER, **BOUNDS, "source": TEXT}
HISTORY = {**FORECASTS, "format": TEXT, "speed": TEXT}
QUALITY = {**SEGMENT, "week": DAY, "horizon": NUMBER, "method": TEXT, "n": NUMBER, **ERRORS}
DRIFT = {**SEGMENT, "week": DAY, "feature": TEXT, "measure": TEXT, "value": NUMBER, "limit": NUMBER}
DATA_QUALITY = {
    "region": TEXT,
    "week": DAY,
    "rows": NUMBER,
    "missing": NUMBER,
    "late": NUMBER,
    "restated": NUMBER,
}


@dataclass(frozen=True)
class Gathered:
    """The parts of a store, by what they hold.

    as_of: day that ages are counted to, None where nothing is known yet. history: forecasts of every scoring
    run. actuals: units that came. The other names are those of the files.
    """

    folder: Path
    as_of: date | None
    run: Part[RunRecord]
    report: Part[pd.DataFrame]
    gate: Part[pd.DataFrame]
    backtest: Part[pd.DataFrame]
    forecasts: Part[pd.DataFrame]
    manifest: Part[Manifest]
    ledger: Part[list[Event]]
    history: Part[pd.DataFrame]
    actuals: Part[pd.DataFrame]
    quality: Part[pd.DataFrame]
    drift: Part[pd.DataFrame]
    data_quality: Part[pd.DataFrame]
    decisions: Part[list[Decision]]

    def faults(self, *names: str) -> list[str]:
        """What is wrong with the named parts, with any part if none is named."""
        chosen = names or tuple(field.name for field in fields(self))
        parts = [getattr(self, name) for name in chosen]
        return [part.fault for part in parts if isinstance(part, Part) and part.fault]


@dataclass(frozen=True)
class Elsewhere:
    """What lies outside the store: the rows of a ledger, and the data themselves; None to do without."""

    ledger: Part[list[Event]] | None = None
    data: Path | None = None


def gather(folder: Path, as_of: date | None, elsewhere: Elsewhere) -> Gathered:
    """What the store holds; as_of: where it is None, the last week that the store knows."""
    watched = folder / "monitoring"
    actuals = read_table(watched / "actuals.parquet", {**SERIES, "units": NUMBER})
    run = read_json(folder / store.RUN, parse_run)
    hashes = run.value.hashes if run.value else {}
    found = Gathered(
        folder=folder,
        as_of=as_of,
        run=run,
        report=read_table(folder / store.REPORT, REPORT, hashes.get(store.REPORT)),
        gate=read_table(folder / store.GATE, GATE, hashes.get(store.GATE)),
        backtest=read_table(folder / store.BACKTEST, BACKTEST, hashes.get(store.BACKTEST)),
        forecasts=read_table(folder / store.FORECASTS, FORECASTS),
        manifest=_manifest(folder),
        ledger=read_ledger(folder) if elsewhere.ledger is None else elsewhere.ledger,
        history=read_tables(sorted((watched / "forecasts").glob("*.parquet")), HISTORY),
        actuals=actuals if elsewhere.data is None else delivered(elsewhere.data, actuals),
        quality=read_table(watched / "quality.parquet", QUALITY),
        drift=read_table(watched / "drift.parquet", DRIFT),
        data_quality=read_table(watched / "data_quality.parquet", DATA_QUALITY),
        decisions=read_lines(watched / "decisions.jsonl", parse_decision),
    )
    return found if as_of else replace(found, as_of=_last_known(found))


def _last_known(found: Gathered) -> date | None:
    """The Monday of the last week of which the store knows anything that came."""
    tables = [part.value for part in (found.quality, found.data_quality) if part.value is not None]
    known = [table["week"].max().date() for table in tables if len(table)]
    if found.decisions.value:
        known.append(found.decisions.value[-1].as_of)
    if found.run.value:
        known.append(found.run.value.data_as_of)
    if found.manifest.value and found.manifest.value.meta.as_of:
        known.append(found.manifest.value.meta.as_of)
    return max(known, default=None)


def _manifest(folder: Path) -> Part[Manifest]:
    try:
        return Part(read_manifest(store.current_bundle(folder)))
    except UsageError:
        return Part()
    except IntegrityError as error:
        return Part(fault=f"The model in use cannot be trusted. {error}")
