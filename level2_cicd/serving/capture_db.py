"""capture.db: what the model was unsure of, and what champion and challenger answered side by side."""

import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import astuple, dataclass, fields
from pathlib import Path
from typing import Any, ClassVar

import msgspec

CAPTURE = "capture.db"
KINDS = {str: "TEXT NOT NULL", int: "INTEGER", float: "REAL"}
WAIT = 5.0  # seconds for another worker's write; only the background waits


@dataclass(frozen=True)
class Captured:
    """One row that was asked for. at: UTC. kind: forecast or score. week: its Monday, empty where not told.

    inputs: JSON of the row's raw features by name. units, lower, upper: as answered, in units a week.
    """

    TABLE: ClassVar[str] = "captured"
    at: str
    release: str
    kind: str
    reason: str
    region: str
    store_id: str
    product_id: str
    week: str
    horizon: int
    source: str
    model_version: str
    units: float
    lower: float
    upper: float
    inputs: str


@dataclass(frozen=True)
class Shadowed:
    """One row that champion and challenger both answered; in units a week, None where one had none."""

    TABLE: ClassVar[str] = "shadow"
    at: str
    release: str
    challenger: str
    kind: str
    region: str
    store_id: str
    product_id: str
    week: str
    horizon: int
    source: str
    units: float | None
    lower: float | None
    upper: float | None
    challenger_source: str
    challenger_units: float | None
    challenger_lower: float | None
    challenger_upper: float | None


def write(path: Path, rows: Sequence[Captured] | Sequence[Shadowed]) -> None:
    """Appends the rows, all or none of them; raises sqlite3.Error or OSError where that cannot be."""
    if not rows:
        return
    kind = type(rows[0])
    marks = ", ".join("?" for _ in fields(kind))
    with closing(_open(path)) as database, database:
        database.executemany(f"INSERT INTO {kind.TABLE} VALUES (NULL, {marks})", map(astuple, rows))


def count(path: Path) -> dict[str, int]:
    """Rows of each table; 0 where there is no database yet."""
    if not path.exists():
        return {Captured.TABLE: 0, Shadowed.TABLE: 0}
    with closing(_open(path)) as database:
        return {kind.TABLE: _count(database, kind.TABLE) for kind in (Captured, Shadowed)}


def as_json(inputs: Mapping[str, Any]) -> str:
    """Features by name as JSON; a number that is not finite is null, as msgspec writes it."""
    return msgspec.json.encode(inputs).decode()


def _open(path: Path) -> sqlite3.Connection:
    database = sqlite3.connect(path, timeout=WAIT)
    database.execute("PRAGMA journal_mode=WAL")
    database.execute("PRAGMA synchronous=NORMAL")
    for kind in (Captured, Shadowed):
        columns = ", ".join(f"{each.name} {_kind(each.type)}" for each in fields(kind))
        database.execute(f"CREATE TABLE IF NOT EXISTS {kind.TABLE} (id INTEGER PRIMARY KEY, {columns})")
    return database


def _kind(annotation: Any) -> str:
    return KINDS.get(annotation, "REAL")


def _count(database: sqlite3.Connection, table: str) -> int:
    return int(database.execute(f"SELECT count(*) FROM {table}").fetchone()[0])
