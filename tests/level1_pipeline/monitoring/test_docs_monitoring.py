import re
import shlex
import shutil

import pytest

from demand.drift import DriftLimits
from level1_pipeline.monitoring.book import STATE, TABLES
from level1_pipeline.triggers import TRIGGERS

WEEKLY = ["monitor", "check", "score"]


@pytest.fixture(scope="module")
def page(root):
    return (root / "docs" / "monitoring.md").read_text(encoding="utf-8")


@pytest.fixture
def here(tmp_path, monkeypatch, monitored_store, tiny_raw_folder):
    """A working folder with the store and the data that the page names."""
    shutil.copytree(monitored_store, tmp_path / ".store" / "level1")
    shutil.copytree(tiny_raw_folder, tmp_path / "data" / "tiny")
    monkeypatch.delenv("LEVEL1_ALERT_WEBHOOK", raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.trained
def test_the_commands_of_the_page_run_one_after_the_other(page, here, cli):
    commands = re.findall(r"^python -m level1_pipeline (.*)$", page, re.MULTILINE)
    assert [command.split()[0] for command in commands] == WEEKLY
    codes = [cli(*shlex.split(command)).code for command in commands]
    assert codes[0] == codes[2] == 0
    assert codes[1] in (0, 10)
    assert (here / "forecasts.parquet").is_file()
    # `score` kept what it forecast, for the next week's `monitor`.
    assert list((here / ".store" / "level1" / "monitoring" / "forecasts").glob("2026-06-15-*.parquet"))


@pytest.mark.trained
def test_forecasts_of_weeks_that_the_model_has_seen_are_not_kept(here, cli):
    folder = here / ".store" / "level1" / "monitoring" / "forecasts"
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    options = ["--data", "data/tiny", "--env-dir", ".store/level1", "--out", "f.parquet"]
    assert cli("score", *options, "--as-of", "2026-06-08").code == 0
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_the_page_names_every_file_limit_and_trigger(page):
    for name in (*(f"{table}.parquet" for table in TABLES), STATE, "alerts.prom", "decisions.jsonl"):
        assert f"`{name}`" in page
    limits = DriftLimits()
    for limit in (limits.wasserstein, limits.categorical_psi, limits.unseen_share, limits.unseen_stores):
        assert str(limit) in page
    for trigger in TRIGGERS:
        assert f"| {trigger} | " in page
