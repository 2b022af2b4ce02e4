"""One node process for all tests of the workflows, and scratch GitHubs to run them on."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

sys.path.insert(0, str(Path(__file__).parent))

if TYPE_CHECKING:
    from history import History
    from host_runner.node import Node
    from scratch import Scratch


@pytest.fixture(scope="session")
def node(root: Path) -> "Iterator[Node]":
    """GitHub's parser, evaluator and linters; installed into build/ by the first test that asks."""
    from host_runner.node import Node, installed, missing

    if lacking := missing():
        pytest.skip(f"not run: {', '.join(lacking)} is not installed; make system-deps")
    process = Node(installed(root / "build"))
    yield process
    process.close()


@pytest.fixture
def github(node: "Node", tmp_path: Path) -> "Iterator[Scratch]":
    """A scratch GitHub with this repository's workflows on main; make notes what it is asked for."""
    from scratch import scratch

    with scratch(tmp_path / "github", node) as world:
        yield world


@pytest.fixture(scope="session")
def history(node: "Node", tmp_path_factory: pytest.TempPathFactory) -> "Iterator[History]":
    """What happened on one scratch GitHub, in the order of the fields; only to be looked at."""
    from history import lived
    from scratch import scratch

    with scratch(tmp_path_factory.mktemp("history") / "github", node) as world:
        yield lived(world)
