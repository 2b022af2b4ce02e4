"""Loads the scripts of level 0, which are no package."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

LEVEL0 = Path(__file__).parents[2] / "level0_manual"


@pytest.fixture(scope="session")
def level0() -> Path:
    """The folder of the notebooks."""
    return LEVEL0


def script(name: str) -> ModuleType:
    """A script of level 0 as a module."""
    spec = importlib.util.spec_from_file_location(f"level0_{name}", LEVEL0 / f"{name}.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def audit() -> ModuleType:
    return script("audit")


@pytest.fixture(scope="session")
def builder() -> ModuleType:
    return script("build_notebooks")
