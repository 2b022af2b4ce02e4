"""Throws mutated requests at a running service, and then what schemathesis makes of its OpenAPI document.

The first part sends nearly valid HTTP over plain sockets: values that are no JSON or no numbers, lone
surrogates, deep nesting, huge integers, wrong lengths, odd methods, paths and headers. The second asks
schemathesis, with all of its checks. No answer may be a 5xx (503 says overload and is counted), echo its
input, show a trace or take more than a second; afterwards the service must answer as before, with less than a
tenth more memory than after the first twentieth of the requests.

Examples:
  python tests/fuzz/fuzz.py --store .store/level1
  python tests/fuzz/fuzz.py --requests 2000 --cases 0 --seed 7
"""

import argparse
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "tests" / "drills"))
from bombard import Tally, bombard  # noqa: E402
from cases import run_cases  # noqa: E402
from figures import note, show  # noqa: E402
from mutator import Mutator  # noqa: E402
from releases import open_shop  # noqa: E402
from samples import samples  # noqa: E402
from service import Server, of_environment  # noqa: E402
from wire import Line  # noqa: E402

from level2_cicd.serving.auth import new_token  # noqa: E402

ENVIRONMENT = "prod"  # it requires tokens, as the document says
GROWTH = 1.10
FEW = 20_000  # requests below which growth says nothing: the first of each kind fill caches
SHOWN = 10  # faults of each kind


def main() -> int:
    """0 if there was no fault."""
    options = _options()
    with tempfile.TemporaryDirectory(prefix="fuzz-") as name:
        root = Path(name)
        shop = open_shop(options.store, root / ENVIRONMENT)
        _, token = new_token(shop.store, ENVIRONMENT)
        with of_environment(root, ENVIRONMENT) as server:
            requests = samples(shop.store, server.port, token)
            tally, memory = throw(server, Mutator(requests, options.seed), options.requests)
            faults = tally.faults + judge(server, requests, tally, memory)
            row: dict[str, Any] = {
                "requests": options.requests,
                "answered": tally.answered,
                "statuses": dict(sorted(tally.statuses.items())),
                "silent": tally.silent,
                "slowest_ms": round(tally.worst * 1e3, 1),
                "memory_mb": [round(each, 1) for each in memory],
                "faults": len(faults),
            }
            rows = [row]
            if options.cases:
                cases, broken = run_cases(server.port, token, options.cases, options.seed)
                rows.append({"cases": cases, "faults": len(broken)})
                faults += broken
        if faults:
            note(server.said())
    for fault in faults[:SHOWN]:
        print(fault)
    show("fuzz", rows, options.out)
    print(f"{len(faults)} faults")
    return bool(faults)


def throw(server: Server, mutator: Mutator, requests: int) -> tuple[Tally, list[float]]:
    """What came of the requests, and megabytes after a twentieth of them and at the end."""
    memory: list[float] = []

    def watch(done: int) -> None:
        if not memory and done * 20 >= requests:
            memory.append(server.rss_mb())
        if done % 10_000 == 0:
            note(f"{done:,} requests")

    tally = bombard(server.port, mutator, requests, watch)
    return tally, [*memory, server.rss_mb()]


def judge(server: Server, requests: list[bytes], tally: Tally, memory: list[float]) -> list[str]:
    """What is wrong with the service after all."""
    faults = []
    with Line(server.port) as line:
        for each in requests:
            if (status := line.ask(each).status) != 200:
                faults.append(f"afterwards {each[:60]!r} is answered by {status}")
    if tally.answered >= FEW and memory[-1] > GROWTH * memory[0]:
        faults.append(f"memory grew from {memory[0]:.1f} to {memory[-1]:.1f} MB")
    if "Traceback" in server.log.read_text(errors="replace"):
        faults.append("the service's log has a trace")
    return faults


def _options() -> argparse.Namespace:
    made = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument(
        "--store", type=Path, default=ROOT / ".store" / "level1", help="trained [.store/level1]"
    )
    made.add_argument("--out", type=Path, default=ROOT / "build", help="folder of the figures [build]")
    made.add_argument("--requests", type=int, default=100_000, help="mutated requests [100000]")
    made.add_argument("--cases", type=int, default=1_000, help="cases of schemathesis, at least [1000]")
    made.add_argument("--seed", type=int, default=20_260_615, help="of both [20260615]")
    return made.parse_args()


if __name__ == "__main__":
    sys.exit(main())
