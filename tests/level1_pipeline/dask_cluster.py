"""A Dask scheduler and its workers, processes that talk TCP, and a job that kills the worker it is on."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
HERE = "127.0.0.1"


@contextmanager
def cluster(folder: Path, workers: int = 2) -> Iterator[str]:
    """The address, as `--workers` takes it, of a scheduler with that many workers; logs lie in `folder`."""
    port = _free_port()
    scheduler = ["scheduler", "--host", HERE, "--port", str(port), "--no-dashboard"]
    size = ["--nthreads", "1", "--nworkers", str(workers)]
    worker = ["worker", f"tcp://{HERE}:{port}", *size, "--no-dashboard", "--local-directory", str(folder)]
    with _started(scheduler, folder / "scheduler.log"):
        if not workers:
            yield f"dask://{HERE}:{port}"
            return
        with _started(worker, folder / "workers.log"):
            _await(f"tcp://{HERE}:{port}", workers)
            yield f"dask://{HERE}:{port}"


def dying_once(marker: str, function: Callable[..., Any], *arguments: Any) -> Any:
    """The result of a function; the first worker that would compute it is killed instead."""
    try:
        Path(marker).touch(exist_ok=False)
    except FileExistsError:
        return function(*arguments)
    os.kill(os.getpid(), signal.SIGKILL)


def process_of(_: int) -> int:
    """The process that this runs in."""
    return os.getpid()


@contextmanager
def _started(arguments: list[str], log: Path) -> Iterator[None]:
    """A Dask command that runs until the block ends, and what it started with it."""
    paths = os.pathsep.join([str(Path(__file__).parent), str(ROOT / "shared"), str(ROOT)])
    with log.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", f"distributed.cli.dask_{arguments[0]}", *arguments[1:]],
            stdout=out,
            stderr=out,
            env={**os.environ, "PYTHONPATH": paths},
            start_new_session=True,
        )
        try:
            yield
        finally:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _await(address: str, workers: int) -> None:
    from distributed import Client

    with Client(address, timeout=30, set_as_default=False) as client:
        client.wait_for_workers(workers, timeout=30)


def _free_port() -> int:
    with socket.socket() as found:
        found.bind((HERE, 0))
        return int(found.getsockname()[1])
