"""Stores to draw, their pages, and a browser to look at them; each made once."""

import importlib.util
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

HERE = Path(__file__).parent


@pytest.fixture(scope="session")
def stores() -> ModuleType:
    """The module that writes stores."""
    spec = importlib.util.spec_from_file_location("dashboard_stores", HERE / "stores.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    import sys

    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def small_store(tmp_path_factory: pytest.TempPathFactory, stores: ModuleType) -> Path:
    """8 segments, 8 series, 12 weeks; trained and watched. Never write into it."""
    return stores.write_watched(stores.write_trained(tmp_path_factory.mktemp("small") / "store"))


@pytest.fixture(scope="session")
def pages_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Path], Path]:
    """Writes the pages of a store and gives their folder."""
    from level2_cicd.dashboards import build_dashboards

    def build(store: Path) -> Path:
        out = tmp_path_factory.mktemp("pages")
        build_dashboards(store, out)
        return out

    return build


@pytest.fixture(scope="session")
def small_pages(small_store: Path, pages_of: Callable[[Path], Path]) -> Path:
    return pages_of(small_store)


@pytest.fixture(scope="session")
def big_pages(
    tmp_path_factory: pytest.TempPathFactory, stores: ModuleType, pages_of: Callable[[Path], Path]
) -> Path:
    """The pages of 56 segments, 2,240 series, 104 weeks."""
    folder = tmp_path_factory.mktemp("big") / "store"
    return pages_of(stores.write_watched(stores.write_trained(folder, stores.Size()), stores.Size()))


@pytest.fixture(scope="session")
def empty_pages(tmp_path_factory: pytest.TempPathFactory, pages_of: Callable[[Path], Path]) -> Path:
    return pages_of(tmp_path_factory.mktemp("empty"))
