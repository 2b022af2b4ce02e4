"""What a run leaves for the tests to look at."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from host_runner.events import Event


@dataclass
class Step:
    """A step that was reached: outcome before continue-on-error, the environment and inputs it declares."""

    name: str
    id: str = ""
    uses: str = ""
    run: str = ""
    outcome: str = "skipped"
    conclusion: str = "skipped"
    env: Mapping[str, str] = field(default_factory=dict)
    inputs: Mapping[str, str] = field(default_factory=dict)
    outputs: Mapping[str, str] = field(default_factory=dict)
    log: str = ""


@dataclass
class Job:
    """A job, or one of its matrix."""

    id: str
    matrix: Mapping[str, Any]
    token: str
    permissions: Mapping[str, str]
    environment: str
    workspace: Path
    temp: Path
    result: str = "success"
    steps: list[Step] = field(default_factory=list)
    outputs: Mapping[str, str] = field(default_factory=dict)
    exported: dict[str, str] = field(default_factory=dict)
    path: list[str] = field(default_factory=list)
    summary: str = ""
    kept_credentials: bool = False
    caches: bool = False

    def step(self, name: str) -> Step:
        """The step that is named so."""
        (found,) = [each for each in self.steps if each.name == name]
        return found


@dataclass
class Run:
    """A workflow that ran for an event; jobs in the order in which they ended, skipped ones too."""

    id: int
    workflow: str
    event: Event
    jobs: list[Job] = field(default_factory=list)

    def job(self, id: str) -> Job:
        """The one job with that id."""
        (found,) = self.of(id)
        return found

    def of(self, id: str) -> list[Job]:
        """The jobs with that id: several where there is a matrix."""
        return [each for each in self.jobs if each.id == id]

    @property
    def results(self) -> dict[str, str]:
        """The result of each job, in the order in which they ended."""
        return {each.id: result_of(self.of(each.id)) for each in self.jobs}

    @property
    def conclusion(self) -> str:
        """success, unless a job failed."""
        return "failure" if "failure" in self.results.values() else "success"

    def commands(self) -> Iterator[tuple[str, str]]:
        """(job, command) of every `run:` that was reached, in order."""
        for job in self.jobs:
            yield from ((job.id, step.run) for step in job.steps if step.run and step.outcome != "skipped")


def result_of(jobs: list[Job]) -> str:
    """The result of a job over its matrix."""
    results = [each.result for each in jobs]
    return next((each for each in ("waiting", "failure", "cancelled") if each in results), results[0])
