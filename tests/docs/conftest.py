"""The built site, a browser, and the scripts of docs/tools."""

import shutil
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "docs" / "tools"))


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site in both languages, built from this checkout as `make docs` builds it."""
    from build_site import CONFIGS, build

    folder = tmp_path_factory.mktemp("site")
    for name in CONFIGS.values():
        shutil.copy(ROOT / name, folder / name)
    shutil.copytree(ROOT / "docs" / "overrides", folder / "docs" / "overrides")
    assert build(ROOT, folder, draft=False) == 0, "a link or an anchor leads nowhere; the builder says which"
    return folder / "build" / "site"
