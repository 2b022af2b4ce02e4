"""Exchanges the release a hundred times under load; every fifth is a bad one, which must not come to serve.

Clients post rows of every segment without pause. What each good release answers to each request was learnt
by asking it alone: an answer must be, number by number, that of the release it names, and that release
must be one that was pointed at or the one before. Bad ones are every kind of damage to files and pointer that
tests/drills/releases.py knows; after each the good one before goes on.

Examples:
  python tests/drills/serving_reload.py --store .store/level1
  python tests/drills/serving_reload.py --reloads 10 --requests 2000
"""

import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import msgspec
from crowd import Crowd
from figures import ROOT, note, parser, show
from releases import FAULTS, Shop, open_shop
from samples import rows_body, series_body, snapshot_of, told_by
from service import LONGEST, Server, service
from wire import Answer, Line, request

LOG_RATIOS = {"red": 0.9, "green": 1.1, "blue": 1.2}  # good releases, and what their log ratios are times
BAD_EVERY = 5
ROWS = (1, 8, 24)  # of the requests
REFUSED = b'demand_reloads_total{outcome="refused"} '
Numbers = list[list[float | None]]


def main() -> int:
    """0 if nothing failed, nothing was mixed, and each release came to serve, the bad ones never."""
    made = parser(__doc__, reloads=(100, "reloads"), requests=(50_000, "requests at least"))
    made.add_argument(
        "--store", type=Path, default=ROOT / ".store" / "level1", help="trained [.store/level1]"
    )
    options = made.parse_args()
    with tempfile.TemporaryDirectory(prefix="reload-") as name:
        shop = open_shop(options.store, Path(name) / "store")
        for version, scale in LOG_RATIOS.items():
            shop.derive(version, scale=scale)
        requests, expected = learn(shop)
        with service(shop.store) as server, Crowd(server.port, requests, _judge(expected)) as crowd:
            slowest, wrong = exchange(shop, server, crowd, (options.reloads, options.requests))
        seen = crowd.total()
    row: dict[str, Any] = {
        "reloads": options.reloads,
        "bad": options.reloads // BAD_EVERY,
        "requests": seen.asked,
        "failed": seen.failed,
        "mixed": seen.verdicts["mixed"],
        "slowest_ms": round(seen.slowest * 1e3, 1),
        "slowest_reload_s": round(slowest, 2),
        "wrong": wrong,
    }
    show("serving-reload", [row, *({"example": each} for each in seen.examples)], options.out)
    return bool(seen.failed or wrong)


def learn(shop: Shop) -> tuple[list[bytes], dict[str, list[Numbers]]]:
    """The requests, and what each release answers to each of them, asked alone."""
    snapshot = snapshot_of(shop.store)
    expected: dict[str, list[Numbers]] = {}
    requests: list[bytes] = []
    for version in LOG_RATIOS:
        shop.use(version)
        with service(shop.store, "--no-capture") as server, Line(server.port) as line:
            if not requests:
                told = told_by(server.port)
                parts = [snapshot.iloc[i * len(snapshot) // 40 :: 97].iloc[: ROWS[i % 3]] for i in range(40)]
                bodies = [("/v1/score", rows_body(each, told)) for each in parts]
                bodies += [("/v1/forecast", series_body(each, weeks=True)) for each in parts]
                requests = [request("POST", path, body) for path, body in bodies]
            expected[version] = [_numbers(line.ask(each)) for each in requests]
    return requests, expected


def exchange(shop: Shop, server: Server, crowd: Crowd, goal: tuple[int, int]) -> tuple[float, list[str]]:
    """Points at one release after the other; the slowest reload in seconds, and what went wrong."""
    reloads, requests = goal
    slowest, wrong = 0.0, []
    serving, kinds = list(LOG_RATIOS)[-1], list(FAULTS)
    for number in range(reloads):
        begin = time.monotonic()
        bad = number % BAD_EVERY == BAD_EVERY - 1
        if bad:
            refused = _refused(server)
            kind = kinds[number // BAD_EVERY % len(kinds)]
            shop.spoil(kind, f"bad-{number}")
            done = _wait(lambda refused=refused: _refused(server) > refused)
        else:
            serving = list(LOG_RATIOS)[number % len(LOG_RATIOS)]
            shop.use(serving)
            done = _wait(lambda wanted=serving: told_by(server.port)["release"] == wanted)
            slowest = max(slowest, time.monotonic() - begin)
        found = told_by(server.port)["release"]
        if not done or found != serving:
            wrong.append(f"{number}: {kind if bad else 'good'}, expected {serving}, {found} serves")
        _wait(lambda wanted=requests * (number + 1) // reloads: crowd.asked() >= wanted)
        note(f"{number + 1} reloads, {crowd.asked():,} requests")
    return slowest, wrong


def _judge(expected: dict[str, list[Numbers]]) -> Any:
    """Tells "" for an answer that is one release's, whole; "mixed" for numbers of another than it names."""

    def judge(number: int, answer: Answer) -> str:
        if answer.status != 200:
            return f"status {answer.status}"
        content = msgspec.json.decode(answer.body)
        own = [row["model_version"] for row in content["forecasts"] if row["source"] == "champion"]
        one = set(own) <= {content["release"]}
        good = content["release"] in expected and _numbers(answer) == expected[content["release"]][number]
        return "" if one and good else "mixed"

    return judge


def _numbers(answer: Answer) -> Numbers:
    return [
        [row["units"], row["lower"], row["upper"]] for row in msgspec.json.decode(answer.body)["forecasts"]
    ]


def _refused(server: Server) -> int:
    """How many releases the service has refused."""
    with Line(server.port) as line:
        text = line.ask(request("GET", "/metrics")).body
    return int(float(text.partition(REFUSED)[2].split(b"\n")[0])) if REFUSED in text else 0


def _wait(condition: Any) -> bool:
    """Whether the condition came to hold in time."""
    end = time.monotonic() + LONGEST
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


if __name__ == "__main__":
    sys.exit(main())
