"""Tells a waiting person how far a run is: a live line on a terminal, plain lines elsewhere, on stderr."""

import time
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

PLAIN_LINES = 8  # per stage where stderr is no terminal


class Watch:
    """Stages, steps done, time left and the MAPE so far; says nothing where it is quiet."""

    def __init__(self, *, quiet: bool, console: Console | None = None) -> None:
        self._console = console or Console(stderr=True, quiet=quiet, highlight=False)
        self._live = self._console.is_terminal and not quiet
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.completed:.0f}/{task.total:.0f}"),
            TimeRemainingColumn(),
            TextColumn("{task.fields[mape]}"),
        )
        self._bar = Progress(*columns, console=self._console, transient=True, disable=not self._live)
        self._task = self._bar.add_task("", total=None, visible=False, mape="")
        self._name, self._total, self._done, self._begin = "", 0, 0, time.perf_counter()
        self._mapes: list[float] = []

    def __enter__(self) -> "Watch":
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()

    def say(self, text: str) -> None:
        """A line for the person, whatever goes on."""
        self._console.print(text, markup=False, soft_wrap=True)

    def stage(self, name: str) -> None:
        """A stage begins."""
        self._name, self._total, self._done = name, 0, 0
        self._bar.update(self._task, description=name, total=None, completed=0, visible=False, mape="")
        if not self._live:
            self.say(name)

    def expect(self, total: int) -> None:
        """The stage has this many steps."""
        self._total, self._done, self._begin, self._mapes = total, 0, time.perf_counter(), []
        self._bar.update(self._task, total=total, completed=0, visible=True)

    def step(self, what: str, mape: float = float("nan")) -> None:
        """One step is done; its MAPE in percent counts into the mean so far where it is a number."""
        self._done += 1
        if mape == mape:
            self._mapes.append(mape)
        so_far = f"MAPE so far {sum(self._mapes) / len(self._mapes):.1f} %" if self._mapes else ""
        self._bar.update(self._task, completed=self._done, description=f"{self._name} {what}", mape=so_far)
        if not self._live and self._is_due():
            self.say(f"  {self._done} of {self._total}, {self._seconds_left():.0f} s left {so_far}".rstrip())

    def _is_due(self) -> bool:
        each = max(1, self._total // PLAIN_LINES)
        return self._done % each == 0 or self._done == self._total

    def _seconds_left(self) -> float:
        return (time.perf_counter() - self._begin) / self._done * max(0, self._total - self._done)
