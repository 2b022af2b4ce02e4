import json
import re
import shutil
import sys
from pathlib import Path

import pandas as pd
import pytest
import yaml

from demand.config import load_config
from demand.errors import DataError, IntegrityError, UsageError
from demand.sources import read_raw, write_raw
from level1_pipeline import step_commands
from level1_pipeline.deliveries import open_delivery
from level1_pipeline.regions import condition_regions
from level1_pipeline.regions import validate as validate_regions
from level1_pipeline.step_folders import kept, opened, read_prepared, writing
from level1_pipeline.steps import take_raw

ROOT = Path(__file__).parents[2]
STEPS = ["raw", "condition", "validate", "train", "evaluate", "release", "score"]
SETTINGS = """
[training]
stride = 8
[lasso]
alphas = 3
passes = 0
[network]
epochs = 1
min_steps = 30
[pipeline]
workers = 1
"""
# Command line, progress, locks and the writing of files: no number depends on them.
SHELL = {
    "level1_pipeline/__main__.py",
    "level1_pipeline/executor.py",
    "level1_pipeline/exits.py",
    "level1_pipeline/lock.py",
    "level1_pipeline/lock_table.py",
    "level1_pipeline/options.py",
    "level1_pipeline/progress.py",
    "level1_pipeline/stages.py",
    "level1_pipeline/step_commands.py",
    "level1_pipeline/tables.py",
    "shared/demand/sources/publish.py",
}


@pytest.fixture(scope="module")
def settings(tmp_path_factory):
    path = tmp_path_factory.mktemp("settings") / "small.toml"
    path.write_text(SETTINGS)
    return path


@pytest.fixture(scope="module")
def called():
    """The modules of the product whose functions each step of `folders` called."""
    return {}


@pytest.fixture(scope="module")
def folders(tmp_path_factory, tiny_raw_folder, settings, called, cli):
    """What the steps leave, one folder each by the step's name."""
    out = tmp_path_factory.mktemp("steps")
    for step in STEPS:
        outcome, called[step] = calls_of(cli, *arguments(step, tiny_raw_folder, out, settings))
        assert outcome.code == 0, f"{step}: {outcome.err}"
    return out


def arguments(step, source, out, settings):
    tables = ["--conditioned", out / "condition", "--validated", out / "validate"]
    options = {
        "raw": ["--source", source],
        "condition": ["--raw", out / "raw"],
        "validate": ["--conditioned", out / "condition"],
        "train": [*tables, "--config", settings],
        "evaluate": [*tables, "--trained", out / "train", "--config", settings],
        "release": [*tables, "--trained", out / "train", "--evaluated", out / "evaluate"],
        "score": ["--raw", out / "raw", "--released", out / "release", "--workers", 1],
    }
    return ["step", step, *options[step], "--out", out / step]


def calls_of(cli, *words):
    """A command's outcome, and the product's modules whose functions it called."""
    codes = set()

    def note(frame, event, _argument):
        if event == "call":
            codes.add(frame.f_code)

    sys.setprofile(note)
    try:
        outcome = cli(*words)
    finally:
        sys.setprofile(None)
    files = {code.co_filename for code in codes if code.co_flags & 2}  # functions: no module, no class body
    packages = (ROOT / "shared" / "demand", ROOT / "level1_pipeline")
    return outcome, {
        str(Path(file).relative_to(ROOT)) for file in files if file.startswith(tuple(map(str, packages)))
    }


@pytest.mark.trained
def test_the_steps_find_what_train_finds(folders, tiny_raw_folder, settings, tmp_path, cli):
    options = ["--data", tiny_raw_folder, "--env-dir", tmp_path, "--no-tracking", "--config", settings]
    assert cli("train", *options).code in (0, 7)  # 7 where the gate refused a segment
    for name in ("report.csv", "gate.csv"):
        expected = (tmp_path / name).read_bytes()
        assert (folders / "evaluate" / name).read_bytes() == expected
        assert (folders / "release" / name).read_bytes() == expected
    rows = [pd.read_parquet(store / "backtest.parquet") for store in (tmp_path, folders / "evaluate")]
    pd.testing.assert_frame_equal(*rows, check_exact=True)
    ours, theirs = (
        json.loads((store / "current.json").read_text()) for store in (folders / "release", tmp_path)
    )
    assert ours["model_version"] == theirs["model_version"]
    assert graphs(folders / "release") == graphs(tmp_path)
    metrics = json.loads((tmp_path / "run.json").read_text())["metrics"]
    assert json.loads((folders / "evaluate" / "metrics.json").read_text())["overall"] == metrics


def graphs(store):
    """Names and bytes of the graphs of the one bundle in a store."""
    return {path.name: path.read_bytes() for path in store.glob("bundle/*/*.onnx")}


@pytest.mark.trained
def test_a_stage_names_all_code_that_it_calls(folders, called, root):
    stages = yaml.safe_load((root / "dvc.yaml").read_text())["stages"]
    assert list(stages) == STEPS
    for step, modules in called.items():
        named = tuple(stages[step]["deps"])
        assert len(modules) > 5
        missing = {module for module in modules - SHELL if not module.startswith(named)}
        assert not missing, f"dvc.yaml, stage {step}: name {sorted(missing)} among its deps"


def test_training_does_not_depend_on_scoring_nor_scoring_on_training(root):
    stages = yaml.safe_load((root / "dvc.yaml").read_text())["stages"]
    assert not [each for each in stages["train"]["deps"] if "scoring" in each or "batch" in each]
    assert not [each for each in stages["score"]["deps"] if "training" in each or "model_steps" in each]


@pytest.mark.trained
def test_the_report_is_there_for_plots_with_one_name_per_segment(folders):
    shown = pd.read_csv(folders / "evaluate" / "segments.csv")
    report = pd.read_csv(folders / "evaluate" / "report.csv")
    assert shown["segment"].tolist()[:2] == ["R01-large-fast", "R01-large-slow"]
    assert shown["mape"].tolist() == report["mape"].tolist()
    metrics = json.loads((folders / "evaluate" / "metrics.json").read_text())
    assert metrics["segments"]["R01-large-fast"]["mape"] == report["mape"][0]
    choices = pd.read_csv(folders / "train" / "choices.csv")
    assert choices["segment"].tolist() == shown["segment"].tolist()


@pytest.mark.trained
def test_the_training_curves_have_a_row_per_epoch(folders):
    pytest.importorskip("dvclive")
    curves = folders / "train" / "curves" / "plots"
    names = {path.relative_to(curves / "metrics").as_posix() for path in curves.rglob("*.tsv")}
    assert {"all/choosing.tsv", "all/judged.tsv", "all/final.tsv", "tuned/R01-large-fast.tsv"} <= names
    assert len(names) == 3 + 8  # networks of all segments, and each segment's own
    final = pd.read_csv(curves / "metrics" / "all" / "final.tsv", sep="\t")
    assert final["step"].tolist() == list(range(len(final))) and len(final) > 1
    assert final["final"].iloc[-1] < final["final"].iloc[0]
    assert len(json.loads((curves / "custom" / "tuned.json").read_text())) == 8


@pytest.mark.trained
def test_a_train_step_that_was_cut_off_goes_on_where_it_was(folders, settings, tmp_path, cli, monkeypatch):
    from level1_pipeline.work import Work

    out = tmp_path / "train"
    words = [*arguments("train", None, folders, settings)[:-1], out]
    keep, names = Work.keep, []

    def killed(self, name, value):
        keep(self, name, value)
        names.append(name)
        if len(names) == 6:  # three networks, two regions judged, the first linear members
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Work, "keep", killed)
        assert cli(*words).code not in (0, 7)
    assert not out.exists() and len([name for name in names if name.startswith("network-")]) == 3
    monkeypatch.setattr("demand.training.regions.train_network", None)  # training one again would fail
    monkeypatch.setattr("level1_pipeline.curves.NEEDED", "no_such_package")
    outcome = cli(*words)
    assert outcome.code == 0, outcome.err
    assert (out / "choices.csv").read_bytes() == (folders / "train" / "choices.csv").read_bytes()
    assert "No training curves: dvclive is not installed" in outcome.err and not (out / "curves").exists()
    assert list((tmp_path / ".train-pieces").rglob("*.piece")) == []


@pytest.mark.trained
def test_a_changed_or_missing_folder_is_refused_before_it_is_read(folders, settings, tmp_path, cli):
    shutil.copytree(folders / "evaluate", tmp_path / "evaluate")
    piece = next((tmp_path / "evaluate").glob("judged-*.piece"))
    piece.write_bytes(piece.read_bytes()[:-1] + b"x")
    words = [str(each) for each in arguments("release", None, folders, settings)]
    words[words.index("--evaluated") + 1] = str(tmp_path / "evaluate")
    outcome = cli(*words[:-1], tmp_path / "release")
    assert outcome.code == 4 and "1 are changed, missing or new, first judged-" in outcome.err
    words[words.index("--evaluated") + 1] = str(tmp_path / "nowhere")
    outcome = cli(*words[:-1], tmp_path / "release")
    assert outcome.code == 64 and "expected what `step evaluate` leaves" in outcome.err
    assert not (tmp_path / "release").exists()


def test_a_conditioned_folder_gives_back_the_regions(tiny_raw_folder, tmp_path, cli):
    raw = with_cases_in(tiny_raw_folder, "R02", tmp_path / "raw")
    conditioned, validated = tmp_path / "conditioned", tmp_path / "validated"
    assert cli("step", "condition", "--raw", raw, "--out", conditioned).code == 0
    outcome = cli("step", "validate", "--conditioned", conditioned, "--out", validated)
    assert outcome.code == 0 and "Region R02 was refused, the others go on" in outcome.err
    found = read_prepared(conditioned, validated)
    delivery = open_delivery(raw)
    expected = validate_regions(condition_regions(delivery, lambda _: None), "synthetic-tiny/shipments", 1.9)
    assert found.regions.refused == expected.refused and list(found.regions.refused) == ["R02"]
    assert found.regions.partitions == expected.partitions
    assert found.delivery.data_hash == delivery.data_hash
    ours, theirs = found.regions.parts["R01"], expected.parts["R01"]
    assert (ours.rows_raw, ours.rows_weekly) == (theirs.rows_raw, theirs.rows_weekly)
    pd.testing.assert_frame_equal(ours.panel.series, theirs.panel.series)
    assert all((ours.panel.inputs[n].tobytes() == v.tobytes()) for n, v in theirs.panel.inputs.items())
    with pytest.raises(UsageError, match="this one is conditioned"):
        found.delivery.read("R01")


def test_a_validation_of_other_tables_is_refused(tiny_raw_folder, tmp_path, cli):
    for name, folder in (
        ("a", tiny_raw_folder),
        ("b", with_cases_in(tiny_raw_folder, "R01", tmp_path / "raw")),
    ):
        assert cli("step", "condition", "--raw", folder, "--out", tmp_path / name).code == 0
    assert cli("step", "validate", "--conditioned", tmp_path / "a", "--out", tmp_path / "v").code == 0
    with pytest.raises(IntegrityError, match="it is of other tables"):
        read_prepared(tmp_path / "b", tmp_path / "v")


def test_a_folder_of_data_is_taken_over_byte_for_byte_and_again(tiny_raw_folder, tmp_path):
    for _ in range(2):
        take_raw(tiny_raw_folder, tmp_path / "raw")
    for path in tiny_raw_folder.rglob("*"):
        if path.is_file():
            copy = tmp_path / "raw" / path.relative_to(tiny_raw_folder)
            assert copy.read_bytes() == path.read_bytes()


def test_a_folder_without_data_is_refused(tmp_path):
    with pytest.raises(DataError, match=r"expected a raw folder with its manifest\.json"):
        take_raw(tmp_path, tmp_path / "raw")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("size = ", "expected TOML"),
        ('size = "tiny"', r'expected size = "tiny" and seed = 2023'),
        ('size = "tiny"\nseed = "2023"', r'expected size = "tiny" and seed = 2023'),
        ('size = "huge"\nseed = 1', "huge"),
    ],
)
def test_a_recipe_of_another_form_is_refused(text, message, tmp_path):
    (tmp_path / "recipe.toml").write_text(text)
    with pytest.raises(UsageError, match=message):
        take_raw(tmp_path / "recipe.toml", tmp_path / "raw")
    assert not (tmp_path / "raw").exists()


def test_a_folder_that_fails_while_it_is_written_does_not_appear(tmp_path):
    with pytest.raises(ValueError, match="half"), writing(tmp_path / "out") as part:
        (part / "first.txt").write_text("1")
        raise ValueError("half way")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("content", ["{", '{"files": []}', '{"files": {"a": {}}}', "[]"])
def test_a_broken_manifest_is_refused(content, tmp_path):
    (tmp_path / "manifest.json").write_text(content)
    with pytest.raises(IntegrityError, match="expected a manifest"):
        opened(tmp_path, "train")


def test_a_piece_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(IntegrityError, match="expected the piece 'fitted' of `step train`"):
        kept(tmp_path, "fitted", "train")


def test_a_later_file_of_settings_wins_and_the_option_last(tmp_path, root):
    (tmp_path / "a.toml").write_text("[network]\nepochs = 3\nhidden = [8, 4]\n")
    (tmp_path / "b.toml").write_text('[network]\nhidden = [5]\n[forecast]\nobjective = "balanced"\n')
    found = step_commands._settings([tmp_path / "a.toml", tmp_path / "b.toml"], ["network.epochs=4"])
    assert (found.network.epochs, found.network.hidden, found.forecast.objective) == (4, (5,), "balanced")
    assert step_commands._settings(None, None) == load_config(None, {})
    (tmp_path / "c.toml").write_text("[network]\nepoch = 3\n")
    with pytest.raises(UsageError, match=r"c\.toml: 'epoch' is not known"):
        step_commands._settings([tmp_path / "a.toml", tmp_path / "c.toml"], None)


@pytest.mark.parametrize("step", STEPS)
def test_help_explains_a_step_and_shows_an_example(step, cli):
    outcome = cli("step", step, "--help")
    assert outcome.code == 0
    assert f"python -m level1_pipeline step {step} " in outcome.out.split("Example")[1]
    assert re.search(r"--out +\S+ +Folder to write", outcome.out)


def with_cases_in(folder, region, out):
    """The raw folder with one region counting in cases of twelve during its last months."""
    raw = read_raw(folder)
    own = raw.shipments["store_id"].isin(raw.stores.loc[raw.stores["region"] == region, "store_id"])
    late = raw.shipments["week"] >= "2026-01-05"
    units = raw.shipments["units_shipped"].where(~(own & late), raw.shipments["units_shipped"] * 12)
    write_raw(type(raw)(**{**vars(raw), "shipments": raw.shipments.assign(units_shipped=units)}), out)
    return out
