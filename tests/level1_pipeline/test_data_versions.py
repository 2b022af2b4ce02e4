"""DVC and MLflow's projects over a scratch copy of the repository, with the tiny data and small settings."""

import csv
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pytest
import yaml

pytest.importorskip("dvc", reason="dvc is not installed; the extra `versions` brings it")

ROOT = Path(__file__).parents[2]
COPIED = ["dvc.yaml", ".dvcignore", "MLproject", ".gitignore", ".dvc/config", ".dvc/.gitignore"]
FOLDERS = ["level1_pipeline", "shared/demand", "shared/data/tiny"]
SETTINGS = """
[training]
stride = 8
[lasso]
alphas = 3
passes = 0
[network]
epochs = 1
min_steps = 20
hidden = [16]
[gate]
level = 0.5
draws = 100
[pipeline]
workers = 1
"""
OUTS = ".store/dvc"


@dataclass(frozen=True)
class History:
    """What DVC did, and what it then printed.

    first, scoring, parameter, restated: stages that ran at first, and after a change of the code of scoring,
    of a setting of training, of a year of the data. stale: stages that are to run after `parameter`.
    """

    first: list[str]
    again: str
    scoring: list[str]
    parameter: list[str]
    stale: set[str]
    restated: list[str]
    metrics: dict
    plots: str
    changed: set[str]


class Scratch:
    """A git repository with a copy of what DVC needs of this one, and commands in it."""

    def __init__(self, folder):
        self.folder = folder / "copy"
        for name in FOLDERS:
            target = self.folder / name
            shutil.copytree(ROOT / name, target, ignore=shutil.ignore_patterns("__pycache__"))
        for name in COPIED:
            (self.folder / name).parent.mkdir(exist_ok=True)
            shutil.copyfile(ROOT / name, self.folder / name)
        home = folder / "home"
        home.mkdir()
        self.environment = {
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": os.pathsep.join([str(self.folder), str(self.folder / "shared")]),
            "HOME": str(home),
            "DVC_NO_ANALYTICS": "1",
            "MLFLOW_TRACKING_URI": f"sqlite:///{folder}/mlflow.db",
            "MLFLOW_DISABLE_TELEMETRY": "true",
            "OMP_NUM_THREADS": "1",
            "GIT_CONFIG_NOSYSTEM": "1",
        }
        self.run("git", "init", "--quiet")

    def run(self, *words):
        """What a command prints; it must end with 0."""
        done = subprocess.run(
            [*map(str, words)],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{' '.join(map(str, words))}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def dvc(self, *words):
        return self.run("dvc", *words)

    def reproduce(self, *stages):
        """The stages that `dvc repro` ran."""
        return re.findall(r"^Running stage '(\w+)'", self.dvc("repro", *stages), re.MULTILINE)

    def commit(self):
        self.run("git", "add", "--all")
        self.run(
            "git", "-c", "user.name=a", "-c", "user.email=a@b", "commit", "--quiet", "--message", "state"
        )

    def edit(self, name, before, after):
        path = self.folder / name
        text = path.read_text()
        assert text.count(before) == 1, f"{name}: {text.count(before)} times {before!r}"
        path.write_text(text.replace(before, after))

    def restate(self):
        """One week of 2024 in the raw data of R01 is delivered anew, with another number."""
        raw = self.folder / "shared" / "data" / "tiny"
        name = "shipments/R01-2024.csv"
        rows = list(csv.reader((raw / name).read_text().splitlines()))
        rows[1][3] = str(float(rows[1][3]) + 1)
        content = "".join(f"{','.join(row)}\n" for row in rows).encode()
        (raw / name).write_bytes(content)
        manifest = json.loads((raw / "manifest.json").read_text())
        manifest["files"][name] |= {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}
        (raw / "manifest.json").write_text(json.dumps(manifest))


@pytest.fixture(scope="module")
def scratch(tmp_path_factory):
    found = Scratch(tmp_path_factory.mktemp("versions"))
    (found.folder / "small.toml").write_text(SETTINGS)
    found.edit("level1_pipeline/dvc.toml", '"level1_pipeline/tiny.toml"', '"small.toml"')
    found.edit("level1_pipeline/dvc.toml", '"level1_pipeline/synthetic.toml"', '"shared/data/tiny"')
    found.commit()
    return found


@pytest.fixture(scope="module")
def history(scratch):
    first = scratch.reproduce()
    scratch.commit()
    again = scratch.dvc("repro")
    with (scratch.folder / "shared/demand/scoring/forecasts.py").open("a") as code:
        code.write("# nothing new\n")
    scoring = scratch.reproduce()
    scratch.commit()
    scratch.edit("small.toml", "hidden = [16]", "hidden = [24]")
    parameter = scratch.reproduce("evaluate")
    stale = set(json.loads(scratch.dvc("status", "--json")))
    metrics = json.loads(scratch.dvc("metrics", "diff", "HEAD", "--json"))
    page = scratch.dvc("plots", "diff", "HEAD", "--out", "plots").strip()
    scratch.commit()
    scratch.restate()
    restated = scratch.reproduce("condition")
    diff = json.loads(scratch.dvc("diff", "HEAD", "--json"))
    return History(
        first=first,
        again=again,
        scoring=scoring,
        parameter=parameter,
        stale=stale,
        restated=restated,
        metrics=metrics,
        plots=Path(page.splitlines()[-1].removeprefix("file://")).read_text(),
        changed={each["path"] for each in diff["modified"]},
    )


@pytest.mark.trained
def test_the_first_time_everything_runs_and_then_nothing(history):
    assert history.first == ["raw", "condition", "validate", "train", "evaluate", "release", "score"]
    assert history.again.strip().endswith("Data and pipelines are up to date.")
    assert "Running stage" not in history.again
    assert len(re.findall(r"^Stage '\w+' didn't change, skipping$", history.again, re.MULTILINE)) in (0, 7)


@pytest.mark.trained
def test_a_changed_parameter_trains_again_and_leaves_the_data_alone(history):
    assert history.parameter == ["train", "evaluate"]
    assert history.stale == {"release"}  # the stage after it, and by what it then leaves, scoring


@pytest.mark.trained
def test_changed_scoring_code_trains_nothing(history):
    assert history.scoring == ["score"]


@pytest.mark.trained
def test_metrics_are_compared_overall_and_per_segment(history):
    numbers = history.metrics[f"{OUTS}/evaluated/metrics.json"]
    assert set(numbers["overall.mape"]) == {"old", "new", "diff"} and numbers["overall.mape"]["diff"] != 0
    assert {f"segments.R0{r}-{form}-fast.mape" for r in (1, 2) for form in ("large", "small")} <= set(numbers)


@pytest.mark.trained
def test_plots_show_the_segments_and_the_training_of_both_states(history):
    for title in ("MAPE per segment, percent", "Loss of each segment's network", "all/final.tsv"):
        assert title in history.plots
    assert "R01-large-fast" in history.plots
    assert '"rev": "HEAD"' in history.plots and '"rev": "workspace"' in history.plots


@pytest.mark.trained
def test_restated_history_shows_as_the_one_region_and_year(history):
    assert history.restated == ["raw", "condition"]
    tables = {path for path in history.changed if path.endswith(".parquet") and "/conditioned/" in path}
    assert tables == {f"{OUTS}/conditioned/R01/2024/R01.parquet"}
    assert f"{OUTS}/raw/shipments/R01-2024.csv" in history.changed


@pytest.mark.trained
def test_mlflow_runs_an_entry_point_here(scratch, history):
    folders = ["-P", f"raw={OUTS}/raw", "-P", f"released={OUTS}/released"]
    scratch.run("mlflow", "run", ".", "--env-manager", "local", "--entry-point", "score", *folders)
    forecasts = pd.read_parquet(scratch.folder / ".store" / "mlflow" / "forecasts" / "forecasts.parquet")
    assert set(forecasts["region"]) == {"R01", "R02"}


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({}, ["--size", "demo", "--env-dir", ".store/level1"]),
        ({"size": "tiny", "store": "a b"}, ["--size", "tiny", "--env-dir", "a b"]),
        ({"size": "tiny", "data": "my data"}, ["--data", "my data", "--env-dir", ".store/level1"]),
    ],
)
def test_the_main_entry_point_takes_a_size_or_a_folder(given, words, tmp_path):
    from mlflow.projects._project_spec import load_project

    stand_in = tmp_path / "python"
    stand_in.write_text('#!/bin/sh\nprintf "%s\\n" "$@"\n')
    stand_in.chmod(0o700)
    command = load_project(ROOT).get_entry_point("main").compute_command(given, None)
    environment = {"PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(
        ["bash", "-c", command], env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines() == ["-m", "level1_pipeline", "run", *words]


def test_the_entry_points_are_those_of_the_documentation():
    points = yaml.safe_load((ROOT / "MLproject").read_text())["entry_points"]
    assert list(points) == ["main", "condition", "train", "evaluate", "score"]
    page = (ROOT / "docs" / "data-versions.md").read_text()
    assert "mlflow run . --env-manager local" in page
    for point in list(points)[1:]:
        assert f"`{point}`" in page


def test_stages_read_only_what_a_stage_before_them_wrote():
    stages = yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"]
    written = set()
    for name, stage in stages.items():
        assert {dep for dep in stage["deps"] if dep.startswith(".store")} <= written, name
        assert all((ROOT / dep).exists() for dep in stage["deps"] if not dep.startswith((".store", "${")))
        written |= set(stage["outs"])
    assert len(stages) == 7 and len(written) == 7


def test_the_lock_file_is_of_these_stages():
    locked = yaml.safe_load((ROOT / "dvc.lock").read_text())["stages"]
    assert set(locked) == set(yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"])
    assert not re.search(r"/(?:home|root|tmp|work)/", (ROOT / "dvc.lock").read_text())


def test_dvc_sends_nothing_home_and_checks_what_it_fetches():
    config = (ROOT / ".dvc" / "config").read_text()
    assert "analytics = false" in config and "verify = true" in config
