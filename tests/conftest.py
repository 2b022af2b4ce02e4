"""What every test may ask for: the tiny data set and, where a machine has them, the real ones."""

import os
from pathlib import Path

import pytest
from hypothesis import settings

ROOT = Path(__file__).parents[1]

# The same examples on every run: a test that is green today is green tomorrow, on a slow machine too.
settings.register_profile("house", derandomize=True, deadline=None, database=None)
settings.load_profile("house")


@pytest.fixture(scope="session")
def root() -> Path:
    """The repository's root folder."""
    return ROOT


@pytest.fixture(scope="session")
def tiny_raw_folder() -> Path:
    """The raw folder of the tiny synthetic data set, checked in; never write into it."""
    folder = ROOT / "shared" / "data" / "tiny"
    if not (folder / "manifest.json").is_file():
        pytest.fail("shared/data/tiny/manifest.json is missing; `make data-tiny` writes the folder again.")
    return folder


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of the real data sets, named by DEMAND_REAL_DATA; skips by name without it."""
    named = os.environ.get("DEMAND_REAL_DATA")
    if not named:
        pytest.skip("DEMAND_REAL_DATA is not set: the real data sets are not part of this repository")
    folder = Path(named)
    if not folder.is_dir():
        pytest.fail(f"DEMAND_REAL_DATA names no folder: {named}")
    return folder
