"""A release, a row of it about which nothing is odd, and a store in which nothing was captured yet."""

from pathlib import Path

import pytest

from level2_cicd.serving.app import Service
from level2_cicd.serving.doubts import read_doubts
from level2_cicd.serving.engine import Rows
from level2_cicd.serving.release import Release

USUAL = 6.0  # times the forecast


@pytest.fixture(scope="session")
def release(service: Service) -> Release:
    return service.reloader.now.release


@pytest.fixture
def store(served: Path, tmp_path: Path) -> Path:
    """A store with the bundles of the served one, and nothing captured."""
    (tmp_path / "bundle").symlink_to(served / "bundle")
    for name in ("current.json", "forecasts.parquet"):
        (tmp_path / name).write_bytes((served / name).read_bytes())
    return tmp_path


@pytest.fixture(scope="session")
def calm(served: Path, release: Release) -> Rows:
    """A row about which nothing is odd."""
    doubts = read_doubts(served, release, USUAL)
    every = release.snapshot.rows(list(range(len(release.snapshot.names))))
    return release.snapshot.rows([doubts.reasons(every, release.engine.answer(every)).index("")])
