"""Exchanges both of two workers twenty times under load, one after the other, as SIGHUP asks for.

Clients keep their connections and ask without pause. A connection may be closed between two requests, and
the client then opens another; no request may be refused, cut off or lost. At the end SIGTERM stops the
service under load: it must end with exit code 0, and every request that it took must have been answered.

Example: python tests/drills/serving_restart.py --store .store/level1 --restarts 20
"""

import signal
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from crowd import LOST, Crowd
from figures import ROOT, note, parser, show
from releases import open_shop
from samples import rows_body, series_body, snapshot_of, told_by
from service import LONGEST, Server, service
from wire import Answer, request

WORKERS = 2


def main() -> int:
    """0 if no request failed and every worker was exchanged each time."""
    made = parser(__doc__, restarts=(20, "restarts of all workers"))
    made.add_argument(
        "--store", type=Path, default=ROOT / ".store" / "level1", help="trained [.store/level1]"
    )
    options = made.parse_args()
    with tempfile.TemporaryDirectory(prefix="restart-") as name:
        shop = open_shop(options.store, Path(name) / "store")
        server = service(shop.store, workers=WORKERS)
        with server:
            requests = requests_of(shop.store, server.port)
            with Crowd(server.port, requests, judge) as crowd:
                seconds = [restart(server) for _ in range(options.restarts)]
            seen = crowd.total()
            code, ended = stop_under_load(server, requests)
    row: dict[str, Any] = {
        "restarts": options.restarts,
        "requests": seen.asked,
        "failed": seen.failed,
        "slowest_ms": round(seen.slowest * 1e3, 1),
        "slowest_restart_s": round(max(seconds), 1),
        "exit": code,
        "failed_at_the_end": ended,
    }
    show("serving-restart", [row, *({"example": each} for each in seen.examples)], options.out)
    return bool(seen.failed or ended or code)


def restart(server: Server) -> float:
    """Seconds until every worker is another one."""
    before = _workers(server)
    begin = time.monotonic()
    server.send(signal.SIGHUP)
    while before & (now := _workers(server)) or len(now) != WORKERS:
        if time.monotonic() - begin > LONGEST:
            raise SystemExit(f"the workers {before} are not exchanged: {now}\n{server.said()}")
        time.sleep(0.05)
    note(f"{sorted(before)} -> {sorted(now)}")
    return time.monotonic() - begin


def stop_under_load(server: Server, requests: list[bytes]) -> tuple[int, int]:
    """The exit code after SIGTERM, and the requests that were taken and not answered.

    A connection that is refused, or reset before the service read from it, was not taken.
    """
    with Crowd(server.port, requests, judge) as crowd:
        while crowd.asked() < 100:
            time.sleep(0.01)
        code = server.stop()
    verdicts = crowd.total().verdicts
    return code, sum(verdicts.values()) - verdicts[""] - verdicts[LOST]


def judge(_: int, answer: Answer) -> str:
    """Tells "" for an answer."""
    return "" if answer.status == 200 and answer.body.startswith(b'{"release"') else f"status {answer.status}"


def requests_of(store: Path, port: int) -> list[bytes]:
    """Requests of one and of thirty rows."""
    snapshot, told = snapshot_of(store), told_by(port)
    parts = [snapshot.iloc[start : start + rows] for start in range(0, 120, 4) for rows in (1, 30)]
    bodies = [("/v1/score", rows_body(each, told)) for each in parts]
    return [request("POST", path, body) for path, body in [*bodies, ("/v1/forecast", series_body(parts[1]))]]


def _workers(server: Server) -> set[int]:
    return {each.pid for each in server.processes()[1:]}


if __name__ == "__main__":
    sys.exit(main())
