"""Kills a real tracking server under training runs: once it comes back, once it is gone for good.

Back: a run tracks to `mlflow server`, which is killed when the run begins to register, and is started again
so that it answers within 30 seconds. The run must end as if nothing had happened: one parent run, a child per
segment, one registered version, nothing twice and nothing open.

Gone: the server is killed at the same moment and stays away. The command must end with exit code 5 within 60
seconds from then on and say that what was done is kept; when the server is back, the same command must go on
to the same outcome, and training must not be done again.

Example: python tests/drills/server.py --trials 3
"""

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from commands import Command
from figures import SMALL, TINY, note, parser, show
from sqlalchemy import create_engine, text

from level1_pipeline.stages import Recorder

AWAY = 20.0  # seconds for which the server that comes back is away, before it starts
LONGEST = 600.0
TOLD = 60.0  # seconds within which a server that is gone must be told
PUBLISHED, DOWN = (0, 7), 5
# The store keeps no database of its own where a server tracks.
COUNTS = {
    "runs": "SELECT count(*) FROM runs WHERE lifecycle_stage = 'active'",
    "names": "SELECT count(DISTINCT name) FROM runs WHERE lifecycle_stage = 'active'",
    "open": "SELECT count(*) FROM runs WHERE status = 'RUNNING'",
    "versions": "SELECT count(*) FROM model_versions",
}


class Server:
    """`mlflow server` on a port and database of its own."""

    def __init__(self, folder: Path) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.folder = folder
        self.address = f"http://127.0.0.1:{self.port}"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Starts it; it answers some seconds later."""
        command = [sys.executable, "-m", "mlflow", "server", "--port", str(self.port), "--workers", "1"]
        places = ["--backend-store-uri", f"sqlite:///{self.folder}/server.db"]
        files = ["--artifacts-destination", str(self.folder / "artifacts")]
        environment = {**os.environ, "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
        with (self.folder / "server.log").open("ab") as log:
            self.process = subprocess.Popen(
                [*command, *places, *files], start_new_session=True, env=environment, stdout=log, stderr=log
            )

    def wait(self) -> None:
        """Returns when it answers."""
        while True:
            try:
                urllib.request.urlopen(f"{self.address}/health", timeout=2).close()
            except OSError:
                time.sleep(0.1)
            else:
                return

    def kill(self) -> None:
        """Kills it and its workers."""
        if self.process is not None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
            self.process = None

    def counts(self) -> dict[str, int]:
        """What its database holds."""
        with create_engine(f"sqlite:///{self.folder}/server.db").connect() as connection:
            return {name: int(connection.execute(text(query)).scalar_one()) for name, query in COUNTS.items()}


def main() -> int:
    """0 if nothing was lost and everything told in time."""
    options = parser(__doc__, trials=(3, "trials of each kind")).parse_args()
    rows = []
    for trial in range(options.trials):
        for kind, drill in (("back", back), ("gone", gone)):
            with tempfile.TemporaryDirectory(prefix="server-", ignore_cleanup_errors=True) as name:
                rows.append({"trial": trial, "kind": kind, **on_a_server(Path(name), drill)})
            note(str(rows[-1]))
    show("server", rows, options.out)
    good = sum(row["good"] for row in rows)
    print(f"{good} of {len(rows)} trials: nothing lost, told in time")
    return good != len(rows)


def on_a_server(folder: Path, drill: Any) -> dict[str, Any]:
    """What a drill gives on a server of its own."""
    server = Server(folder)
    server.start()
    server.wait()
    try:
        return drill(server, folder)
    finally:
        server.kill()


def back(server: Server, folder: Path) -> dict[str, Any]:
    """The server is away for a while in the middle of registering."""
    run = train(server, folder, mark=True)
    away = kill_when_registering(server, folder, run)
    time.sleep(max(0.0, AWAY - 12.0))  # of the 30 seconds, starting takes up to half
    server.start()
    server.wait()
    away = time.monotonic() - away
    code = run.wait(LONGEST)
    found = server.counts()
    good = code in PUBLISHED and whole(folder, found)
    return {"away": round(away, 1), "code": code, **found, "good": good, **said(run, good)}


def gone(server: Server, folder: Path) -> dict[str, Any]:
    """The server stays away; later the same command is run again."""
    run = train(server, folder, mark=True)
    since = kill_when_registering(server, folder, run)
    code = run.wait(LONGEST)
    seconds = round(time.monotonic() - since, 1)
    kept = "What was done is kept" in run.said()
    published = (folder / "store" / "current.json").exists()
    server.start()
    server.wait()
    again = train(server, folder, mark=False)
    begin = time.monotonic()
    code_again = again.wait(LONGEST)
    found = server.counts()
    good = code == DOWN and seconds <= TOLD and kept and not published
    good = good and code_again in PUBLISHED and whole(folder, found)
    row = {"told_after": seconds, "code": code, "resumed_in": round(time.monotonic() - begin, 1)}
    return {**row, "code_again": code_again, **found, "good": good, **said(again if kept else run, good)}


def whole(folder: Path, found: dict[str, int]) -> bool:
    """Whether the server holds each run once, none open, one version; and the store the run's record."""
    record = json.loads((folder / "store" / "run.json").read_bytes())
    trained = 1 + len([each for each in record["segments"] if each["verdict"] != "no data"])
    return found == {"runs": trained, "names": trained, "open": 0, "versions": 1}


def said(run: Command, good: bool) -> dict[str, str]:
    """What the command printed, where something is wrong."""
    return {} if good else {"said": run.said()}


def train(server: Server, folder: Path, *, mark: bool) -> Command:
    """A training that tracks to the server; with a mark, it leaves a file when it begins to register."""
    options = ["train", "--data", str(TINY), "--env-dir", str(folder / "store"), "--quiet", *SMALL]
    before = partial(mark_register, folder / "registering") if mark else None
    return Command([*options, "--tracking-uri", server.address], folder / "train.log", before)


def mark_register(file: Path) -> None:
    """Lets the stage `register` leave a file when it begins."""
    stage_of = Recorder.stage

    @contextmanager
    def stage(self: Recorder, name: str, **parameters: Any) -> Any:
        if name == "register":
            file.touch()
        with stage_of(self, name, **parameters) as found:
            yield found

    Recorder.stage = stage  # type: ignore[method-assign]


def kill_when_registering(server: Server, folder: Path, run: Command) -> float:
    """Kills the server soon after the run began to register; the moment by the monotonic clock."""
    while not (folder / "registering").exists() and not run.ended():
        time.sleep(0.005)
    time.sleep(0.1)
    server.kill()
    return time.monotonic()


if __name__ == "__main__":
    sys.exit(main())
