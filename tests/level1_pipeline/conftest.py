"""Runs commands in this process, and trains once on the tiny data for all tests."""

import contextlib
import io
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from level1_pipeline.__main__ import main

# The smallest settings that still go through every step: seconds, not accuracy.
SMALL = [
    "--set=training.stride=8",
    "--set=lasso.alphas=3",
    "--set=lasso.passes=1",
    "--set=network.epochs=1",
    "--set=network.min_steps=60",
    "--set=network.batch=256",
    "--set=network.tune_epochs=0",
    "--set=pipeline.workers=1",
    "--set=gate.level=0.5",  # models this small are better than the average, if not certainly so
]


@dataclass(frozen=True)
class Outcome:
    code: int
    out: str
    err: str


def call(*arguments: object) -> Outcome:
    """What a command came to: its exit code and what it printed."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = main([str(each) for each in arguments])
    return Outcome(code, out.getvalue(), err.getvalue())


@pytest.fixture(scope="session")
def cli() -> Callable[..., Outcome]:
    return call


@pytest.fixture(scope="session")
def small() -> list[str]:
    return SMALL


@pytest.fixture(scope="session")
def trained_store(tmp_path_factory: pytest.TempPathFactory, tiny_raw_folder: Path) -> Path:
    """A store trained, with small settings, on the tiny data; tests may score from it, never train."""
    store = tmp_path_factory.mktemp("level1") / "store"
    outcome = call("train", "--data", tiny_raw_folder, "--env-dir", store, *SMALL)
    assert outcome.code == 0, outcome.err
    return store
