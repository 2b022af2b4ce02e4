"""The record of each run: one JSON file in the store, there from the first moment, whole at any time."""

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from demand.errors import DataError, UsageError
from level1_pipeline.store import sha256_of, write_json

FOLDER, SUFFIX = "runs", ".json"
STATUSES = ("running", "done", "failed", "abandoned")
SHOWN = 5  # run ids in a message
Content = dict[str, Any]


@dataclass(frozen=True)
class RunStart:
    """What is known of a run before it does anything.

    versions: of the pipeline, its components and packages. executor: as metadata.executor has it.
    previous_model: version of the model in use, None where there is none.
    """

    run_id: str
    started_at: datetime
    command: str
    versions: Mapping[str, Any]
    executor: Mapping[str, Any]
    parameters: Mapping[str, Any]
    previous_model: str | None


def new_run_id(started_at: datetime) -> str:
    """A name that sorts by time, as in 20260622-060000-123456; one store runs one at a time."""
    return started_at.strftime("%Y%m%d-%H%M%S-%f")


def begin_run(store: Path, start: RunStart) -> Content:
    """The record of a run that begins, written with the status running."""
    content = {
        "format": 1,
        "run_id": start.run_id,
        "command": start.command,
        "status": "running",
        "start": start.started_at.isoformat(),
        "end": None,
        "duration_seconds": None,
        "executor": start.executor,
        "versions": start.versions,
        "parameters": start.parameters,
        "previous_model": start.previous_model,
    }
    return _write(store, content)


def end_run(store: Path, begun: Content, ended_at: datetime, found: Mapping[str, Any]) -> Content:
    """The record of a run that is done, with what it found, written over that of its beginning."""
    return _end(store, begun, ended_at, {**found, "status": "done"})


def fail_run(
    store: Path, begun: Content, ended_at: datetime, error: BaseException, found: Mapping[str, Any]
) -> Content:
    """The record of a run that failed: its error, and what it had found till then, its stages above all."""
    told = f"{type(error).__name__}: {error}"
    return _end(store, begun, ended_at, {**found, "status": "failed", "error": told})


def abandon_runs(store: Path, noticed_at: datetime, own: str | None = None) -> list[str]:
    """Ids of the runs whose process ended without a word, now marked so; `own` is the one that looks.

    Only for the holder of the store's lock: another run that is still called running is then dead.
    """
    records, _ = list_runs(store)
    dead = [each for each in records if each["status"] == "running" and each["run_id"] != own]
    for each in dead:
        _write(store, {**each, "status": "abandoned", "noticed": noticed_at.isoformat()})
    return [str(each["run_id"]) for each in dead]


def list_runs(store: Path) -> tuple[list[Content], list[str]]:
    """The records of a store, the latest first, and what is wrong with each file that is none."""
    records, faults = [], []
    for path in sorted((store / FOLDER).glob(f"[!.]*{SUFFIX}")):
        try:
            records.append(_read(path))
        except DataError as error:
            faults.append(str(error))
    return sorted(records, key=lambda each: (each["start"], each["run_id"]), reverse=True), faults


def read_run(store: Path, name: str) -> Content:
    """The record of the run whose id is `name` or, alone among them, begins with it; "latest" is the last.

    Raises UsageError where there is none or several, DataError for a file that is no record.
    """
    ids = sorted(path.name.removesuffix(SUFFIX) for path in (store / FOLDER).glob(f"[!.]*{SUFFIX}"))
    found = [each for each in ids if each == name] or [each for each in ids if name and each.startswith(name)]
    if name == "latest":
        found = ids[-1:]
    if len(found) == 1:
        return _read(store / FOLDER / f"{found[0]}{SUFFIX}")
    known = ", ".join((found or ids[::-1])[:SHOWN]) or "none; run `train` first"
    raise UsageError(
        f"{store}: expected the id of a run or its beginning; {name!r} fits {len(found) or 'none'}. "
        f"{'They are' if found else 'There are'}: {known}{', ...' if len(found or ids) > SHOWN else '.'}"
    )


def latest_done(store: Path) -> Content | None:
    """The record of the last run that was done and knew its data; None where there is none."""
    records, _ = list_runs(store)
    return next((each for each in records if each["status"] == "done" and each.get("data")), None)


def pointers(store: Path, places: Iterable[Path]) -> list[Content]:
    """Where a run's artifacts lie: path in the store, sha256 and bytes of each file, in folders as well."""
    files = [
        file
        for place in places
        for file in (sorted(place.rglob("*")) if place.is_dir() else [place])
        if file.is_file()
    ]
    return [
        {"path": each.relative_to(store).as_posix(), "sha256": sha256_of(each), "bytes": each.stat().st_size}
        for each in files
    ]


def plain(value: Any) -> Any:
    """The value as JSON has it: what is no number is None, dates and paths are texts."""
    if isinstance(value, Mapping):
        return {str(key): plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(each) for each in (sorted(value) if isinstance(value, set | frozenset) else value)]
    if isinstance(value, date):  # a datetime is one too
        return value.isoformat()
    value = value.item() if hasattr(value, "item") else value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value if value is None or isinstance(value, bool | int | str) else str(value)


def _end(store: Path, begun: Content, ended_at: datetime, found: Mapping[str, Any]) -> Content:
    seconds = (ended_at - datetime.fromisoformat(begun["start"])).total_seconds()
    timed = {"end": ended_at.isoformat(), "duration_seconds": round(seconds, 3)}
    return _write(store, {**begun, **found, **timed})


def _write(store: Path, content: Mapping[str, Any]) -> Content:
    record: Content = plain(content)
    write_json(record, store / FOLDER / f"{record['run_id']}{SUFFIX}")
    return record


def _read(path: Path) -> Content:
    """A record whose id, status and times are what they have to be; raises DataError."""
    try:
        content = json.loads(path.read_bytes())
        datetime.fromisoformat(content["start"])
        good = content["run_id"] == path.name.removesuffix(SUFFIX) and content["status"] in STATUSES
        got = f"run_id {content['run_id']!r} with status {content['status']!r}"
    except (OSError, ValueError, KeyError, TypeError) as error:
        good, got = False, repr(error)
    if not good:
        raise DataError(
            f"{path}: expected the record of run {path.name.removesuffix(SUFFIX)}; got {got}. Restore the "
            f"file or remove it; no model depends on it."
        )
    return dict(content)
