"""Facts: what a file says, where, and what it was found to be part of."""

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache
from pathlib import PurePosixPath
from typing import NamedTuple

from maturity.hints import Names

TEST_FOLDERS = frozenset({"tests", "test", "testing", "unit_tests", "integration_tests", "e2e"})
TESTS = re.compile(r"[-_]tests?\.py$")
KINDS = (
    "import",  # a module that code imports: mlflow.pyfunc
    "call",  # what code calls, by its full name where imports tell it: mlflow.start_run
    "keyword",  # an argument of a call: DAG(schedule=), with its value where it is a constant
    "base",  # what a class derives from: pandera.DataFrameModel
    "def",  # a function or class with something in it
    "test",  # a test function that can fail: test_features::test_lags
    "key",  # a setting of a configuration file: jobs.deploy.environment=prod
    "command",  # a shell command, without the wrappers around it: pytest tests
    "uses",  # an action or task of a CI service: actions/checkout@v4
    "event",  # what starts a workflow: schedule
    "file",  # that a file is there
    "need",  # a declared dependency: mlflow>=2
    "step",  # a cell of a notebook
    "chain",  # a task or script that trains and then judges
    "whole",  # a training script or pipeline that reads data, fits and judges
    "script",  # such a whole that is started itself, not imported by what is started
    "flow",  # a test that starts a run in which nothing is faked
    "models",  # a test function that fits something and asks it, or asks a model itself
    "decides",  # a function that compares a metric and acts on a model by what comes out
    "restarts",  # a function that trains where the data drifted or the model grew worse
    "slices",  # a function that works out a figure of quality for groups of rows
    "named",  # a baseline's forecasts or model, as a function's argument or variable
    "verifies",  # a function that refuses a file whose hash is wrong
    "splits",  # a function in which chance chooses which of two models answers
    "traces",  # a function that writes predictions and the run of their model into the same rows
    "watches",  # a file of monitoring that works out a figure of quality
    "unseeded",  # a model that draws by chance and is given no seed
    "serves",  # a file of a service that predicts
    "piped",  # features and model in one object of scikit-learn, in a repository that keeps models
    "timed",  # a file that measures speed or memory
    "shared",  # a module that both training and serving import
    "setting",  # a file of settings that names what shapes a model
    "package",  # what a package or an image is built from
)


class Fact(NamedTuple):
    """One thing a file says.

    events: what starts it without a person, as event@workflow; empty where only a person does.
    soft: its failure is ignored.
    covers: the paths that a command works on, None where that is the whole repository.
    """

    kind: str
    name: str
    path: str
    line: int
    events: frozenset[str] = frozenset()
    soft: bool = False
    covers: frozenset[str] | None = None

    @property
    def place(self) -> str:
        """path:line."""
        return f"{self.path}:{self.line}"


@dataclass
class Facts:
    """All facts, by kind and name."""

    by_kind: dict[str, dict[str, list[Fact]]] = field(default_factory=lambda: defaultdict(dict))
    _names: dict[str, Names] = field(default_factory=dict)

    def add(self, facts: Iterable[Fact]) -> None:
        """Take these in as well."""
        self._names.clear()
        for fact in facts:
            self.by_kind[fact.kind].setdefault(fact.name, []).append(fact)

    def matching(self, kind: str, pattern: re.Pattern[str]) -> list[Fact]:
        """The facts of a kind whose name the pattern finds."""
        names = self.by_kind.get(kind, {})
        if kind not in self._names:
            self._names[kind] = Names(names)
        asked = self._names[kind].asked(pattern)
        return [fact for name in asked if pattern.search(name) for fact in names[name]]


@cache
def area(path: str) -> str:
    """What a file is part of: test, notebook, or product."""
    pure = PurePosixPath(path)
    name = pure.name
    tested = name.startswith("test_") or bool(TESTS.search(name)) or name == "conftest.py"
    if tested or TEST_FOLDERS & {part.lower() for part in pure.parts[:-1]}:
        return "test"
    return "notebook" if pure.suffix == ".ipynb" else "product"
