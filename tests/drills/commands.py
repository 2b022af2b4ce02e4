"""Starts the command line in processes that can be killed, without importing everything again for each."""

import os
import signal
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import mlflow  # noqa: F401  # this and the pipeline take seconds to import: once, before processes part

import level1_pipeline.pipeline  # noqa: F401
from level1_pipeline.__main__ import main


class Command:
    """`python -m level1_pipeline ARGUMENTS` in a process group of its own, its output in a file.

    before: called in the new process, first of all; it may put traps into the code that the command runs.
    """

    def __init__(
        self, arguments: Sequence[str], log: Path, before: Callable[[], object] | None = None
    ) -> None:
        self.log = log
        sys.stdout.flush()
        self.pid = os.fork()
        self._status: int | None = None
        if not self.pid:
            os._exit(_run(arguments, log, before))

    def ended(self) -> bool:
        """Whether the process has ended."""
        if self._status is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            self._status = os.waitstatus_to_exitcode(status) if pid else None
        return self._status is not None

    def wait(self, seconds: float) -> int | None:
        """The exit code, negative for a signal; None if it still runs after so many seconds."""
        end = time.monotonic() + seconds
        while not self.ended() and time.monotonic() < end:
            time.sleep(0.002)
        return self._status

    def kill(self) -> int:
        """Kills the process and those it started; its exit code, which is another if it had ended before."""
        if not self.ended():
            os.killpg(self.pid, signal.SIGKILL)
        return int(self.wait(60.0) or 0)

    def said(self) -> str:
        """The end of what it printed."""
        return self.log.read_text(errors="replace")[-2000:]


def _run(arguments: Sequence[str], log: Path, before: Callable[[], object] | None) -> int:
    os.setsid()
    handle = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    for number in (1, 2):
        os.dup2(handle, number)
    code = 70
    try:
        if before is not None:
            before()
        code = main(list(arguments))
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
    return code
