"""Lets several processes open a fresh store at the same moment, many times.

Each opens the store's MLflow database, begins a run there, and reads the table of its lock. A failure is any
process that does not end well, or a store that then holds another number of runs or experiments.

Example: python tests/drills/fresh.py --trials 20
"""

import multiprocessing
import shutil
import sys
import tempfile
from datetime import UTC, datetime
from multiprocessing.synchronize import Barrier
from pathlib import Path

import mlflow  # noqa: F401  # before the processes part, so that all begin at once
from figures import note, parser, show, timed
from sqlalchemy import create_engine, text

from level1_pipeline.lock_table import LockTable
from level1_pipeline.tracking import Place, Tracker

START = datetime(2026, 1, 5, tzinfo=UTC)


def main() -> int:
    """0 if every process opened every store."""
    options = parser(
        __doc__, trials=(20, "fresh stores"), processes=(4, "processes that open one")
    ).parse_args()
    failures, slowest = [], 0.0
    for trial in range(options.trials):
        folder = Path(tempfile.mkdtemp(prefix="fresh-"))
        why, seconds = timed(lambda folder=folder: open_together(folder / "store", options.processes))
        slowest = max(slowest, seconds)
        if why:
            failures.append(f"trial {trial}: {why}")
            note(failures[-1])
        shutil.rmtree(folder)
    rows = [{"trials": options.trials, "processes": options.processes, "slowest": f"{slowest} s"}]
    show("fresh", [*rows, {"failed": failures}], options.out)
    print(f"{len(failures)} failures")
    return bool(failures)


def open_together(store: Path, count: int) -> str:
    """What went wrong, "" if nothing did."""
    forking = multiprocessing.get_context("fork")
    barrier = forking.Barrier(count)
    processes = [forking.Process(target=open_store, args=(store, barrier)) for _ in range(count)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    codes = [process.exitcode for process in processes]
    if any(codes):
        return f"exit codes {codes}"
    found = counts(store)
    return "" if found == (count, 1) else f"(runs, experiments named level1) = {found}"


def open_store(store: Path, barrier: Barrier) -> None:
    """What a run does first, in a process of its own."""
    barrier.wait()
    LockTable(store, None, None).read()
    tracker = Tracker(Place(store), "fresh", START)
    tracker.begin()
    tracker.abandoned()


def counts(store: Path) -> tuple[int, int]:
    """Runs in the store's database, and experiments of our name."""
    with create_engine(f"sqlite:///{store / 'mlflow.db'}").connect() as connection:
        runs = connection.execute(text("SELECT count(*) FROM runs")).scalar_one()
        named = "SELECT count(*) FROM experiments WHERE name = 'level1'"
        return int(runs), int(connection.execute(text(named)).scalar_one())


if __name__ == "__main__":
    sys.exit(main())
