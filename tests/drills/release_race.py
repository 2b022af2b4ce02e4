"""Starts releases of one package at once: one does the work, the others are told, one promotion is entered.

Afterwards the same command is given once more: it must say that everything is done and enter nothing.

Example:
  python tests/drills/release_race.py --starts 20 --trials 3
"""

import argparse
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

from figures import note, parser, show
from release_bench import PUBLISHED, Bench, faults, prepared, row_of

REFUSED = 6


def main() -> int:
    """0 if every race had one promotion."""
    options = arguments()
    with tempfile.TemporaryDirectory(prefix="release-race-", ignore_cleanup_errors=True) as name:
        bench = prepared(Path(name), options.data)
        rows = []
        for trial in range(options.trials):
            rows.append(race(bench, trial, options.starts))
            note(str(rows[-1]))
    show("release_race", rows, options.out)
    good = sum(bool(row["good"]) for row in rows)
    print(f"{good} of {len(rows)} races of {options.starts} releases had one promotion")
    return good != len(rows)


def arguments() -> argparse.Namespace:
    """The options."""
    made = parser(__doc__, trials=(1, "races"), starts=(20, "releases at once"))
    made.add_argument("--data", default="tiny", help="tiny, or a raw folder [tiny]")
    return made.parse_args()


def race(bench: Bench, trial: int, starts: int) -> dict[str, Any]:
    """What came of one race; those that came late may have found everything done."""
    root = bench.folder / f"store{trial}"
    releases = [bench.release(root) for _ in range(starts)]
    codes = Counter(each.wait() for each in releases)
    again = bench.release(root)
    wrong = [] if again.wait() in PUBLISHED and "Everything is done" in again.said() else [again.said()]
    odd = {code: count for code, count in codes.items() if code not in (*PUBLISHED, REFUSED)}
    wrong += [f"exit codes {odd}"] * bool(odd)
    wrong += ["none of them worked"] * (not any(codes[code] for code in PUBLISHED))
    wrong += faults(bench.environment(root), None)
    worked = sum(codes[code] for code in PUBLISHED)
    return row_of(f"race {trial}", wrong, worked=worked, refused=codes[REFUSED])


if __name__ == "__main__":
    sys.exit(main())
