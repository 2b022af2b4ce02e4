"""Lets the tests of `demand` import `builders`, and hands them its raw folder."""

import shutil
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture(scope="session")
def built_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The raw folder of builders.raw_tables(), written once; never write into it."""
    from builders import raw_tables

    from demand.sources import write_raw

    folder = tmp_path_factory.mktemp("built") / "raw"
    write_raw(raw_tables(), folder)
    return folder


@pytest.fixture
def folder(built_folder: Path, tmp_path: Path) -> Path:
    """A copy of that raw folder to spoil."""
    return Path(shutil.copytree(built_folder, tmp_path / "raw"))
