"""Fills the disk under training runs, at every file that a run writes.

A store has a model in use. Then runs with other settings are started one after the other; each finds the disk
full at the first file at which none before did, until one goes through. Each must end with exit code 5 and
name that file and its bytes, and the model, report and record in use must stay what they were until the whole
release is there.

Example: python tests/drills/disk.py
"""

import errno
import os
import re
import sys
import tempfile
from functools import partial
from pathlib import Path
from typing import Any

from commands import Command
from figures import SMALL, TINY, note, parser, show

from level1_pipeline.store import sha256_of

LONGEST = 600.0
PUBLISHED, FULL = (0, 7), 5
TOLD = re.compile(r"Error: (\S.*): expected room for ([\d,]+) bytes; got No space left on device")


def main() -> int:
    """0 if every full disk was told by file and bytes, and left what was in use."""
    options = parser(__doc__).parse_args()
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory(prefix="disk-", ignore_cleanup_errors=True) as name:
        store, failed = Path(name) / "store", Path(name) / "failed"
        failed.touch()
        if train(store).wait(LONGEST) not in PUBLISHED:
            raise SystemExit("the first run failed")
        before = in_use(store)
        while True:
            run = train(store, "--set=training.stride=5", trap=partial(fill, failed))
            code = run.wait(LONGEST)
            if code in PUBLISHED:
                break
            rows.append(judge(run, code, failed, (before, in_use(store))))
            note(str(rows[-1]))
    show("disk", rows, options.out)
    good = sum(row["good"] for row in rows)
    print(f"{good} of {len(rows)} files: told by path and bytes, and what was in use stayed")
    return good != len(rows) or not rows


def train(store: Path, *more: str, trap: Any = None) -> Command:
    """A training into the store, without tracking: MLflow's database has files of its own."""
    options = ["train", "--data", str(TINY), "--env-dir", str(store), "--quiet", "--no-tracking", *SMALL]
    return Command([*options, *more], store.with_name("log"), trap)


def judge(
    run: Command, code: int | None, failed: Path, found: tuple[dict[str, str], dict[str, str]]
) -> dict[str, Any]:
    """What came of one full disk."""
    before, after = found
    last = Path(failed.read_text().splitlines()[-1])
    told = TOLD.findall(run.said())
    named = bool(told) and Path(told[-1][0]).name == last.name
    # The pointer is replaced by its own write alone; report and record follow it.
    stayed = after == before or after["current.json"] != before["current.json"]
    row = {"file": last.name, "code": code, "bytes": told[-1][1] if told else "not told", "stayed": stayed}
    good = code == FULL and named and stayed
    return {**row, "good": good, **({} if good else {"said": run.said()})}


def in_use(store: Path) -> dict[str, str]:
    """sha256 of what a store shows."""
    return {name: sha256_of(store / name) for name in ("current.json", "report.csv", "run.json")}


def fill(failed: Path) -> None:
    """Lets the first file be refused whose name is not in `failed` yet, and adds it there."""
    sync = os.fsync

    def refuse(handle: int) -> None:
        part = Path(f"/proc/self/fd/{handle}").readlink()  # .name.random.part
        name = re.sub(r"\.(.+)\.\w+\.part$", r"\1", part.name)
        if name not in failed.read_text().splitlines():
            with failed.open("a") as written:
                written.write(f"{name}\n")
            raise OSError(errno.ENOSPC, "No space left on device")
        sync(handle)

    os.fsync = refuse


if __name__ == "__main__":
    sys.exit(main())
