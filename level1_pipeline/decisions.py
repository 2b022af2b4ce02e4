"""Decisions of a store: what they depend on is read from it, and each is kept in one file, once."""

import json
from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from demand.bundle import Manifest, read_manifest
from demand.errors import IntegrityError, UsageError
from demand.sources.publish import write_bytes
from level1_pipeline import store as files
from level1_pipeline.connection import DependencyError
from level1_pipeline.findings import WEEKS, Findings, degraded, drifted, restated
from level1_pipeline.monitoring.book import Book, read_book
from level1_pipeline.monitoring.issued import FOLDER
from level1_pipeline.triggers import Decision, Policy, State, decide

DECISIONS, OUTBOX, LOCK = "decisions.jsonl", "outbox.jsonl", ".decisions.lock"
PATIENCE = 20.0  # seconds that another check may take
Content = dict[str, Any]


def decide_on(store: Path, as_of: date, on_demand: str, policy: Policy) -> Decision:
    """The decision of a day about the model in use; it is in the store's decisions when this returns.

    Raises UsageError where no model is in use or the day lies before what is known, IntegrityError where a
    file is not what was written, DependencyError where another check does not end.
    """
    folder = store / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(folder / LOCK, timeout=PATIENCE):
            past = read_lines(folder / DECISIONS)
            decision = decide(state_of(store, as_of, on_demand, past), policy)
            if decision.decision_id not in {each["decision_id"] for each in past}:
                write_lines(folder / DECISIONS, [*past, decision.content()])
    except Timeout:
        raise DependencyError(
            f"{folder / LOCK}: expected the other check to end within {PATIENCE:.0f} s; it did not. Look for "
            f"a process that hangs, and give the same command again."
        ) from None
    return decision


def state_of(store: Path, as_of: date, on_demand: str, past: Iterable[Content]) -> State:
    """What a decision of that day depends on; raises UsageError and IntegrityError."""
    manifest = manifest_in_use(store)
    book = read_book(store)
    if not book.whole:
        raise IntegrityError(
            f"{store / FOLDER}: expected tables that belong together; got those of a monitoring run that was "
            f"cut off. Run `monitor` again: it goes on from there."
        )
    decided = {date.fromisoformat(each["as_of"]) for each in past if each["retrain"]}
    _expect_later(as_of, book, [date.fromisoformat(each["as_of"]) for each in past])
    return State(
        as_of=as_of,
        model_version=manifest.meta.model_version,
        model_as_of=trained_until(manifest),
        monitored_as_of=book.as_of,
        findings=findings_of(book, trained_until(manifest)),
        retrained=tuple(sorted(day for day in decided if day < as_of)),
        on_demand=on_demand,
    )


def findings_of(book: Book, trained: date) -> Findings:
    """What counts of the last week that was looked at; trained: the last one that the model knows."""
    return Findings(
        degraded=degraded(book.of_week("signals"), book.of_week("quality", WEEKS)),
        drifted=drifted(book.of_week("drift")),
        restated=restated(book.tables["actuals"], trained),
        new_regions=book.new_regions,
    )


def manifest_in_use(store: Path) -> Manifest:
    """The manifest of the bundle in use; raises UsageError without one, IntegrityError for a changed one."""
    return read_manifest(files.current_bundle(store))


def trained_until(manifest: Manifest) -> date:
    """Monday of the last week that the model knows; its day of training where the bundle does not say."""
    return manifest.meta.as_of or manifest.meta.trained_at.date()


def read_lines(path: Path) -> list[Content]:
    """The decisions of a file, the earliest first; raises IntegrityError for a line that is none."""
    found: list[Content] = []
    lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    for number, line in enumerate(lines, start=1):
        try:
            each = json.loads(line)
            date.fromisoformat(each["as_of"])
            found.append({**each, "retrain": bool(each["retrain"]), "decision_id": str(each["decision_id"])})
        except (ValueError, KeyError, TypeError) as error:
            raise IntegrityError(
                f"{path}, line {number}: expected a decision; got {error!r}. Restore the file from a copy, "
                f"or take the line out: the other decisions stay."
            ) from None
    return found


def write_lines(path: Path, lines: Iterable[Content]) -> None:
    """Writes decisions, one a line; the file is replaced whole."""
    write_bytes(path, "".join(json.dumps(each, allow_nan=False) + "\n" for each in lines).encode())


def _expect_later(as_of: date, book: Book, decided: list[date]) -> None:
    known = [day for day in (book.as_of, max(decided, default=None)) if day is not None]
    if known and as_of < max(known):
        raise UsageError(
            f"--as-of: expected {max(known)} or later, since monitoring or a decision has got that far; got "
            f"{as_of}. Check the clock that the date came from; nothing was changed."
        )
