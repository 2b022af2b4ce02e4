"""The built site, a browser, and the scripts of docs/tools."""

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "docs" / "tools"))
CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")


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


@pytest.fixture(scope="session")
def browser() -> Iterator[object]:
    """A real browser without a window."""
    if CHROMIUM is None:
        pytest.skip("not run: chromium is not installed; make system-deps")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()
