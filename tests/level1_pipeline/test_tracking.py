import json
import os
import time
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from level1_pipeline import connection
from level1_pipeline.connection import BUDGET, Line
from level1_pipeline.tracking import DependencyError, Input, Place, Record, Tracker, tracked

START = datetime(2026, 6, 22, 6, 0, tzinfo=UTC)
RECORD = Record(
    "train",
    params={f"p{i}": i for i in range(130)},  # more than MLflow takes at once
    metrics={"mape": 31.5, "rmse0": float("nan")},
    tags={"model_version": "abc"},
    inputs=(Input("tiny", "ab" * 32, {"files": {"stores.csv": "cd" * 32}}),),
)
CHILD = Record("R01-large-fast", {"network_weight": 0.5}, {"mape": 30.0}, {"verdict": "meets"})


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A store whose database is made once for these tests."""
    return Place(tmp_path_factory.mktemp("tracking"))


@pytest.fixture(autouse=True)
def no_server(monkeypatch):
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    for name in BUDGET:
        monkeypatch.setenv(name, os.environ.get(name, BUDGET[name]))


def client(place):
    from mlflow import MlflowClient

    return MlflowClient(tracking_uri=place.address)


def test_a_run_has_its_params_metrics_inputs_files_and_children(place, tmp_path):
    (tmp_path / "report.csv").write_text("region\n")
    tracker = Tracker(place, "train", START)
    with tracked(tracker, pytest.fail):
        tracker.children([CHILD])
        tracker.finish(RECORD, [tmp_path / "report.csv"])
    run = client(place).get_run(tracker.run_id)
    assert (run.info.status, run.info.start_time) == ("FINISHED", round(START.timestamp() * 1000))
    assert run.data.params == {f"p{i}": str(i) for i in range(130)}
    assert run.data.metrics == {"mape": 31.5}  # what is not a number is not there
    assert run.data.tags["model_version"] == "abc"
    (given,) = run.inputs.dataset_inputs
    assert given.dataset.digest == "ab" * 18
    assert {tag.key: tag.value for tag in given.tags}["sha256"] == "ab" * 32
    assert json.loads(given.dataset.source) == {"files": {"stores.csv": "cd" * 32}}
    assert (place.store / "mlartifacts" / tracker.run_id / "artifacts" / "report.csv").is_file()
    (child,) = client(place).search_runs(
        [run.info.experiment_id], f"tags.`mlflow.parentRunId` = '{tracker.run_id}'"
    )
    assert (child.info.run_name, child.info.status) == ("R01-large-fast", "FINISHED")
    assert (child.data.params, child.data.metrics) == ({"network_weight": "0.5"}, {"mape": 30.0})


def test_fifty_six_children_cost_seconds(place):
    tracker = Tracker(place, "train", START)
    tracker.begin()
    begin = time.process_time()
    found = tracker.children([replace(CHILD, name=f"R{number:02d}") for number in range(56)])
    assert time.process_time() - begin < 15  # 1 to 2 on an idle machine
    assert len(set(found.values())) == len(found) == 56


def test_children_are_known_by_their_name_and_logged_again_under_it(place):
    tracker = Tracker(place, "train", START)
    first = tracker.children([CHILD])  # begins by itself
    again = tracker.children([replace(CHILD, metrics={"mape": 31.0}), replace(CHILD, name="R02")])
    assert again["R01-large-fast"] == first["R01-large-fast"] and set(again) == {"R01-large-fast", "R02"}
    assert client(place).get_run(first["R01-large-fast"]).data.metrics == {"mape": 31.0}


class Server:
    """MLflow's client, of which a call fails: before it reaches the server, or before its answer is back."""

    def __init__(self, real, failing, *, reached):
        self.real, self.failing, self.reached = real, failing, reached
        self.calls = Counter()

    def __getattr__(self, name):
        method = getattr(self.real, name)

        def call(*arguments, **options):
            self.calls[name] += 1
            if name != self.failing or self.calls[name] != 2:
                return method(*arguments, **options)
            if self.reached:
                method(*arguments, **options)
            raise ConnectionError("the server was killed")

        return call


@pytest.mark.parametrize("reached", [False, True])
@pytest.mark.parametrize(
    "failing", ["create_run", "log_batch", "log_inputs", "set_terminated", "log_artifact", "search_runs"]
)
def test_a_call_that_was_not_answered_is_made_again_and_leaves_nothing_twice(
    failing, reached, place, tmp_path, monkeypatch
):
    monkeypatch.setattr(connection, "_passes", lambda error, _: isinstance(error, ConnectionError))
    pauses = []
    tracker = Tracker(place, "train", START, Line(place, pause=pauses.append))
    tracker.begin()
    real = tracker.client
    tracker.client = server = Server(real, failing, reached=reached)
    files = [tmp_path / name for name in ("report.csv", "run.json")]
    for file in files:
        file.write_text(file.name)
    found = tracker.children([replace(CHILD, name=name, inputs=RECORD.inputs) for name in ("a", "b", "c")])
    tracker.abandoned()
    tracker.finish(RECORD, files)
    assert len(pauses) == 1 and server.calls[failing] >= 2
    own = f"tags.`mlflow.parentRunId` = '{tracker.run_id}'"
    children = real.search_runs([tracker._experiment], own)
    assert {run.info.run_name: run.info.run_id for run in children} == found and len(children) == 3
    for run in [real.get_run(tracker.run_id), *children]:
        assert run.info.status == "FINISHED" and len(run.inputs.dataset_inputs) == 1
        assert len(real.get_metric_history(run.info.run_id, "mape")) == 1
    assert {file.path for file in real.list_artifacts(tracker.run_id)} == {"report.csv", "run.json"}


def test_a_child_whose_creation_was_answered_too_late_is_removed(place):
    tracker = Tracker(place, "train", START)
    kept = tracker.children([CHILD])
    late = tracker._create(CHILD.name, "whatever", {"mlflow.parentRunId": tracker.run_id})
    tracker.finish(RECORD, [])
    assert client(place).get_run(late).info.lifecycle_stage == "deleted"
    assert client(place).get_run(kept[CHILD.name]).info.lifecycle_stage == "active"


def test_runs_that_dead_processes_left_open_are_marked_and_no_others(place, tmp_path):
    dead, done, other = (Tracker(place, name, START) for name in ("dead", "done", "other"))
    dead.children([CHILD])
    open_child = dead._create("open", f"{dead._key}/open", {"mlflow.parentRunId": dead.run_id})
    done.begin()
    done.finish(RECORD, [])
    other.begin()
    client(place).set_tag(other.run_id, "level1.store", "another store at the same place")
    mine = Tracker(place, "mine", START)
    mine.begin()
    marked = mine.abandoned()
    assert dead.run_id in marked and open_child not in marked
    assert {other.run_id, done.run_id, mine.run_id}.isdisjoint(marked)
    runs = [client(place).get_run(run_id) for run_id in (dead.run_id, open_child)]
    assert [run.info.status for run in runs] == ["KILLED", "KILLED"]
    assert {run.data.tags["abandoned"] for run in runs} == {"its process ended without closing it"}
    states = [client(place).get_run(run.run_id).info.status for run in (done, other, mine)]
    assert states == ["FINISHED", "RUNNING", "RUNNING"]
    assert mine.abandoned() == []


@pytest.mark.parametrize(("error", "status"), [(ValueError("no"), "FAILED"), (KeyboardInterrupt(), "KILLED")])
def test_a_run_that_raises_does_not_stay_running(place, error, status):
    tracker = Tracker(place, "train", START)
    with pytest.raises(type(error)), tracked(tracker, lambda _: None):
        raise error
    run = client(place).get_run(tracker.run_id)
    assert run.info.status == status
    assert run.data.tags["error"].startswith(type(error).__name__)


def test_a_dead_server_is_told_soon_and_the_block_goes_on(tmp_path, monkeypatch):
    monkeypatch.setattr(connection, "PATIENCE", 0.0)
    said = []
    tracker = Tracker(Place(tmp_path, "http://127.0.0.1:9"), "train", START)
    with tracked(tracker, said.append), pytest.raises(DependencyError) as missing:
        tracker.finish(RECORD, [])
    assert "The run goes on" in said[0]
    assert str(missing.value).startswith(
        "tracking at http://127.0.0.1:9: expected an MLflow server or database that answers"
    )
    assert "--no-tracking" in str(missing.value)
    with pytest.raises(KeyError), tracked(tracker, said.append):
        raise KeyError("the first error is the one to tell")


def test_a_database_that_is_none_is_told(tmp_path):
    (tmp_path / "mlflow.db").write_text("this is no database, and was never one\n" * 9)
    with pytest.raises(DependencyError, match=r"sqlite:///.*mlflow\.db"):
        Tracker(Place(tmp_path), "train", START).begin()


def test_without_tracking_nothing_is_asked():
    done = []
    with tracked(None, pytest.fail):
        done.append("the work")
    assert done == ["the work"]


def test_the_address_is_the_named_one_then_the_environment_then_the_store(tmp_path, monkeypatch):
    assert Place(tmp_path).address == f"sqlite:///{tmp_path / 'mlflow.db'}"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://me:secret@tracking.example:5000")
    assert Place(tmp_path).public_address == "http://tracking.example:5000"
    assert Place(tmp_path, "sqlite:///own.db").address == "sqlite:///own.db"


@pytest.mark.trained
def test_training_leaves_a_child_run_per_segment(trained_store):
    record = json.loads((trained_store / "run.json").read_text())
    place = Place(trained_store)
    parent = client(place).get_run(record["tracking"]["run_id"])
    assert parent.info.status == "FINISHED"
    assert parent.data.metrics["mape"] == record["metrics"]["mape"]
    assert parent.data.params["lasso.alphas"] == "3"
    assert parent.inputs.dataset_inputs[0].dataset.digest == record["data"]["data_hash"][:36]
    children = client(place).search_runs(
        [parent.info.experiment_id], f"tags.`mlflow.parentRunId` = '{parent.info.run_id}'"
    )
    mapes = {run.info.run_name: run.data.metrics["mape"] for run in children}
    assert mapes == {f"{s['region']}-{s['format']}-{s['speed']}": s["mape"] for s in record["segments"]}
    assert {run.inputs.dataset_inputs[0].dataset.name for run in children} == {"weekly/R01", "weekly/R02"}
    files = trained_store / "mlartifacts" / parent.info.run_id / "artifacts"
    assert {path.name for path in files.iterdir()} == {"report.csv", "gate.csv", "run.json", "bundle"}


def test_a_run_on_too_little_data_is_marked_as_failed(place, cli, tiny_raw_folder):
    short = "--set=training.min_weeks=200"
    outcome = cli("train", "--data", tiny_raw_folder, "--env-dir", place.store, "--quiet", short)
    assert outcome.code == 2
    experiment = client(place).get_experiment_by_name("level1").experiment_id
    latest = client(place).search_runs([experiment], "attributes.status = 'FAILED'", max_results=9)
    assert any("DataError" in run.data.tags["error"] for run in latest)
