"""The monitoring tables of a store, and the state file that says that they belong together."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd

from demand.contracts import check, columns
from demand.errors import IntegrityError
from level1_pipeline.monitoring.issued import FOLDER
from level1_pipeline.monitoring.parquet import read_table
from level1_pipeline.store import sha256_of, write_json, write_parquet

STATE = "state.json"
# In this order they are written: the actuals last, so that a run that was cut off finds its work undone.
TABLES = ("quality", "drift", "errors", "signals", "data_quality", "actuals")
REMEDY = (
    "Restore it from a copy, or move it and state.json aside: `monitor` makes the last 26 weeks of its "
    "tables again from forecasts/ and the data."
)


@dataclass(frozen=True)
class Book:
    """What monitoring knows.

    tables: by name, as their contracts have them. as_of: Monday of the last week looked at, None before the
    first run. monitored: as-of dates of all runs. reference: version of the model whose judged weeks the
    errors begin with. refused: regions of the last delivery that were refused, and why. new_regions: those
    the model does not know. whole: whether the last run ended; where it did not, the next makes it good.
    """

    tables: Mapping[str, pd.DataFrame]
    as_of: date | None = None
    monitored: tuple[date, ...] = ()
    model_version: str = ""
    reference: str = ""
    refused: Mapping[str, str] = field(default_factory=dict)
    new_regions: tuple[str, ...] = ()
    whole: bool = True

    def of_week(self, name: str, weeks: int = 1) -> pd.DataFrame:
        """A table's rows of the last week looked at, or of the last few."""
        table = self.tables[name]
        if self.as_of is None:
            return table.iloc[:0]
        last = pd.Timestamp(self.as_of)
        return table[table["week"].between(last - pd.Timedelta(weeks=weeks - 1), last)]


def read_book(store: Path) -> Book:
    """The tables of a store, empty before the first run.

    Raises IntegrityError for a table that is damaged, missing, or not the one that the state file names.
    Where a run was cut off, or the state file is gone, each table that is there is taken as it is.
    """
    folder = store / FOLDER
    path = folder / STATE
    if not path.is_file():
        there = any((folder / f"{name}.parquet").is_file() for name in TABLES)
        return Book({name: _read(name, folder) for name in TABLES}, whole=not there)
    state = _state(path)
    whole = "writing" not in state
    for name in TABLES if whole else ():
        _expect(folder / f"{name}.parquet", state["tables"].get(name))
    return Book(
        tables={name: _read(name, folder) for name in TABLES},
        as_of=date.fromisoformat(state["as_of"]) if state["as_of"] else None,
        monitored=tuple(date.fromisoformat(day) for day in state["monitored"]),
        model_version=str(state["model_version"]),
        reference=str(state["reference"]),
        refused=dict(state["refused"]),
        new_regions=tuple(state["new_regions"]),
        whole=whole,
    )


def write_book(store: Path, book: Book, before: Book) -> None:
    """Writes the tables one by one, each whole or not at all, and the state file at the end.

    Meanwhile the state file says that a run is under way, so that one that is cut off is noticed.
    """
    folder = store / FOLDER
    write_json({**_content(before), "tables": {}, "writing": str(book.as_of)}, folder / STATE)
    for name in TABLES:
        write_parquet(book.tables[name], folder / f"{name}.parquet")
    hashes = {name: sha256_of(folder / f"{name}.parquet") for name in TABLES}
    write_json({**_content(book), "tables": hashes}, folder / STATE)


def _content(book: Book) -> dict[str, Any]:
    return {
        "format": 1,
        "as_of": book.as_of.isoformat() if book.as_of else None,
        "model_version": book.model_version,
        "reference": book.reference,
        "monitored": [day.isoformat() for day in book.monitored],
        "refused": dict(book.refused),
        "new_regions": list(book.new_regions),
    }


def _state(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_bytes())
        missing = {*_content(Book({})), "tables"} - {*found}
        if found["format"] != 1 or missing:
            raise ValueError(f"format {found['format']!r} without {', '.join(sorted(missing)) or 'nothing'}")
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise IntegrityError(
            f"{path}: expected the state of the monitoring tables; got {error!r}. {REMEDY}"
        ) from None
    return dict(found)


def _expect(path: Path, expected: str | None) -> None:
    got = sha256_of(path) if path.is_file() else "no file"
    if got != expected:
        raise IntegrityError(f"{path}: expected sha256 {expected}, as {STATE} says; got {got}. {REMEDY}")


def _read(name: str, folder: Path) -> pd.DataFrame:
    """A table, empty where there is no file."""
    path = folder / f"{name}.parquet"
    if path.is_file():
        return read_table(name, path)
    return check(name, pd.DataFrame(columns=columns(name)), name)
