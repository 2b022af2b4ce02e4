import json
from datetime import UTC, datetime, timedelta

import pytest
import typer

from demand.errors import UsageError
from level1_pipeline.run_commands import register_run_commands
from level1_pipeline.runs import RunStart, begin_run, end_run, fail_run

MONDAY = datetime(2026, 6, 22, 6, tzinfo=UTC)


@pytest.fixture
def tell(capsys):
    """Runs a command; its exit code, stdout and stderr."""
    app = typer.Typer(rich_markup_mode=None)
    register_run_commands(app)

    def call(*arguments):
        code = app([str(each) for each in arguments], standalone_mode=False)
        return (code or 0, *capsys.readouterr())

    return call


@pytest.fixture
def store(tmp_path):
    """A store with a run that is done and a later one that failed."""
    service = "https://ci.example.org/runs/1"
    start = RunStart(
        "20260622-a",
        MONDAY,
        "train",
        {"pipeline": "commit1", "components": {"ingest": "0123abcd"}},
        {"user": "ada", "host": "mill", "process": 7, "service": None},
        {"network": {"epochs": 8, "hidden": [128, 64]}, "unit_jump": 1.9},
        "old-model",
    )
    found = {
        "model_version": "new-model",
        "data": {"name": "demo", "as_of": "2026-06-15", "data_hash": "d4ta"},
        "metrics": {"mape": 31.54, "baseline_mape": 104.2, "n": 13440},
        "train_metrics": {"mape": 25.5, "wape": 22.2},
        "stages": [
            {"name": "ingest", "status": "done", "seconds": 1.25, "rows_in": None, "rows_out": 1348225}
        ],
        "failed_over": [{"segment": "R01-large-fast", "source": "previous", "reason": "gate: 9.1 % worse"}],
        "artifacts": [{"path": "report.csv", "sha256": "0123456789abcdef", "bytes": 4321}],
        "refused_regions": {"R02": "no rows"},
        "restatements": ["History was restated since run 1: R03/2025."],
        "tracking": {"run_id": "f00"},
    }
    end_run(tmp_path, begin_run(tmp_path, start), MONDAY + timedelta(seconds=150), found)
    later = MONDAY + timedelta(days=7)
    executor = {**start.executor, "service": service}
    failing = RunStart("20260629-b", later, "train", {}, executor, {}, None)
    fail_run(tmp_path, begin_run(tmp_path, failing), later, ValueError("no [such] week"), {})
    return tmp_path


def test_runs_lists_every_run_the_latest_first(tell, store):
    code, out, err = tell("runs", "--env-dir", store)
    assert (code, err) == (0, "")
    lines = [[cell.strip() for cell in line.split("│")[1:-1]] for line in out.splitlines() if "2026" in line]
    assert lines[1] == ["20260622-a", "done", "150.0", "2026-06-15", "new-model", "31.5", "1", "ada@mill"]
    assert lines[0] == ["20260629-b", "failed", "0.0", "-", "-", "-", "0", "ada@mill (CI)"]


def test_show_prints_all_that_is_known_of_a_run(tell, store):
    code, out, _ = tell("show", "20260622", "--env-dir", store)
    assert code == 0
    for told in (
        "Run 20260622-a: done",
        "2026-06-22 06:00:00 UTC",
        "2026-06-22 06:02:30 UTC",
        "150.0",
        "ada@mill",
        "demo, last week 2026-06-15",
        "d4ta",
        "new-model",
        "old-model",
        "commit1",
        "ingest 0123abcd",
        "f00",
        "1,348,225",
        "epochs = 8, hidden = [128, 64]",
        "unit_jump = 1.9",
        "R01-large-fast",
        "gate: 9.1 % worse",
        "0123456789ab ",
        "4,321",
        "Region R02 was refused: no rows",
        "History was restated since run 1: R03/2025.",
    ):
        assert told in out, told
    cells = [[cell.strip() for cell in line.split("│")[1:-1]] for line in out.splitlines()]
    assert ["mape", "25.5", "31.5"] in cells and ["wape", "22.2", "-"] in cells
    assert ["n", "-", "13,440.0"] in cells


def test_show_says_why_a_run_failed(tell, store):
    code, out, _ = tell("show", "latest", "--env-dir", store)
    assert code == 0
    assert "Run 20260629-b: failed" in out and "Error: ValueError: no [such] week" in out
    assert "ada@mill (https://ci.example.org/runs/1)" in out
    assert "Stages" not in out and "Failed over" not in out and "Metrics" not in out


def test_both_print_json_and_nothing_else(tell, store):
    kept = [json.loads(path.read_text()) for path in sorted((store / "runs").iterdir())]
    assert json.loads(tell("runs", "--env-dir", store, "--json")[1]) == kept[::-1]
    assert json.loads(tell("show", "20260622", "--env-dir", store, "--json")[1]) == kept[0]


def test_a_store_without_runs_says_what_to_do(tell, tmp_path):
    code, out, _ = tell("runs", "--env-dir", tmp_path)
    assert code == 0 and "no runs yet. `train` makes the first one." in out
    assert json.loads(tell("runs", "--env-dir", tmp_path, "--json")[1]) == []


@pytest.mark.parametrize("option", [[], ["--json"]])
def test_a_broken_record_is_named_on_stderr_and_the_others_are_listed(tell, store, option):
    (store / "runs" / "20260630-c.json").write_text("{")
    code, out, err = tell("runs", "--env-dir", store, *option)
    assert code == 2 and "20260622-a" in out and "20260629-b" in out and "20260630-c" not in out
    assert "20260630-c.json: expected the record of run 20260630-c; got " in err


def test_an_unknown_run_is_wrong_usage(tell, store):
    with pytest.raises(UsageError, match="'2026' fits 2"):
        tell("show", "2026", "--env-dir", store)


@pytest.mark.parametrize("command", ["runs", "show"])
def test_help_says_what_a_command_does_with_examples(tell, command):
    out = " ".join(tell(command, "--help")[1].split())
    assert f"python -m level1_pipeline {command} " in out and "--env-dir" in out and "--json" in out
