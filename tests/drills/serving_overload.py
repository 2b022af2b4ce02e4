"""Asks ten times as much as the service can answer for a minute, and looks at what it answers, and after.

The maximum is the best of some numbers of clients that ask without pause. Then ten times as many clients as
the largest of these ask without pause: the service takes what it can, and answers the others 503 with
Retry-After. Goodput is the answers of 200 a second. After the flood single requests are timed until twenty in
a row take no more than three times what they took before it.

Example: python tests/drills/serving_overload.py --store .store/level1 --seconds 60
"""

import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from figures import ROOT, note, parser, show
from releases import open_shop
from samples import series_body, snapshot_of
from service import service
from wire import Line, request

sys.path.insert(0, str(ROOT / "tests" / "benchmarks"))
from wrk import Load, run_wrk

PATH = "/v1/forecast"
CLIENTS = (16, 64, 256)
TIMES = 10
LEAST_SHARE, MOST_SECONDS = 0.8, 5.0
ALIKE, IN_A_ROW = 3.0, 20
LONGEST = 60.0


def main() -> int:
    """0 if goodput under overload, and the time until all is as before, are as promised."""
    made = parser(__doc__, seconds=(60, "seconds of overload"), rows=(100, "forecast rows a request"))
    made.add_argument(
        "--store", type=Path, default=ROOT / ".store" / "level1", help="trained [.store/level1]"
    )
    options = made.parse_args()
    with tempfile.TemporaryDirectory(prefix="overload-") as name:
        shop = open_shop(options.store, Path(name) / "store")
        snapshot = snapshot_of(shop.store)
        parts = [snapshot.iloc[start : start + options.rows] for start in range(0, 150, 8)]
        bodies = [series_body(part) for part in parts]
        with service(shop.store) as server:
            url = f"http://127.0.0.1:{server.port}{PATH}"
            loads = [Load(url, bodies, {}, clients) for clients in (*CLIENTS, TIMES * CLIENTS[-1])]
            before = statistics.median(times(server.port, bodies[0], 100))
            calm = [run_wrk(load, max(2, options.seconds // 10)) for load in loads[:-1]]
            memory = server.rss_mb()
            note(f"calm: {[round(each.per_second) for each in calm]} requests/s")
            flood = run_wrk(loads[-1], options.seconds)
            recovered = recover(server.port, bodies[0], ALIKE * before)
            memory = server.rss_mb() / memory
    best = max(each.per_second for each in calm)
    row: dict[str, Any] = {
        "maximum_per_second": round(best, 1),
        "offered_per_second": round(flood.requests / flood.seconds, 1),
        "goodput_per_second": round(flood.per_second, 1),
        "share": round(flood.per_second / best, 3),
        "refused": flood.refused,
        "broken": flood.broken,
        "p99_ms": round(flood.p99_ms, 1),
        "normal_after_s": round(recovered, 2),
        "memory_ratio": round(memory, 2),
    }
    show("serving-overload", [row], options.out)
    return not (row["share"] >= LEAST_SHARE and recovered <= MOST_SECONDS)


def times(port: int, body: bytes, count: int) -> list[float]:
    """Seconds of so many single requests, one after the other."""
    found = []
    with Line(port, LONGEST) as line:
        for _ in range(count):
            begin = time.monotonic()
            answer = line.ask(request("POST", PATH, body))
            found.append(time.monotonic() - begin if answer.status == 200 else LONGEST)
    return found


def recover(port: int, body: bytes, limit: float) -> float:
    """Seconds until twenty requests in a row are answered within `limit` seconds each."""
    begin = time.monotonic()
    good, since = 0, begin
    while good < IN_A_ROW and time.monotonic() - begin < LONGEST:
        asked = time.monotonic()
        good, since = (good + 1, since) if times(port, body, 1)[0] <= limit else (0, time.monotonic())
        if good == 1:
            since = asked
    return since - begin if good >= IN_A_ROW else LONGEST


if __name__ == "__main__":
    sys.exit(main())
