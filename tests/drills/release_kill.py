"""Kills releases and lets the same command go on: one promotion, the same forecasts, nothing half-written.

A release is killed by SIGKILL, with every process it started, at moments spread over its length: while it
installs its package, trains, validates, promotes and publishes. Then the same command runs to its end. The
ledger must have one row each for registered, promoted and scored; pointer, forecasts and notes must follow
it; forecasts must equal those of a release that nobody killed; `audit verify` must find nothing.

The data are the tiny set cut to one region and its last weeks. Change no code meanwhile.

Example:
  python tests/drills/release_kill.py --moments 50
"""

import argparse
import random
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

from figures import note, parser, show
from release_bench import PUBLISHED, Bench, contents, faults, prepared, row_of, waited

SHORTEST = 0.2  # seconds after which a kill comes at the earliest


def main() -> int:
    """0 if every killed release was ended by the next."""
    options = arguments()
    with tempfile.TemporaryDirectory(prefix="release-kill-", ignore_cleanup_errors=True) as name:
        bench = prepared(Path(name), options.data)
        code, seconds = waited(bench.release(bench.folder / "unharmed"))
        found = bench.environment(bench.folder / "unharmed")
        wrong = faults(found, None) if code in PUBLISHED else [f"exit code {code}"]
        if wrong:
            raise SystemExit(
                f"the unharmed release failed: {wrong}\n{bench.release(found.store.parent).said()}"
            )
        note(f"a release takes {seconds:.1f} s; {options.moments} kills")
        expected, draw = contents(found), random.Random(options.seed)
        rows = []
        for number in range(options.moments):
            after = max(SHORTEST, (number + draw.random()) / options.moments * seconds)
            rows.append(drill(bench, number, after, expected))
            note(str(rows[-1]))
    show("release_kill", [row for row in rows if not row["good"]] or rows, options.out)
    good, killed = (sum(bool(row[key]) for row in rows) for key in ("good", "killed"))
    print(f"{killed} of {len(rows)} releases were killed; {good} were ended as if nobody had killed them")
    return good != len(rows)


def arguments() -> argparse.Namespace:
    """The options."""
    made = parser(
        __doc__,
        moments=(50, "kills at moments spread over a release"),
        seed=(1, "of the random moments"),
    )
    made.add_argument("--data", default="tiny", help="tiny, or a raw folder [tiny]")
    return made.parse_args()


def drill(bench: Bench, number: int, after: float, expected: str) -> dict[str, Any]:
    """What came of one kill."""
    root = bench.folder / f"store{number}"
    release = bench.release(root)
    release.wait(after)
    killed = release.kill()
    again = bench.release(root)
    code = again.wait()
    wrong = faults(bench.environment(root), expected) if code in PUBLISHED else [f"exit code {code}"]
    if wrong:
        note(again.said())
    else:
        shutil.rmtree(root)
    return row_of(f"killed after {after:.1f} s", wrong, killed=killed)


if __name__ == "__main__":
    sys.exit(main())
