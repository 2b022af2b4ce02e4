"""The ledger: what was decided about an environment's models, row after row, and what serves since."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from demand.errors import IntegrityError
from level2_cicd.environments import Environment, claim, refuse_foreign
from level2_cicd.ledger.row import GENESIS, SERVING_KINDS, Entry, Row, follow
from level2_cicd.ledger.seal import REDO, Seal
from level2_cicd.ledger.table import LedgerTable, Snapshot

SEAL = "ledger.seal.json"


class Moved(RuntimeError):
    """Another row came first, so what was to be entered rests on what is no longer so."""


class Ledger:
    """The ledger of one environment; whatever is read of it has been verified, from the first row on.

    seal: file beside the ledger that remembers its last row; None for no such memory. Every method raises
    DependencyError where the database does not answer, IntegrityError where a row was changed or removed, and
    UsageError where the ledger is another environment's.
    """

    def __init__(
        self,
        url: str,
        environment: str,
        seal: Path | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.environment = environment
        self._table, self._seal, self._now = LedgerTable(url), seal, now

    @property
    def address(self) -> str:
        """Where it lies, without a password."""
        return self._table.address

    def rows(self) -> list[Row]:
        """Every row, the first one first; none where nothing was ever entered."""
        sealed = self._sealed()
        if not self._table.is_there:
            if sealed is not None:
                raise IntegrityError(f"{self.address}: expected the ledger of a seal; got none. {REDO}")
            return []
        with self._table.reading() as snapshot:
            rows = self._verified(snapshot, sealed)
            self._keep_seal(snapshot, rows, sealed)
        return rows

    def head(self) -> Row | None:
        """The last row."""
        return next(reversed(self.rows()), None)

    def serving(self) -> str | None:
        """The version that serves: that of the last promotion or rollback."""
        row = serving_row(self.rows())
        return row.version if row else None

    def append(  # noqa: PLR0913 - a row's fields, which its readers know by these names
        self,
        kind: str,
        version: str,
        content: Mapping[str, Any],
        actor: str,
        reason: str,
        *,
        expected: str | None,
    ) -> Row:
        """The row that was entered; raises Moved, and enters nothing, unless the head is `expected`.

        expected: hash of the row that was the last when this was decided, None for an empty ledger.
        """
        entry = Entry(kind, version, content, actor, reason)
        with self._adding() as (snapshot, rows):
            head = rows[-1].hash if rows else None
            if head != expected:
                wanted = f"the row {expected[:12]}" if expected else "no row"
                last = f"row {rows[-1].seq}, {rows[-1].kind} {rows[-1].version}," if rows else "no row"
                raise Moved(
                    f"{self.address}: expected {wanted} to be the last; {last} came first. Look at it and "
                    "decide again."
                )
            row = self._add(snapshot, rows, entry)
        self.rows()  # leaves the new seal
        return row

    def note(self, kind: str, version: str, content: Mapping[str, Any], actor: str, reason: str) -> Row:
        """The row that was entered, whatever came before: for what rests on no other row."""
        entry = Entry(kind, version, content, actor, reason)
        with self._adding() as (snapshot, rows):
            row = self._add(snapshot, rows, entry)
        self.rows()
        return row

    @contextmanager
    def held(self) -> Iterator[list[Row]]:
        """Every row, while no other process can enter one; keep it short."""
        with self._adding() as (_, rows):
            yield rows

    def verify(self) -> int:
        """How many rows there are; raises IntegrityError naming the first that is not as it was entered."""
        rows = self.rows()
        if self._table.is_there:
            with self._table.reading() as snapshot:
                if not snapshot.is_guarded:
                    raise IntegrityError(
                        f"{self.address}: expected triggers that refuse to change rows; they are gone. {REDO}"
                    )
        return len(rows)

    @contextmanager
    def _adding(self) -> Iterator[tuple[Snapshot, list[Row]]]:
        if not self.rows():
            self._table.make()
            self.rows()  # leaves a seal, if only of no row at all, before the first row comes
        sealed = self._sealed()
        with self._table.writing() as snapshot:
            yield snapshot, self._verified(snapshot, sealed)

    def _add(self, snapshot: Snapshot, rows: list[Row], entry: Entry) -> Row:
        row = follow(rows[-1] if rows else None, self.environment, entry, self._now().isoformat())
        snapshot.add(row)
        return row

    def _sealed(self) -> Seal | None:
        """The seal. Read before the rows: a row that is added meanwhile then lies after it, never before."""
        return Seal.read(self._seal) if self._seal else None

    def _verified(self, snapshot: Snapshot, sealed: Seal | None) -> list[Row]:
        rows = snapshot.rows()
        check_chain(rows, self.address)
        for row in rows:
            refuse_foreign(f"ledger at {self.address}", row.environment, self.environment)
        if sealed is not None:
            sealed.check(Seal.of(rows, snapshot.image()), rows, self.address)
        elif self._seal is not None and self._table.file and rows and not self._seal.exists():
            raise IntegrityError(f"{self._seal}: expected the seal of {len(rows)} rows; got no file. {REDO}")
        return rows

    def _keep_seal(self, snapshot: Snapshot, rows: Sequence[Row], sealed: Seal | None) -> None:
        now = Seal.of(rows, snapshot.image())
        if self._seal is not None and now != sealed:
            now.write(self._seal)


def open_ledger(environment: Environment) -> Ledger:
    """The ledger of an environment, whose store is marked as its own; raises UsageError for another's."""
    return Ledger(environment.database, environment.name, claim(environment) / SEAL)


def check_chain(rows: Sequence[Row], what: str) -> None:
    """Raises IntegrityError naming the first row that is not as it was entered, or does not follow."""
    before = GENESIS
    for number, row in enumerate(rows, start=1):
        name = f"{what}, row {number} ({row.kind} {row.version}, {row.at})"
        if row.seq != number:
            raise IntegrityError(f"{name}: expected number {number}; got {row.seq}: a row is missing. {REDO}")
        if row.computed != row.hash:
            raise IntegrityError(
                f"{name}: expected content with the hash {row.hash[:12]}; got {row.computed[:12]}: the row "
                f"was changed. {REDO}"
            )
        if row.previous_hash != before:
            raise IntegrityError(
                f"{name}: expected to follow {before[:12]}; it follows {row.previous_hash[:12]}. {REDO}"
            )
        before = row.hash


def serving_row(rows: Sequence[Row]) -> Row | None:
    """The row by which a version serves: the last promotion or rollback; None before the first."""
    return next((row for row in reversed(rows) if row.kind in SERVING_KINDS), None)


def served(rows: Sequence[Row]) -> list[str]:
    """The versions whose promotions stand, the one that serves last: a rollback takes back those after it."""
    stack: list[str] = []
    for row in rows:
        if row.kind == "rolled_back" and row.version in stack:
            del stack[stack.index(row.version) + 1 :]
        elif row.kind in SERVING_KINDS:
            stack.append(row.version)
    return stack
