"""Runs the service as a person does, in processes of its own, on a free port and a store of its own."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import psutil
from figures import ROOT
from wire import Line, request

LONGEST = 60.0  # seconds that a start or a stop may take
MEGABYTE = 1 << 20


def free_port() -> int:
    """A port of this machine on which nobody listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


class Server:
    """A command that serves HTTP on a port; `ready` is a path that answers 200 when it can be used."""

    def __init__(self, command: Sequence[str], port: int, log: Path, ready: str) -> None:
        self.command, self.port, self.log, self.ready = list(command), port, log, ready
        self.start_seconds = 0.0
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Starts it, and comes back when it is ready; notes the seconds from start to ready."""
        environment = {
            **os.environ,
            "OMP_NUM_THREADS": "1",
            "PATH": os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"])),  # has uvicorn
            "MLFLOW_UV_AUTO_DETECT": "false",
        }
        begin = time.monotonic()
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                self.command, cwd=ROOT, stdout=log, stderr=log, env=environment, start_new_session=True
            )
        while not self.is_ready():
            if self._process.poll() is not None or time.monotonic() - begin > LONGEST:
                self.stop()
                raise SystemExit(f"{self.command}: not ready\n{self.said()}")
            time.sleep(0.01)
        self.start_seconds = time.monotonic() - begin

    def is_ready(self) -> bool:
        """Whether it answers 200."""
        try:
            with Line(self.port, 2.0) as line:
                return line.ask(request("GET", self.ready)).status == 200
        except OSError:
            return False

    def stop(self, how: signal.Signals = signal.SIGTERM) -> int:
        """Asks it to end, and its children after a while; its exit code."""
        if self._process is None:
            return 0
        process, self._process = self._process, None
        process.send_signal(how)
        try:
            return process.wait(LONGEST)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            return process.wait()

    def send(self, which: signal.Signals) -> None:
        """Sends the first process a signal."""
        os.kill(self.pid, which)

    @property
    def pid(self) -> int:
        """The first process."""
        assert self._process is not None
        return self._process.pid

    def processes(self) -> list[psutil.Process]:
        """The first process and all that it started."""
        first = psutil.Process(self.pid)
        return [first, *first.children(recursive=True)]

    def rss_mb(self) -> float:
        """Megabytes resident in the largest of its processes, which is the one that answers."""
        return max(each.memory_info().rss for each in self.processes()) / MEGABYTE

    def said(self) -> str:
        """The end of what it printed."""
        return self.log.read_text(errors="replace")[-3000:]


def service(store: Path, *more: object, workers: int = 1, port: int | None = None) -> Server:
    """`python -m level2_cicd serve` on a store; it needs no token unless `more` says so."""
    return _serve(["--store", store, "--workers", workers, *more], port or free_port(), store)


def of_environment(root: Path, environment: str) -> Server:
    """`python -m level2_cicd serve` on an environment whose store is below `root`."""
    return _serve(["--env", environment, "--root", root], free_port(), root / environment)


def _serve(options: Sequence[object], port: int, store: Path) -> Server:
    command = [sys.executable, "-m", "level2_cicd", "serve", "--port", port, *options]
    return Server(list(map(str, command)), port, store.with_name(f"{store.name}.log"), "/readyz")
