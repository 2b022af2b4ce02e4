import errno
import json
import re

import pytest

from demand.conditioning import UNIT_JUMP
from demand.config import load_config
from demand.errors import IntegrityError
from level1_pipeline import batch, commands, options
from level1_pipeline.__main__ import main
from level1_pipeline.connection import DependencyError
from level1_pipeline.data_commands import SetName, SizeName, settings_of
from level1_pipeline.deliveries import PUBLIC_SETS
from level1_pipeline.errors import GateRefused
from level1_pipeline.lock import LockHeld

HELPED = [["train"], ["score"], ["backtest"], ["run"], ["data", "generate"], ["data", "import"]]


def test_the_unit_change_that_help_names_is_the_one_that_conditioning_refuses():
    assert options.UNIT_JUMP == UNIT_JUMP  # written twice, so that help need not import pandas


@pytest.mark.parametrize("command", HELPED, ids=" ".join)
def test_help_explains_every_option_and_shows_an_example(command, cli):
    outcome = cli(*command, "--help")
    assert outcome.code == 0
    assert f"python -m level1_pipeline {' '.join(command)} " in outcome.out.split("Example")[1]
    options = outcome.out.split("Options:")[1]
    lines = re.findall(r"^  (?:-\w, )?--\S+.*$(?:\n {6,}\S.*)*", options, re.MULTILINE)
    assert len(lines) >= 3
    for line in lines:
        assert re.search(r"\S {2,}\S|\n {6,}\S", line), f"no explanation: {line}"


def test_help_lists_the_commands_and_exit_codes(cli):
    outcome = cli("--help")
    assert outcome.code == 0
    for word in ("data", "train", "score", "backtest", "run", "Exit codes: 0 done, 2 bad data"):
        assert word in outcome.out


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["unknown"],
        ["train"],
        ["train", "--data", "."],
        ["train", "--data", "nowhere", "--env-dir", "store"],
        ["train", "--data", ".", "--env-dir", "store", "--workers", "0"],
        ["train", "--data", ".", "--env-dir", "store", "--set", "network.epochs"],
        ["train", "--data", ".", "--env-dir", "store", "--set", "network.epoch=3"],
        ["train", "--data", ".", "--env-dir", "store", "--set", "network.epochs=many"],
        ["score", "--data", ".", "--env-dir", "store", "--out", "f.parquet", "--as-of", "yesterday"],
        ["score", "--data", ".", "--env-dir", "store", "--out", "f.parquet"],
        ["run", "--data", ".", "--size", "tiny", "--env-dir", "store"],
        ["run", "--size", "huge", "--env-dir", "store"],
        ["data", "generate", "--size", "tiny"],
        ["data", "import", ".", "--mapping", "map.toml", "--out", "raw"],
    ],
    ids=" ".join,
)
def test_wrong_usage_ends_with_64_and_says_what_is_wrong(arguments, cli, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "map.toml").write_text("")
    outcome = cli(*arguments)
    assert outcome.code == 64
    assert outcome.err or "Usage" in outcome.out
    assert "Traceback" not in outcome.err
    assert [path.name for path in tmp_path.iterdir()] == ["map.toml"]


def test_scoring_before_training_says_what_to_do_first(cli, tiny_raw_folder, tmp_path):
    options = ["--data", tiny_raw_folder, "--env-dir", tmp_path, "--out", tmp_path / "f.parquet"]
    outcome = cli("score", *options)
    assert outcome.code == 64
    assert "it has no current.json. Run `train` first." in outcome.err


def test_a_folder_without_data_is_bad_data(cli, tmp_path):
    (tmp_path / "notes.txt").write_text("nothing")
    outcome = cli("backtest", "--data", tmp_path, "--origins", 1, "--out", tmp_path / "b.parquet", "--quiet")
    assert outcome.code == 2
    assert "expected a raw folder with its manifest.json" in outcome.err and "got notes.txt" in outcome.err


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (GateRefused("none passed"), 3),
        (IntegrityError("changed"), 4),
        (DependencyError("no scheduler"), 5),
        (LockHeld("held"), 6),
        (OSError(errno.ENOSPC, "No space left on device"), 5),
        (PermissionError(errno.EACCES, "Permission denied"), 64),
    ],
)
def test_an_error_becomes_its_exit_code_and_one_message(error, code, monkeypatch, cli, tmp_path):
    def raising(*arguments: object) -> None:
        raise error

    monkeypatch.setattr(batch, "score_batch", raising)
    options = ["--data", tmp_path, "--env-dir", tmp_path, "--out", tmp_path / "f.parquet"]
    outcome = cli("score", *options)
    assert (outcome.code, outcome.err) == (code, f"Error: {error}\n")


def test_generated_data_are_the_ones_that_are_checked_in(cli, tiny_raw_folder, tmp_path):
    assert cli("data", "generate", "--size", "tiny", "--out", tmp_path / "tiny").code == 0
    made, kept = (json.loads((f / "manifest.json").read_text()) for f in (tmp_path / "tiny", tiny_raw_folder))
    assert made == kept


def test_a_table_is_imported_by_its_mapping_and_notes_are_told(cli, tmp_path):
    days = "".join(f"A,x,2024-03-{day:02d},2\n" for day in range(4, 18))
    (tmp_path / "sales.csv").write_text("shop,item,date,sold\n" + days)
    (tmp_path / "map.toml").write_text(
        '[columns]\nstore = "shop"\nproduct = "item"\ndate = "date"\nquantity = "sold"\n'
    )
    outcome = cli(
        "data",
        "import",
        tmp_path / "sales.csv",
        "--mapping",
        tmp_path / "map.toml",
        "--out",
        tmp_path / "raw",
    )
    assert outcome.code == 0, outcome.err
    assert "- grain: daily" in outcome.out
    assert "2 rows of shipments up to the week of 2024-03-11" in outcome.out
    assert (tmp_path / "raw" / "manifest.json").is_file()


def test_a_table_without_a_mapping_is_answered_by_one_to_start_from(cli, tmp_path):
    (tmp_path / "sales.csv").write_text("shop,item,date,sold\nA,x,2024-03-04,2\n")
    outcome = cli("data", "import", tmp_path / "sales.csv", "--out", tmp_path / "raw")
    assert outcome.code == 2
    assert "[columns]" in outcome.err and "shop" in outcome.err
    outcome = cli("data", "import", tmp_path / "sales.csv", "--format", "walmart", "--out", tmp_path / "raw")
    assert outcome.code == 64 and "expected with a folder of original files" in outcome.err


def test_the_command_line_knows_what_the_core_knows():
    assert commands.UNIT_JUMP == UNIT_JUMP
    assert {each.value for each in SetName} == set(PUBLIC_SETS)
    assert settings_of(SizeName.demo) is None
    assert load_config(settings_of(SizeName.tiny), {}).network.min_steps == 300


def test_the_listed_settings_are_the_defaults(root):
    listed = load_config(root / "level1_pipeline" / "config.toml", {})
    assert listed == load_config(None, {})
    text = (root / "level1_pipeline" / "config.toml").read_text()
    for line in text.splitlines():
        assert not line or line[0] in "#[" or re.fullmatch(r"\w+ += .+  # .+", line), line
    names = {line.split(" ")[0] for line in text.splitlines() if line and line[0] not in "#["}
    assert names == {name for section in vars(listed).values() for name in vars(section)}


def test_main_takes_its_arguments_from_the_command_line(monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["level1_pipeline", "--help"])
    assert main() == 0
    assert "Usage: python -m level1_pipeline" in capsys.readouterr().out
