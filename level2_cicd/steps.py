"""The steps of a flow as they go: what each does, what was seen, and the verdict at the end."""

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from rich.table import Table

from level1_pipeline.tables import console, say
from level2_cicd.validation.checks import Check

RUNNING, DONE, BEFORE, FAILED = "running", "done", "done before", "failed"


@dataclass
class Step:
    """One step: its name, what it came to, what it found in a few words, and its seconds."""

    name: str
    result: str = RUNNING
    text: str = ""
    seconds: float = 0.0

    def told(self, text: str, *, before: bool = False) -> None:
        """Keeps what the step found; `before`: an earlier run had done it, so that nothing was to do."""
        self.text, self.result = text, BEFORE if before else RUNNING


class Steps:
    """The steps of one flow in their order."""

    def __init__(self, tell: Callable[[str], None] = say) -> None:
        self.steps: list[Step] = []
        self.checks: list[Check] = []
        self._tell = tell

    @contextmanager
    def step(self, name: str) -> Iterator[Step]:
        """A step that begins and ends with the block; one that raises is kept as failed."""
        self._tell(f"== {name}")
        step, begin = Step(name), time.perf_counter()
        self.steps.append(step)
        try:
            yield step
            step.result = step.result.replace(RUNNING, DONE)
            self._tell(f"   {step.result}: {step.text}" if step.text else f"   {step.result}")
        finally:
            step.result = step.result.replace(RUNNING, FAILED)
            step.seconds = time.perf_counter() - begin

    def add(self, name: str, text: str) -> None:
        """A step that an earlier run had done."""
        with self.step(name) as step:
            step.told(text, before=True)

    def saw(self, checks: Iterable[Check]) -> list[Check]:
        """The checks, each of them told and kept."""
        found = list(checks)
        for each in found:
            self._tell(f"   {each.line}")
        self.checks += found
        return found

    def verdict(self, title: str) -> None:
        """Prints a table of all steps."""
        table = Table(title=title, title_justify="left")
        for name in ("step", "result", "found"):
            table.add_column(name, overflow="fold")
        table.add_column("seconds", justify="right")
        for step in self.steps:
            table.add_row(step.name, step.result, step.text, f"{step.seconds:.1f}")
        console().print(table)
