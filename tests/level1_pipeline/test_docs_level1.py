import re
import shlex

import pytest

from level1_pipeline.commands import app

TRAINS, WATCHES = {"train", "backtest", "run"}, {"monitor", "check"}


@pytest.fixture(scope="module")
def page(root):
    return (root / "docs" / "level1.md").read_text(encoding="utf-8")


@pytest.mark.trained
def test_the_commands_of_the_page_run_one_after_the_other(page, tmp_path, monkeypatch, cli, small):
    monkeypatch.chdir(tmp_path)
    commands = re.findall(r"^python -m level1_pipeline (.*)$", page, re.MULTILINE)
    assert len(commands) == 7
    printed = ""
    for command in commands:
        words = shlex.split(command)
        outcome = cli(*words, *(small if words[0] in TRAINS else []))
        assert outcome.code == 0, f"{command}: {outcome.err}"
        printed += outcome.out
    for left in ("forecasts.parquet", "backtest.parquet", "backtest-report.csv", ".store/level1/report.csv"):
        assert (tmp_path / left).is_file()
    for left in ("report.csv", "forecasts.parquet", "run.json", "current.json", "data/tiny/manifest.json"):
        assert (tmp_path / ".store" / "all" / left).is_file()
    assert "Forecasts" in printed and "segments meet the target" in printed


def test_the_page_tells_every_command(page):
    named = {command.name or command.callback.__name__ for command in app.registered_commands}
    assert named == {*TRAINS, *WATCHES, "score", "runs", "show", "tune", "replay"}
    for name in named:
        assert f"level1_pipeline {name} " in page
