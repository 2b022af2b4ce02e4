"""What every test may ask for: the tiny data set and, where a machine has them, the real ones."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from playwright.sync_api import Browser

    from demand.config import Config
    from demand.features import Panel
    from demand.segments import Segment
    from demand.training import Choice, Ensemble, Job

ROOT = Path(__file__).parents[1]

# What takes a browser, a server, a database, Node.js or several processes, and so seconds.
SLOW = (
    "demand/scoring/test_scoring_carried.py",
    "demand/sources/test_mapping_weeks.py",
    "demand/sources/test_workbook.py",
    "demand/test_bad_input_time_zones.py",
    "docs/",
    "level1_pipeline/test_connection.py",
    "level1_pipeline/test_registry.py",
    "level1_pipeline/test_tracking.py",
    "level2_cicd/dashboards/",
    "level2_cicd/deploy/test_alerts.py",
    "level2_cicd/deploy/test_manifests.py",
    "level2_cicd/flow/",
    "level2_cicd/package/",
    "level2_cicd/serving/feedback/test_candidates.py",
    "level2_cicd/serving/test_load_tools.py",
    "level2_cicd/serving/test_mlflow.py",
    "level2_cicd/serving/test_parity.py",
    "level2_cicd/serving/test_process.py",
    "level2_cicd/serving/test_reload.py",
    "level2_cicd/test_audit.py",
    "level2_cicd/test_docs_ledger.py",
    "level2_cicd/test_ledger.py",
    "level2_cicd/test_promotion.py",
    "level2_cicd/test_rollback.py",
    "maturity/test_malformed.py",
    "maturity/test_mutations.py",
    "maturity/test_self.py",
    "test_architecture.py",
    "test_benchmarks.py",
    "test_levels_agree.py",
    "workflows/",
)

# In a folder of slow ones, and quick all the same.
QUICK = (
    "docs/test_names.py",
    "docs/test_reference.py",
    "docs/test_translations.py",
    "level2_cicd/dashboards/test_packing.py",
    "level2_cicd/dashboards/test_reading.py",
    "level2_cicd/dashboards/test_segments.py",
    "level2_cicd/flow/test_metric_table.py",
    "level2_cicd/flow/test_retrain.py",
    "workflows/test_settings.py",
)

# Trained or slow as well, but each walks a whole path through a part; `make unit` runs them on one process,
# for they share what is trained.
SMOKE = (
    "level1_pipeline/monitoring/test_docs_monitoring.py",
    "level2_cicd/dashboards/test_concerns.py",
    "level2_cicd/dashboards/test_dashboard_commands.py",
    "level2_cicd/flow/test_notes.py",
    "level2_cicd/test_docs_ledger.py",
    "test_levels_agree.py::test_level_0_and_level_1_agree_on_report_and_forecasts",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Marks as slow what stands in SLOW and not in QUICK, and as smoke what stands in SMOKE."""
    for item in items:
        place = item.path.relative_to(ROOT / "tests").as_posix()
        if place.startswith(SLOW) and place not in QUICK:
            item.add_marker(pytest.mark.slow)
        if f"{place}::{item.name}".startswith(SMOKE):
            item.add_marker(pytest.mark.smoke)
            item.add_marker(pytest.mark.xdist_group("smoke"))


# The same examples on every run: a test that is green today is green tomorrow, on a slow machine too.
settings.register_profile("house", derandomize=True, deadline=None, database=None)
settings.load_profile("house")


@pytest.fixture(scope="session")
def root() -> Path:
    """The repository's root folder."""
    return ROOT


@pytest.fixture(scope="session")
def chromium() -> "Iterator[Browser]":
    """A real browser without a window, one for all tests: Playwright starts only once in a process."""
    path = shutil.which("chromium")
    if path is None:
        pytest.skip("not run: chromium is not installed; make system-deps")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def tiny_raw_folder() -> Path:
    """The raw folder of the tiny synthetic data set, checked in; never write into it."""
    folder = ROOT / "shared" / "data" / "tiny"
    if not (folder / "manifest.json").is_file():
        pytest.fail("shared/data/tiny/manifest.json is missing; `make data-tiny` writes the folder again.")
    return folder


@pytest.fixture(scope="session")
def tiny_panels(tiny_raw_folder: Path) -> "list[Panel]":
    """The panels of the tiny data set, one per region, of the same weeks."""
    from demand.conditioning import condition
    from demand.features import build_panel
    from demand.sources import read_raw

    tables = condition(read_raw(tiny_raw_folder))
    span = (tables.weekly["week"].min(), tables.weekly["week"].max())
    regions = sorted(tables.weekly["region"].unique())
    return [
        build_panel(*(table[table["region"] == region] for table in (tables.weekly, tables.outlook)), span)
        for region in regions
    ]


@pytest.fixture(scope="session")
def small_config() -> "Config":
    """Settings under which the tiny data trains in seconds."""
    from demand.config import load_config

    return load_config(None, {"network.min_steps": "30", "network.epochs": "1", "training.stride": "4"})


@pytest.fixture(scope="session")
def tiny_job(tiny_panels: "list[Panel]", small_config: "Config") -> "Job":
    """The tiny data set, ready to train up to 8 weeks before its last one."""
    import numpy as np

    from demand.training import Job, build_data_set, learn_encoder

    data = build_data_set(tiny_panels)
    return Job(data, learn_encoder(data, np.arange(8, data.last_week - 16, 4), small_config), small_config)


@pytest.fixture(scope="session")
def tiny_choices(tiny_job: "Job") -> "dict[Segment, Choice]":
    """What validation chose for each segment of the tiny data; it ends 8 weeks before the last one."""
    from demand.training import choose

    return choose(tiny_job, tiny_job.data.last_week - 8)


@pytest.fixture(scope="session")
def tiny_ensemble(tiny_job: "Job", tiny_choices: "dict[Segment, Choice]") -> "Ensemble":
    """The ensemble of the tiny data; the last 8 weeks are left to judge it by."""
    from demand.training import fit

    return fit(tiny_job, tiny_job.data.last_week - 8, tiny_choices)


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
