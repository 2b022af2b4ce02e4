"""Why a forecast is what it is: from its row to the release, who approved it, gate, run, data and code."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from demand.bundle import BASELINE, Bundle, Entry
from demand.contracts import columns
from demand.errors import IntegrityError, UsageError
from demand.scoring import read_snapshot
from demand.segments import Segment, assign_segments
from level1_pipeline import store
from level1_pipeline.runs import plain
from level2_cicd.bundles import whole_bundle
from level2_cicd.environments import Environment
from level2_cicd.evidence import run_record
from level2_cicd.ledger import Row, open_ledger
from level2_cicd.mirrors import last_scored

KEY = ["region", "store_id", "product_id", "week"]
OF_A_RUN = ("run_id", "status", "start", "end", "duration_seconds", "command", "executor", "previous_model")


@dataclass(frozen=True)
class Trail:
    """The way from a forecast back to its origin: each step by its name, with its facts."""

    environment: str
    key: str
    steps: Mapping[str, Mapping[str, Any]]


def why(environment: Environment, key: str) -> Trail:
    """The trail of one row of the environment's forecasts; key: REGION/STORE/PRODUCT/WEEK.

    Raises UsageError for a key that fits no row, IntegrityError where ledger, forecasts or bundle are not as
    they were when they were released.
    """
    rows = open_ledger(environment).rows()
    scored = last_scored(rows)
    if scored is None:
        raise UsageError(
            f"{environment.name}: expected forecasts; none were issued. Promote and score first."
        )
    forecast = _forecast(environment, scored, key)
    decided = [row for row in rows[: scored.seq] if row.version == scored.version]
    release = [row for row in decided if row.kind in ("registered", "promoted", "rolled_back")]
    evidence = release[-1].evidence
    bundle = whole_bundle(environment, scored.version, evidence["manifest_sha256"])
    segment = _segment(bundle, forecast)
    entry = bundle.entries.get(segment) if segment else None
    name = segment.name if segment else "not known when the release was trained"
    trained_by = entry.version if entry else scored.version
    steps = {
        "forecast": plain(forecast),
        "issued": {
            **_who(scored),
            **{k: scored.evidence[k] for k in ("data", "data_hash", "as_of", "sha256")},
        },
        "release": {"version": scored.version, "manifest_sha256": evidence["manifest_sha256"]}
        | {f"row {row.seq}": f"{row.kind} at {row.at} by {row.actor}: {row.reason}" for row in release},
        "segment": {"segment": name, **_graph(bundle, entry, forecast)},
        "gate": _gate(rows, name, scored.version, trained_by),
        **_origin(environment, trained_by, entry),
    }
    return Trail(environment.name, key, steps)


def _forecast(environment: Environment, scored: Row, key: str) -> dict[str, Any]:
    """The row of the forecasts, which are the very ones of the ledger's row."""
    path = environment.store / store.FORECASTS
    got = store.sha256_of(path) if path.is_file() else "no file"
    if got != scored.evidence["sha256"]:
        raise IntegrityError(
            f"{path}: expected sha256 {scored.evidence['sha256']}, as row {scored.seq} of the ledger says; "
            f"got {got}. Issue the forecasts again."
        )
    table = pd.read_parquet(path)
    parts = key.split("/")
    if len(parts) != len(KEY):
        raise UsageError(f"forecast: expected REGION/STORE/PRODUCT/WEEK, as {_example(table)}; got {key!r}.")
    found = table
    for name, part in zip(KEY, parts, strict=True):
        texts = found[name].dt.strftime("%Y-%m-%d") if name == "week" else found[name]
        some = found[texts == part]
        if some.empty:
            known = ", ".join(sorted(texts.unique())[:5])
            raise UsageError(f"forecast {key}: expected a {name} like {known}; got {part!r}. Name one.")
        found = some
    return {str(name): value for name, value in found.iloc[0][columns("forecasts")].items()}


def _example(table: pd.DataFrame) -> str:
    first = table.iloc[0]
    return f"{first['region']}/{first['store_id']}/{first['product_id']}/{first['week']:%Y-%m-%d}"


def _segment(bundle: Bundle, forecast: Mapping[str, Any]) -> Segment | None:
    """The segment of a forecast; None for a store that the release did not know when it was trained."""
    known = read_snapshot(bundle)
    formats = known.loc[known["store_id"] == forecast["store_id"], "format"]
    if formats.empty:
        return None
    series = pd.DataFrame([{**forecast, "format": formats.iloc[0]}])
    return assign_segments(series, bundle.speeds)[0]


def _graph(bundle: Bundle, entry: Entry | None, forecast: Mapping[str, Any]) -> dict[str, Any]:
    """The file that the forecast was computed with, and why it is not one of the release's own run."""
    file = entry.file if entry and forecast["source"] != "baseline" else BASELINE
    sha256 = bundle.manifest.files[file]["sha256"]
    return {"source": forecast["source"], "why": forecast["reason"], "file": file, "sha256": sha256}


def _gate(rows: list[Row], segment: str, version: str, trained_by: str) -> dict[str, Any]:
    """What the gate said of the segment in this release, and in the one that brought its model."""
    return {
        each: _gate_line(rows, segment, each) or "not kept" for each in dict.fromkeys((version, trained_by))
    }


def _gate_line(rows: list[Row], segment: str, version: str) -> str:
    for row in reversed(rows):
        lines = row.evidence.get("segments", ()) if row.version == version else ()
        for line in lines:
            if line["segment"] == segment and line["gate"]:
                return f"{line['gate']['decision']}: {line['gate']['reason']}"
    return ""


def _origin(environment: Environment, version: str, entry: Entry | None) -> dict[str, dict[str, Any]]:
    """Training, data, code and run of the version that trained what the forecast was computed with."""
    record = run_record(environment, version)
    data, versions = record.get("data") or {}, record.get("versions") or {}
    tracking = record.get("tracking") or {}
    training = {"version": version, "mlflow_run": tracking.get("run_id")}
    if entry is not None:
        training |= {"mlflow_run_of_segment": entry.run_id, "trained_at": plain(entry.trained_at)}
        training |= {name: entry.metrics.get(name) for name in ("mape", "baseline_mape", "n")}
    return {
        "training": training,
        "data": {
            "data_hash": entry.data_hash if entry else data.get("data_hash"),
            "name": data.get("name"),
            "as_of": data.get("as_of"),
            "files": data.get("files") or {},
        },
        "code": {
            "version": record.get("code_version"),
            "components": versions.get("components") or {},
            "packages": record.get("packages") or {},
        },
        "run": {name: record[name] for name in OF_A_RUN if name in record} or {"record": "not in this store"},
    }


def _who(row: Row) -> dict[str, Any]:
    return {"row": row.seq, "at": row.at, "by": row.actor, "reason": row.reason}
