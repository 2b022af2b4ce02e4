"""Readable tables of what runs did, on stdout."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from rich.table import Table

from level1_pipeline.tables import console

DIGITS = 12  # of a hash
METRICS = ("mape", "baseline_mape", "gain", "wape", "rmse", "rmse0", "bias", "coverage", "n")
Content = Mapping[str, Any]
NOTHING = "-"


def show_runs(records: Sequence[Content]) -> None:
    """Prints one line per run."""
    names = ["run", "status", "seconds", "data", "model", "MAPE %", "failed over", "by"]
    lines = [
        (
            each["run_id"],
            each["status"],
            _number(each.get("duration_seconds")),
            _at(each, "data", "as_of"),
            _at(each, "model_version"),
            _number(_metric(each, "metrics", "mape")),
            str(len(each.get("failed_over") or ())),
            _by(each, short=True),
        )
        for each in records
    ]
    _print("Runs", names, lines)


def show_run(record: Content) -> None:
    """Prints all of a run but its settings' defaults and its segments, which --json has."""
    _print(f"Run {record['run_id']}: {record['status']}", ["", " "], _facts(record))
    stages = record.get("stages") or ()
    _print("Stages", ["stage", "status", "seconds", "rows in", "rows out"], [_stage(each) for each in stages])
    _print("Metrics", ["metric", "train", "test"], _metrics(record))
    _print("Parameters", ["section", "values"], _parameters(record.get("parameters") or {}))
    segments = record.get("failed_over") or ()
    names = ("segment", "source", "reason")
    _print("Failed over", names, [[_text(each.get(name)) for name in names] for each in segments])
    files = record.get("artifacts") or ()
    lines = [(each["path"], f"{each['bytes']:,}", each["sha256"][:DIGITS]) for each in files]
    _print("Artifacts", ["path", "bytes", "sha256"], lines)
    for sentence in _remarks(record):
        console().print(sentence, soft_wrap=True)


def _facts(record: Content) -> list[tuple[str, str]]:
    versions = record.get("versions") or {}
    components = versions.get("components") or {}
    return [
        ("command", _text(record.get("command"))),
        ("start", _time(record.get("start"))),
        ("end", _time(record.get("end"))),
        ("seconds", _number(record.get("duration_seconds"))),
        ("by", _by(record)),
        ("data", f"{_at(record, 'data', 'name')}, last week {_at(record, 'data', 'as_of')}"),
        ("data hash", _at(record, "data", "data_hash")),
        ("model", _at(record, "model_version")),
        ("model before", _text(record.get("previous_model"))),
        ("pipeline version", _text(versions.get("pipeline"))),
        ("component versions", ", ".join(f"{name} {found}" for name, found in components.items()) or NOTHING),
        ("tracking run", _at(record, "tracking", "run_id")),
    ]


def _stage(stage: Content) -> tuple[str, ...]:
    rows = (stage.get("rows_in"), stage.get("rows_out"))
    counts = (NOTHING if each is None else f"{each:,}" for each in rows)
    return (stage["name"], stage["status"], _number(stage.get("seconds")), *counts)


def _metrics(record: Content) -> list[tuple[str, ...]]:
    found = [
        (name, _metric(record, "train_metrics", name), _metric(record, "metrics", name)) for name in METRICS
    ]
    known = [each for each in found if each[1:] != (None, None)]
    return [(name, _number(train), _number(test)) for name, train, test in known]


def _metric(record: Content, part: str, name: str) -> float | None:
    """A metric of the weeks that judge (metrics) or that trained (train_metrics); None: not known."""
    found = (record.get(part) or {}).get(name)
    return None if found is None else float(found)


def _parameters(parameters: Content) -> list[tuple[str, str]]:
    """One line per section of the settings, one for all that stand by themselves."""
    sections = {name: each for name, each in parameters.items() if isinstance(each, Mapping)}
    single = {name: each for name, each in parameters.items() if name not in sections}
    every = {**sections, **({"command": single} if single else {})}
    return [
        (name, ", ".join(f"{key} = {value}" for key, value in each.items())) for name, each in every.items()
    ]


def _remarks(record: Content) -> list[str]:
    refused = record.get("refused_regions") or {}
    return [
        *(f"Region {region} was refused: {reason}" for region, reason in refused.items()),
        *(record.get("restatements") or ()),
        *([f"Error: {record['error']}"] if record.get("error") else ()),
    ]


def _by(record: Content, *, short: bool = False) -> str:
    """Who ran: user and host, and the automated run it came from, or in short that there was one."""
    found = record.get("executor") or {}
    own, service = f"{_text(found.get('user'))}@{_text(found.get('host'))}", found.get("service")
    return f"{own} ({'CI' if short else service})" if service else own


def _at(record: Content, *keys: str) -> str:
    """What lies at the end of keys, as text."""
    found: Any = record
    for key in keys:
        found = found.get(key) if isinstance(found, Mapping) else None
    return _text(found)


def _text(value: object) -> str:
    return NOTHING if value is None else str(value)


def _time(value: str | None) -> str:
    return f"{datetime.fromisoformat(value):%Y-%m-%d %H:%M:%S %Z}".strip() if value else NOTHING


def _number(value: float | None) -> str:
    return NOTHING if value is None else f"{value:,.1f}"


def _print(title: str, names: Iterable[str], lines: Sequence[Sequence[str]]) -> None:
    """Prints a table; nothing where there is no line."""
    if not lines:
        return
    table = Table(title=title, title_justify="left")
    for name in names:
        table.add_column(name, overflow="fold")
    for line in lines:
        table.add_row(*line)
    console().print(table)
