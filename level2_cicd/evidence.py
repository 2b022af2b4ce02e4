"""What a release rests on: of each segment which run trained it, how it did, and what the gate said."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from demand.bundle import MANIFEST, Entry, Manifest
from demand.segments import Segment
from level1_pipeline import store
from level1_pipeline.runs import list_runs, plain
from level2_cicd.environments import Environment

METRICS = ("mape", "baseline_mape", "gain", "coverage", "n")
GATE = ("decision", "reason")


def evidence(environment: Environment, manifest: Manifest) -> dict[str, Any]:
    """What the ledger keeps of a bundle in the environment's store: hashes, origin, and a line per segment.

    A segment's line: source (champion, previous, baseline), version and MLflow run of what serves it, metrics
    in % as reported, and the gate's decision and reason where the gate's table of this run is still there.
    """
    meta = manifest.meta
    record = run_record(environment, meta.model_version)
    lines = _gate_lines(environment, record)
    return {
        "manifest_sha256": manifest_sha256(environment, meta.model_version),
        "previous": meta.previous,
        "as_of": plain(meta.as_of),
        "trained_at": plain(meta.trained_at),
        "data_hash": meta.data_hash,
        "code_version": record.get("code_version"),
        "run": record.get("run_id"),
        "tracking_run": (record.get("tracking") or {}).get("run_id"),
        "segments": [*_served(manifest, lines), *_failed(manifest, lines)],
    }


def run_record(environment: Environment, version: str) -> dict[str, Any]:
    """The record of the run that trained a version; empty where the store has none."""
    records, _ = list_runs(environment.store)
    return next((each for each in records if each.get("model_version") == version and each.get("data")), {})


def manifest_sha256(environment: Environment, version: str) -> str:
    """sha256 of the manifest of a version's bundle as it lies in the store; "" where there is none."""
    path = store.bundle_folder(environment.store, version) / MANIFEST
    return store.sha256_of(path) if path.is_file() else ""


def _served(manifest: Manifest, lines: Mapping[str, Mapping[str, Any]]) -> list[dict[str, Any]]:
    own = manifest.meta.model_version
    return [
        {
            "segment": segment.name,
            "source": "champion" if entry.version == own else "previous",
            "version": entry.version,
            "run_id": entry.run_id,
            "why": entry.reason,
            **_metrics(entry),
            "gate": lines.get(segment.name),
        }
        for segment, entry in sorted(manifest.entries.items())
    ]


def _failed(manifest: Manifest, lines: Mapping[str, Mapping[str, Any]]) -> list[dict[str, Any]]:
    return [
        {"segment": segment.name, "source": "baseline", "why": why, "gate": lines.get(segment.name)}
        for segment, why in sorted(manifest.failed.items())
    ]


def _metrics(entry: Entry) -> dict[str, float | None]:
    return {name: entry.metrics.get(name) for name in METRICS}


def _gate_lines(environment: Environment, record: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Decision and reason by segment; none where gate.csv is missing or is another run's by now."""
    path = environment.store / store.GATE
    written = {each["path"]: each["sha256"] for each in record.get("artifacts") or ()}
    if not path.is_file() or written.get(store.GATE) != store.sha256_of(path):
        return {}
    lines = store.records(pd.read_csv(path))
    return {
        Segment(each["region"], each["format"], each["speed"]).name: {name: each[name] for name in GATE}
        for each in lines
    }
