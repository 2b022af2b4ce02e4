"""Dated records that something ran: runs of workflows, run records, ledgers, release notes."""

import json
import re
import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

DAYS = 90
DATE = re.compile(r"\b(20\d\d-[01]\d-[0-3]\d)")
DATED = (
    "ended",
    "end",
    "finished_at",
    "completedAt",
    "updated_at",
    "trained_at",
    "at",
    "createdAt",
    "created_at",
    "started",
    "start",
    "date",
)
RECORDS = re.compile(
    r"(^|/)(run\.json|runs/[^/]+\.json|workflow[-_]runs\.json|decisions\.jsonl|[\w-]*ledger\.(jsonl|db)|release-notes[\w.-]*\.md|CHANGELOG\.md)$"
)
LEDGER = {
    "promoted": "promotion",
    "rolled_back": "rollback",
    "scored": "scoring",
    "retrain_decided": "decision",
    "registered": "registration",
}


@dataclass(frozen=True)
class Record:
    """What happened on a day, by what file; `workflow` is the workflow's path where one ran."""

    kind: str
    day: date
    path: str
    what: str
    workflow: str = ""


def recent(records: Iterable[Record], as_of: date) -> list[Record]:
    """The records of the 90 days up to the day, the latest first."""
    since = as_of - timedelta(days=DAYS)
    return sorted(
        (r for r in records if since <= r.day <= as_of), key=lambda r: (r.day, r.kind), reverse=True
    )


def read_evidence(places: Iterable[Path]) -> list[Record]:
    """The records of these files and folders; what is broken shows nothing."""
    return [record for place in places for path in _files(place) for record in _records(path)]


def _files(place: Path) -> Iterator[Path]:
    if place.is_file():
        yield place
    elif place.is_dir():
        found = (path for path in sorted(place.rglob("*"))[:50_000] if RECORDS.search(path.as_posix()))
        yield from (path for path in found if path.is_file() and not path.is_symlink())


def _records(path: Path) -> Iterator[Record]:
    try:
        if path.suffix == ".db":
            yield from _ledger(path)
        elif path.suffix == ".md":
            yield from _notes(path)
        elif path.suffix in {".json", ".jsonl"}:
            yield from _json(path)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError, sqlite3.Error):
        return


def _json(path: Path) -> Iterator[Record]:
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".jsonl":
        for line in text.splitlines():
            yield from _line(path, json.loads(line))
        return
    content = json.loads(text)
    runs = content.get("workflow_runs") if isinstance(content, dict) else content
    if isinstance(runs, list):
        yield from (record for run in runs for record in _workflow(path, run))
    elif day := _day(content):
        yield Record("training", day, path.as_posix(), "a training run ended")


def _line(path: Path, row: dict[str, Any]) -> Iterator[Record]:
    day = _day(row) or _first_date(str(row.get("as_of", "")))
    if day and "retrain" in row:
        yield Record("decision", day, path.as_posix(), "the trigger policy decided")
    elif day and (kind := LEDGER.get(str(row.get("kind")))):
        yield Record(kind, day, path.as_posix(), f"the ledger says: {row['kind']}")


def _workflow(path: Path, run: dict[str, Any]) -> Iterator[Record]:
    """A run of a workflow that ended well, as `gh run list --json` or GitHub's API writes it."""
    file = str(run.get("path") or run.get("workflowPath") or "").partition("@")[0]
    day = _day(run)
    if day and file and run.get("conclusion") == "success":
        yield Record("workflow", day, path.as_posix(), f"{file} ended well", file)


def _ledger(path: Path) -> Iterator[Record]:
    with sqlite3.connect(f"file:{path.as_posix()}?mode=ro&immutable=1", uri=True) as connection:
        for kind, at in connection.execute("SELECT kind, at FROM ledger").fetchall():
            day = _first_date(str(at))
            if day and kind in LEDGER:
                yield Record(LEDGER[kind], day, path.as_posix(), f"the ledger says: {kind}")


def _notes(path: Path) -> Iterator[Record]:
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith("#") and (day := _first_date(line)):
            yield Record("release", day, path.as_posix(), "a release was written up")


def _day(content: dict[str, Any]) -> date | None:
    return next((day for key in DATED if (day := _first_date(str(content.get(key, ""))))), None)


def _first_date(text: str) -> date | None:
    found = DATE.search(text)
    try:
        return date.fromisoformat(found[1]) if found else None
    except ValueError:
        return None
