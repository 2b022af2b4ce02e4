"""Starts many runs on one store at the same moment, many times: one may work, all others must refuse.

Each start is a training command; all of a trial have one store. A trial has failed unless one command
trained and all others ended with exit code 6 and named the holder. With --lock-only the processes take the
lock alone, and the one that has it keeps it until all others have tried.

Example: python tests/drills/starts.py --trials 10 --starts 20
"""

import multiprocessing
import shutil
import sys
import tempfile
from collections import Counter
from multiprocessing.synchronize import Barrier
from pathlib import Path

from figures import SMALL, TINY, note, parser, show, timed

from level1_pipeline.lock import LockHeld, held

WORKED, REFUSED, UNNAMED = (0, 7), 6, -6  # exit codes; 7 if not every segment passed the gate
LONGEST = 600.0


def main() -> int:
    """0 if in every trial one start worked and all others refused."""
    made = parser(__doc__, trials=(10, "trials"), starts=(20, "starts at once in each"))
    made.add_argument("--lock-only", action="store_true", help="take the lock alone, and train nothing")
    options = made.parse_args()
    rows = []
    for trial in range(options.trials):
        store = Path(tempfile.mkdtemp(prefix="starts-")) / "store"
        start = take_locks if options.lock_only else run_commands
        codes, seconds = timed(lambda store=store, start=start: start(store, options.starts))
        rows.append({"trial": trial, "seconds": seconds, **told(codes)})
        note(str(rows[-1]))
        shutil.rmtree(store.parent)
    show("starts", rows, options.out)
    good = sum(row["worked"] == 1 and row["refused"] == options.starts - 1 for row in rows)
    print(f"{good} of {options.trials} trials: one worked, the others refused")
    return good != options.trials


def told(codes: list[int | None]) -> dict[str, object]:
    """How many worked and refused, and which exit codes came else."""
    count = Counter(codes)
    other = {str(code): number for code, number in count.items() if code not in (*WORKED, REFUSED)}
    return {"worked": sum(count[code] for code in WORKED), "refused": count[REFUSED], "other": other}


def run_commands(store: Path, starts: int) -> list[int | None]:
    """The exit codes of so many training commands; one that says 6 must name the holder."""
    from commands import Command  # imports the whole pipeline

    options = ["--data", str(TINY), "--env-dir", str(store), "--quiet", "--no-tracking", *SMALL]
    runs = [Command(["train", *options], store.with_name(f"log{start}")) for start in range(starts)]
    codes: list[int | None] = []
    for run in runs:
        code = run.wait(LONGEST)
        named = "holds its lock since" in run.said()
        codes.append(code if code != REFUSED or named else UNNAMED)
        if code not in (*WORKED, REFUSED):
            note(run.said())
    return codes


def take_locks(store: Path, starts: int) -> list[int | None]:
    """The exit codes of so many processes that only take the lock."""
    forking = multiprocessing.get_context("fork")
    begin, end = forking.Barrier(starts), forking.Barrier(starts)
    processes = [forking.Process(target=take_lock, args=(store, begin, end)) for _ in range(starts)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    return [process.exitcode for process in processes]


def take_lock(store: Path, begin: Barrier, end: Barrier) -> None:
    """Takes the lock and keeps it until all have tried; exits as the command line does."""
    begin.wait()
    try:
        with held(store):
            end.wait(120)
    except LockHeld:
        end.wait(120)
        sys.exit(REFUSED)


if __name__ == "__main__":
    sys.exit(main())
