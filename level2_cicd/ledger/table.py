"""The ledger's table in its database, which takes rows and itself refuses to change or remove one."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

from filelock import FileLock
from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    MetaData,
    String,
    Table,
    Text,
    create_engine,
    event,
    insert,
    inspect,
    select,
)
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError
from sqlalchemy.pool import NullPool

from demand.errors import IntegrityError, UsageError
from level1_pipeline.connection import DependencyError, without_password
from level2_cicd.ledger.row import Row

NAME = "level2_ledger"
BUSY = 30.0  # seconds for which another's transaction is waited for
ADVISORY = 7_306_520  # PostgreSQL's locks are numbers: this one is the ledger's
LEDGER = Table(
    NAME,
    MetaData(),
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("environment", String(100), nullable=False),
    Column("kind", String(40), nullable=False),
    Column("version", String(200), nullable=False),
    Column("content", Text, nullable=False),
    Column("at", String(40), nullable=False),
    Column("actor", String(200), nullable=False),
    Column("reason", Text, nullable=False),
    Column("previous_hash", String(64), nullable=False, unique=True),
    Column("hash", String(64), nullable=False, unique=True),
)
REFUSAL = "the ledger is append-only"
TRIGGERS = {
    "sqlite": [
        f"CREATE TRIGGER {NAME}_no_{verb} BEFORE {verb} ON {NAME} BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END"
        for verb in ("update", "delete")
    ],
    "postgresql": [
        f"CREATE FUNCTION {NAME}_refuse() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION '{REFUSAL}'; END $$",
        f"CREATE TRIGGER {NAME}_no_change BEFORE UPDATE OR DELETE OR TRUNCATE ON {NAME} "
        f"FOR EACH STATEMENT EXECUTE FUNCTION {NAME}_refuse()",
    ],
}
HAS_TRIGGERS = {
    "sqlite": f"SELECT count(*) FROM sqlite_master WHERE type = 'trigger' AND tbl_name = '{NAME}'",
    "postgresql": "SELECT count(*) FROM pg_trigger WHERE NOT tgisinternal AND tgenabled = 'O' "
    f"AND tgrelid = '{NAME}'::regclass",
}
COUNT = {"sqlite": 2, "postgresql": 1}
# What SQLite says where a disk or another process is at fault; whatever else it says is about its bytes.
OUTSIDE = {
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_NOMEM,
    sqlite3.SQLITE_PERM,
    sqlite3.SQLITE_PROTOCOL,
    sqlite3.SQLITE_READONLY,
}


class LedgerTable:
    """The table. Every method raises DependencyError where its database does not answer."""

    def __init__(self, url: str) -> None:
        try:
            parsed = make_url(url)
        except ArgumentError:
            raise UsageError("ledger: expected the address of a database; got none.") from None
        self.address = without_password(url)
        self.file = Path(str(parsed.database)) if parsed.get_backend_name() == "sqlite" else None
        patience = {} if self.file else {"connect_timeout": 10}
        self._engine = create_engine(parsed, poolclass=NullPool, connect_args=patience)
        if self.file:
            self.file.parent.mkdir(parents=True, exist_ok=True)
            event.listen(self._engine, "connect", _leave_transactions_to_us)

    @property
    def is_there(self) -> bool:
        """Whether the table has been made; a file that is not there stays so."""
        if self.file and not self.file.is_file():
            return False
        with self._connection() as connection:
            return bool(inspect(connection).has_table(NAME))

    def make(self) -> None:
        """Makes the table and what guards it, unless it is there: one process at a time, all or nothing."""
        if self.file:
            with FileLock(self.file.with_name(f".{self.file.name}.lock"), timeout=BUSY):
                self._make()
        else:
            self._make()

    @contextmanager
    def reading(self) -> Iterator["Snapshot"]:
        """The rows as of one moment."""
        with self._connection() as connection, connection.begin():
            connection.exec_driver_sql(
                "BEGIN" if self.file else "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"
            )
            yield Snapshot(connection)

    @contextmanager
    def writing(self) -> Iterator["Snapshot"]:
        """The rows while no other process can add one; what is added counts when the block ends well."""
        with self._connection() as connection, connection.begin():
            self._claim(connection)
            yield Snapshot(connection)

    def _make(self) -> None:
        if self.is_there:
            return
        if self.file:  # kept in the file; cannot be set inside a transaction
            with self._connection() as connection:
                connection.exec_driver_sql("PRAGMA journal_mode = WAL")
        with self._connection() as connection, connection.begin():
            self._claim(connection)
            if not inspect(connection).has_table(NAME):
                LEDGER.create(connection)
                for statement in TRIGGERS[connection.dialect.name]:
                    connection.exec_driver_sql(statement)

    def _claim(self, connection: Connection) -> None:
        if self.file:
            connection.exec_driver_sql("BEGIN IMMEDIATE")
            return
        connection.exec_driver_sql(f"SET LOCAL lock_timeout = {round(BUSY * 1000)}")
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({ADVISORY})")

    @contextmanager
    def _connection(self) -> Iterator[Connection]:
        try:
            with self._engine.connect() as connection:
                yield connection
        except (SQLAlchemyError, sqlite3.Error, UnicodeDecodeError) as error:
            raise self._told(error) from error

    def _told(self, error: Exception) -> Exception:
        cause = getattr(error, "orig", None) or error
        first = without_password((str(cause).splitlines() or [type(cause).__name__])[0])[:300]
        code = getattr(cause, "sqlite_errorcode", sqlite3.SQLITE_CORRUPT)
        if self.file and (code & 0xFF not in OUTSIDE or code == sqlite3.SQLITE_IOERR_SHORT_READ):
            return IntegrityError(
                f"{self.address}: expected the ledger as it was written; got a file that is broken: {first}. "
                "Restore it from a copy."
            )
        return DependencyError(
            f"ledger at {self.address}: expected a database that answers; got {first}. Nothing was entered. "
            "Mend it and run the same command again."
        )


class Snapshot:
    """The table inside a transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def rows(self) -> list[Row]:
        """Every row, by number, as it stands there."""
        found = self._connection.execute(select(LEDGER).order_by(LEDGER.c.seq)).mappings()
        return [Row(**{each.name: line[each.name] for each in fields(Row)}) for line in found]

    def add(self, row: Row) -> None:
        """Enters a row."""
        self._connection.execute(insert(LEDGER), asdict(row))

    def image(self) -> bytes | None:
        """Every byte of a SQLite database; None for a server's."""
        driver = self._connection.connection.driver_connection
        return driver.serialize() if isinstance(driver, sqlite3.Connection) else None

    @property
    def is_guarded(self) -> bool:
        """Whether the database still refuses to change or remove a row."""
        kind = self._connection.dialect.name
        count = self._connection.exec_driver_sql(HAS_TRIGGERS[kind]).scalar_one()
        return bool(count == COUNT[kind])


def _leave_transactions_to_us(connection: Any, _record: object) -> None:
    """Keeps Python's driver from opening transactions of its own: they begin without the write lock."""
    connection.isolation_level = None
    connection.execute(f"PRAGMA busy_timeout = {round(BUSY * 1000)}")
