"""One run at a time on a store: who holds the lock, until when, and a number that grows with each holder."""

import os
import socket
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

import psutil

from level1_pipeline.connection import DependencyError
from level1_pipeline.lock_table import Holder, LockTable

LEASE = 60.0  # seconds for which a holder that says nothing more is believed
BEATS = 4  # renewals per lease
SAME_START = 1.0  # seconds by which two readings of one process's start may differ

Result = TypeVar("Result")


class LockHeld(RuntimeError):
    """Another run holds the lock; the command line turns it into exit code 6."""


class LostLock(LockHeld):
    """The lease ran out and another run took the lock: this one may publish nothing any more."""


@dataclass(frozen=True)
class _Self:
    """This process as others find it; started: seconds from the boot of the host."""

    host: str
    boot: str
    pid: int
    started: float


class Lock:
    """The lock while it is held. token: grows with each holder of the store, so that the newest is known."""

    def __init__(self, table: LockTable, mine: Holder) -> None:
        self.token = mine.token
        self._table, self._mine = table, mine
        self._ended, self._lost = threading.Event(), threading.Event()
        self._heart = threading.Thread(target=self._beat, name="lock", daemon=True)

    def publish(self, action: Callable[[], Result]) -> Result:
        """What `action` returns, done while no other run can take the lock; keep it short.

        Raises LostLock, and does nothing, where another run holds a newer lock.
        """
        with self._table.writing() as row:
            self._check(row.read())
            result = action()
            row.renew(self._mine)
        return result

    def assure(self) -> None:
        """Raises LostLock once a beat has found another holder; costs nothing, so it may be called often."""
        if self._lost.is_set():
            self._check(self._table.read())

    def _check(self, now: Holder | None) -> None:
        if now is None or now.holder != self._mine.holder or now.token != self.token:
            taken = f"{_who(now)} took it" if now and now.holder else "it was taken and given back since"
            raise LostLock(
                f"{self._table.name}: expected that this run still holds the lock; it did not renew it for "
                f"{self._mine.lease:.0f} s and {taken}. Nothing was published. Run the same command again."
            )

    def start(self) -> None:
        """Begins to renew the lease."""
        self._heart.start()

    def release(self) -> None:
        """Ends the renewals and gives the lock back; where the database is gone, the lease runs out."""
        self._ended.set()
        self._heart.join()
        try:
            with self._table.writing() as row:
                row.release(self._mine)
        except DependencyError:
            return

    def _beat(self) -> None:
        # Event.wait counts on the monotonic clock: a jump of the wall clock delays no renewal.
        while not self._ended.wait(self._mine.lease / BEATS):
            try:
                with self._table.writing() as row:
                    kept = row.renew(self._mine)
            except DependencyError:  # the next beat may reach it; `publish` tells what the database says
                continue
            if not kept:
                self._lost.set()
                return


@contextmanager
def held(
    store: Path, *, url: str | None = None, name: str | None = None, lease: float = LEASE
) -> Iterator[Lock]:
    """The lock of a store for the length of the block; raises LockHeld, or DependencyError.

    Kept in STORE/lock.db, or in the database at `url` under `name` (the store's path if none is given).
    A holder on this host whose process has ended is succeeded at once, any other when its lease ran out.
    """
    table = LockTable(store, url, name)
    lock = Lock(table, _acquire(table, lease))
    lock.start()
    try:
        yield lock
    finally:
        lock.release()


def _acquire(table: LockTable, lease: float) -> Holder:
    me = _myself()
    watched: Holder | None = None
    while True:
        first = table.read()  # without waiting for who publishes just now
        _refuse(table, first, me, watched)
        with table.writing() as row:
            found = row.read()
            if _free(found, me) or found == watched:
                mine = Holder(uuid.uuid4().hex, me.host, me.boot, me.pid, me.started, lease=lease)
                return row.take(mine)
        _refuse(table, found, me, watched)
        watched = found
        # The lease ran out by the clock, but clocks jump: a holder that lives renews while it is watched.
        time.sleep((found.lease if found else lease) * 2 / BEATS)


def _refuse(table: LockTable, found: Holder | None, me: _Self, watched: Holder | None) -> None:
    """Raises LockHeld where the lock is another's beyond doubt."""
    if found is None or _free(found, me) or found == watched:
        return
    if watched is None and not 0 < found.expires_at - table.now() <= found.lease:
        return  # run out, or set by a clock that was ahead
    raise LockHeld(
        f"{table.name}: expected no other run on this store; {_who(found)} holds its lock since "
        f"{_time(found.since)}, until {_time(found.expires_at)} at least. Wait until it ends and run the "
        "same command again; if it hangs, stop that process, and the lock is free."
    )


def _free(found: Holder | None, me: _Self) -> bool:
    """Whether nobody holds it, or a process of this host that has ended."""
    if found is None or not found.holder:
        return True
    return (found.host, found.boot) == (me.host, me.boot) and not _lives(found.pid, found.started)


def _lives(pid: int, started: float) -> bool:
    """Whether the process that began `started` seconds after the host still runs."""
    try:
        process = psutil.Process(pid)
        return process.status() != psutil.STATUS_ZOMBIE and abs(_started(process) - started) <= SAME_START
    except psutil.NoSuchProcess:
        return False
    except psutil.AccessDenied:
        return True


def _started(process: psutil.Process) -> float:
    """Seconds from the start of the host to that of the process; no jump of the clock changes them."""
    return float(process.create_time() - psutil.boot_time())


def _myself() -> _Self:
    return _Self(socket.gethostname(), _boot(), os.getpid(), _started(psutil.Process()))


def _boot() -> str:
    """What tells one start of the host, and one view of its process ids, from another; "" where unknown."""
    try:
        start = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        return f"{start} {Path('/proc/self/ns/pid').readlink()}"
    except OSError:
        return ""


def _who(holder: Holder) -> str:
    return f"pid {holder.pid}@{holder.host}"


def _time(epoch: float) -> str:
    return datetime.fromtimestamp(epoch, UTC).isoformat(" ", "seconds")
