"""The row of a lock in a SQL database: a SQLite file of the store's own, or a table that stores share."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from level1_pipeline.connection import DependencyError, without_password

if TYPE_CHECKING:  # imported where a lock is taken: scoring takes none
    from sqlalchemy import Connection, Engine

FILE = "lock.db"
BUSY = 30.0  # seconds for which another's transaction is waited for
ADVISORY = 7_306_519  # PostgreSQL's locks are numbers: this one and that of the lock's name are ours
CREATE = """
CREATE TABLE environment_lock (
    name VARCHAR(500) PRIMARY KEY, token BIGINT NOT NULL, holder VARCHAR(40) NOT NULL,
    host VARCHAR(300) NOT NULL, boot VARCHAR(200) NOT NULL, pid BIGINT NOT NULL,
    started DOUBLE PRECISION NOT NULL, since DOUBLE PRECISION NOT NULL,
    expires_at DOUBLE PRECISION NOT NULL, lease DOUBLE PRECISION NOT NULL
)"""
SELECT = "SELECT * FROM environment_lock WHERE name = :name"
RENEW = """
UPDATE environment_lock SET expires_at = :until
WHERE name = :name AND token = :token AND holder = :holder"""
RELEASE = """
UPDATE environment_lock SET holder = '', expires_at = 0
WHERE name = :name AND token = :token AND holder = :holder"""


@dataclass(frozen=True)
class Holder:
    """Who holds a lock.

    holder: a name of its own for each holding, "" for nobody. started: seconds from the host's boot to the
    process's start. since, expires_at: seconds of the epoch by the database's clock. lease: seconds.
    """

    holder: str
    host: str
    boot: str
    pid: int
    started: float
    lease: float
    token: int = 0
    since: float = 0.0
    expires_at: float = 0.0


class LockTable:
    """The table in its database. Every method raises DependencyError where that does not answer."""

    def __init__(self, store: Path, url: str | None, name: str | None) -> None:
        from sqlalchemy import URL, create_engine, event
        from sqlalchemy.pool import NullPool

        store.mkdir(parents=True, exist_ok=True)
        self.name = name or str(store)
        self.key = "store" if url is None else name or str(store.resolve())
        where = URL.create("sqlite", database=str(store / FILE)) if url is None else url
        self._address = str(store / FILE) if url is None else without_password(url)
        self._engine: Engine = create_engine(where, poolclass=NullPool)
        if self._sqlite:
            event.listen(self._engine, "connect", _leave_transactions_to_us)
        self._make()

    @property
    def _sqlite(self) -> bool:
        return self._engine.dialect.name == "sqlite"

    def read(self) -> Holder | None:
        """Who holds the lock, as of now and without waiting for who writes."""
        with self._connection() as connection:
            return _Row(self, connection).read()

    def now(self) -> float:
        """Seconds of the epoch by the clock that counts for this lock."""
        with self._connection() as connection:
            return self.clock(connection)

    @contextmanager
    def writing(self) -> "Iterator[_Row]":
        """The row, in a transaction in which no other process can write it."""
        with self._connection() as connection, connection.begin():
            row = _Row(self, connection)
            row.claim()
            yield row

    def clock(self, connection: "Connection") -> float:
        """Seconds of the epoch, by the server's clock where there is one."""
        if self._sqlite:
            return time.time()
        return float(connection.exec_driver_sql("SELECT EXTRACT(EPOCH FROM clock_timestamp())").scalar_one())

    @contextmanager
    def _connection(self) -> "Iterator[Connection]":
        from sqlalchemy.exc import SQLAlchemyError

        try:
            with self._engine.connect() as connection:
                yield connection
        except SQLAlchemyError as error:
            first = without_password(str(error).splitlines()[0])
            raise DependencyError(
                f"lock at {self._address}: expected a database that answers; got {first[:300]} "
                "Mend it, or remove the file of a lock that no run holds, and run the same command again."
            ) from error

    def _make(self) -> None:
        from sqlalchemy import inspect

        with self._connection() as connection:
            if inspect(connection).has_table("environment_lock"):
                return
        with self.writing() as row:
            row.make()


class _Row:
    """The row of one lock inside a connection."""

    def __init__(self, table: LockTable, connection: "Connection") -> None:
        self._table, self._connection = table, connection
        self._sqlite = connection.dialect.name == "sqlite"

    def claim(self) -> None:
        """Waits until no other process can write it, before anything is read that could be overtaken."""
        if self._sqlite:
            self._connection.exec_driver_sql("BEGIN IMMEDIATE")
            return
        self._connection.exec_driver_sql(f"SET LOCAL lock_timeout = {round(BUSY * 1000)}")
        self._run(f"SELECT pg_advisory_xact_lock({ADVISORY}, hashtext(:name))")

    def make(self) -> None:
        """Makes the table unless another process just did."""
        from sqlalchemy import inspect

        if not self._sqlite:  # stores that share a database wait for each other, here alone
            self._run(f"SELECT pg_advisory_xact_lock({ADVISORY})")
        if not inspect(self._connection).has_table("environment_lock"):
            self._run(CREATE)

    def read(self) -> Holder | None:
        """Who holds it, None where nobody ever did."""
        found = self._run(SELECT).mappings().first()
        return Holder(**{each.name: found[each.name] for each in fields(Holder)}) if found else None

    def take(self, mine: Holder) -> Holder:
        """Enters the next holder; returns it with its token and times."""
        before = self.read()
        now = self._table.clock(self._connection)
        token = before.token + 1 if before else 1
        entered = replace(mine, token=token, since=now, expires_at=now + mine.lease)
        if before:
            self._run("DELETE FROM environment_lock WHERE name = :name")
        self.enter(entered)
        return entered

    def enter(self, holder: Holder) -> None:
        """Writes the row where there is none."""
        values = asdict(holder)
        names = ["name", *values]
        marks = ", ".join(f":{each}" for each in names)
        self._run(f"INSERT INTO environment_lock ({', '.join(names)}) VALUES ({marks})", **values)

    def renew(self, mine: Holder) -> bool:
        """Whether it is still held by `mine`, whose lease then begins anew."""
        until = self._table.clock(self._connection) + mine.lease
        return bool(self._run(RENEW, token=mine.token, holder=mine.holder, until=until).rowcount)

    def release(self, mine: Holder) -> None:
        """Leaves the row to nobody, with its token, if `mine` still holds it."""
        self._run(RELEASE, token=mine.token, holder=mine.holder)

    def _run(self, statement: str, **values: Any) -> Any:
        from sqlalchemy import text

        given = {"name": self._table.key, **values}
        return self._connection.execute(text(statement), given if ":name" in statement else {})


def _leave_transactions_to_us(connection: Any, _record: object) -> None:
    """Keeps Python's driver from opening transactions of its own: they begin without the write lock."""
    connection.isolation_level = None
    connection.execute(f"PRAGMA busy_timeout = {round(BUSY * 1000)}")
