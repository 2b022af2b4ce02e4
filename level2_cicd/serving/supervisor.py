"""Several serving processes on one socket: kept alive, and exchanged one after the other on SIGHUP.

The socket is opened once, here, and handed to every worker: while one ends, the others take the connections
that wait on it, which a socket for each worker (SO_REUSEPORT) would lose. No model is loaded here.
"""

import os
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass

WATCHED = {signal.SIGHUP, signal.SIGTERM, signal.SIGINT, signal.SIGCHLD}
START_SECONDS = 60.0  # in which a worker must be ready
STOP_SECONDS = 30.0  # in which it must have ended, or it is killed
AGAIN_SECONDS = 1.0  # before a worker that died is started again
FAILED = 1


class StartFailed(Exception):
    """A worker ended before it was ready; `code` is its exit code."""

    def __init__(self, code: int) -> None:
        super().__init__(f"a worker ended with {code} before it was ready")
        self.code = code


@dataclass(frozen=True)
class Plan:
    """How workers are started: arguments of `serving.run`, environment variables, socket, and how many."""

    arguments: list[str]
    environment: Mapping[str, str]
    sock: socket.socket
    workers: int


def supervise(plan: Plan) -> int:
    """The exit code when all workers have ended: 0 after SIGTERM or SIGINT, else that of a failed start."""
    signal.pthread_sigmask(signal.SIG_BLOCK, WATCHED)
    workers: list[subprocess.Popen[bytes]] = []
    try:
        for _ in range(plan.workers):
            workers.append(start(plan))
        while True:
            match signal.sigwait(WATCHED):
                case signal.SIGHUP:
                    _exchange(plan, workers)
                case signal.SIGCHLD:
                    _revive(plan, workers)
                case _:
                    return 0
    except StartFailed as error:
        return error.code or FAILED
    finally:
        stop(workers)


def start(plan: Plan) -> "subprocess.Popen[bytes]":
    """A worker that answers requests; raises StartFailed where it does not come to that."""
    read, write = os.pipe()
    try:
        order = ["--fd", str(plan.sock.fileno()), "--ready-fd", str(write)]
        command = [sys.executable, "-m", "level2_cicd.serving.run", *plan.arguments, *order]
        worker = subprocess.Popen(command, env=dict(plan.environment), pass_fds=(plan.sock.fileno(), write))
    finally:
        os.close(write)
    try:  # readable when it is ready, or when it is gone and the pipe ends
        told = select.select([read], [], [], START_SECONDS)[0] and os.read(read, 1)
    finally:
        os.close(read)
    if not told:
        stop([worker])
        raise StartFailed(worker.returncode)
    return worker


def stop(workers: list["subprocess.Popen[bytes]"]) -> None:
    """Ends workers, each with its last answers given."""
    for worker in workers:
        worker.terminate()
    for worker in workers:
        try:
            worker.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            worker.kill()
            worker.wait()


def _exchange(plan: Plan, workers: list["subprocess.Popen[bytes]"]) -> None:
    """Puts a new worker in the place of each, and lets the old one end only when the new one answers."""
    for place, old in enumerate(workers):
        try:
            workers[place] = start(plan)
        except StartFailed as error:
            print(f"the old worker goes on: {error}", file=sys.stderr)
            continue
        stop([old])


def _revive(plan: Plan, workers: list["subprocess.Popen[bytes]"]) -> None:
    """Starts a worker anew for each that died by itself."""
    for place, worker in enumerate(workers):
        while worker.poll() is not None:
            print(f"a worker ended with {worker.returncode}; another one starts", file=sys.stderr)
            time.sleep(AGAIN_SECONDS)
            worker = workers[place] = start(plan)
