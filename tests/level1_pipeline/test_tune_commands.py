import itertools
import re
import shlex

import numpy as np
import pytest

from demand.config import load_config
from demand.evaluation import evaluate
from level1_pipeline.tuning import study
from level1_pipeline.tuning.space import SPACE

pytestmark = pytest.mark.trained


@pytest.fixture
def workplace(tmp_path, tiny_raw_folder, monkeypatch):
    """A folder with the tiny data in data/tiny, in which commands run."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "tiny").symlink_to(tiny_raw_folder)
    return tmp_path


@pytest.fixture
def judged(monkeypatch, tiny_job, tiny_ensemble):
    """Folds judged by an ensemble that is trained already, each a little worse than the one before."""
    table = evaluate(tiny_job.data, tiny_ensemble, np.array([tiny_ensemble.origin]))
    growth = itertools.count()
    monkeypatch.setattr(
        study, "judge", lambda *_: table.assign(ensemble=table["ensemble"] * (1 + 0.01 * next(growth)))
    )


@pytest.fixture
def tuned(cli, small, root, workplace, judged):
    """The folder after the command of the page, given twice: the second time for one more trial."""
    page = (root / "docs" / "tuning.md").read_text(encoding="utf-8")
    command, then = re.findall(r"^python -m level1_pipeline (.*)$", page, re.MULTILINE)
    assert "--config tuned.toml" in then
    for trials in (2, 3):
        outcome = cli(*shlex.split(command), "--folds=2", f"--trials={trials}", *small)
        assert outcome.code == 0, outcome.err
    return workplace


def test_the_page_shows_the_search_as_it_is(root):
    page = (root / "docs" / "tuning.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `([a-z_.]+)`[^|]*\| ([0-9.]+) \| ([0-9.]+) \| (\w+) \|$", page, re.MULTILINE)
    assert rows == [
        (each.name, f"{each.low:g}", f"{each.high:g}", "factors" if each.logarithmic else "steps")
        for each in SPACE
    ]


def test_a_study_is_a_run_with_a_run_for_each_trial_and_its_file(tuned):
    from mlflow import MlflowClient

    client = MlflowClient(f"sqlite:///{tuned / '.store' / 'level1' / 'mlflow.db'}")
    ids = [each.experiment_id for each in client.search_experiments()]
    runs = {run.info.run_name: run for run in client.search_runs(ids)}
    assert set(runs) == {"tune", "trial-0", "trial-1", "trial-2"}
    parent = runs.pop("tune")
    assert all(run.data.tags["mlflow.parentRunId"] == parent.info.run_id for run in runs.values())
    assert all(run.info.status == "FINISHED" for run in (parent, *runs.values()))
    assert {"mape", "mape_fold_1", "mape_fold_2"} == set(runs["trial-0"].data.metrics)
    assert parent.data.metrics["trials"] == 3
    assert [file.path for file in client.list_artifacts(parent.info.run_id)] == ["tuned.toml"]
    assert load_config(tuned / "tuned.toml", {}).network.epochs == 1


def test_a_group_that_is_not_there_ends_with_64(cli, small, tiny_raw_folder, tmp_path):
    outcome = cli(
        "tune", "--data", tiny_raw_folder, "--env-dir", tmp_path / "store", "--trials=2", "--group=R99",
        "--out", tmp_path / "tuned.toml", "--no-tracking", *small,
    )  # fmt: skip
    assert outcome.code == 64
    assert "--group: expected one of all, R01, R02, large, small, fast, slow; got 'R99'" in outcome.err
