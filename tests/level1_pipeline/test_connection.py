import os
import signal
import socket
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from level1_pipeline import connection
from level1_pipeline.connection import BUDGET, PATIENCE, DependencyError, Line, Place, open_store
from level1_pipeline.tracking import Record, Tracker

START = datetime(2026, 6, 22, 6, 0, tzinfo=UTC)
ADDRESS = "http://127.0.0.1:9"


class Time:
    """A clock that moves by what is waited, and by a second with each question."""

    def __init__(self, lasts=1.0):
        self.now, self.lasts = 0.0, lasts

    def clock(self):
        return self.now

    def pause(self, seconds):
        self.now += seconds

    def asking(self, fails):
        """A question that fails `fails` times, then is answered by how often it was asked."""
        asked = []

        def question():
            asked.append(self.now)
            self.now += self.lasts
            if len(asked) <= fails:
                raise ConnectionError("refused")
            return len(asked)

        return question


@pytest.fixture(autouse=True)
def no_server(monkeypatch):
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    for name in BUDGET:
        monkeypatch.setenv(name, os.environ.get(name, BUDGET[name]))


def line(tmp_path, time_, address=ADDRESS):
    return Line(Place(tmp_path, address), clock=time_.clock, pause=time_.pause)


def test_a_server_that_is_back_within_thirty_seconds_answers(tmp_path):
    time_ = Time()
    assert line(tmp_path, time_).ask(time_.asking(15)) == 16  # 15 times a second's try and a second's pause
    assert time_.now == 31.0


@pytest.mark.parametrize("lasts", [0.0, 1.0, 10.0])
def test_a_server_that_is_gone_is_told_within_sixty_seconds_in_all(lasts, tmp_path):
    time_ = Time(lasts)
    asked = line(tmp_path, time_)
    with pytest.raises(DependencyError) as caught:
        asked.ask(time_.asking(99))
    assert PATIENCE <= time_.now < 60
    assert str(caught.value).startswith(
        f"tracking at {ADDRESS}: expected an MLflow server or database that answers; got refused in "
    )
    assert "What was done is kept." in str(caught.value)
    assert "the same command goes on from there" in str(caught.value)
    for _ in range(3):  # a further question has one try, for the server to be back
        before = time_.now
        with pytest.raises(DependencyError):
            asked.ask(time_.asking(99))
        assert time_.now == before + lasts


def test_the_patience_is_that_of_the_moment_when_a_line_is_made(tmp_path, monkeypatch):
    def dead():
        raise ConnectionError("nobody is there")

    monkeypatch.setattr(connection, "PATIENCE", 0.0)
    pauses = []
    with pytest.raises(DependencyError, match="nobody is there"):
        Line(Place(tmp_path, "http://127.0.0.1:9"), pause=pauses.append).ask(dead)
    assert pauses == []


def test_an_answer_renews_the_patience(tmp_path):
    time_ = Time()
    asked = line(tmp_path, time_)
    for _ in range(3):
        assert asked.ask(time_.asking(15)) == 16
    with pytest.raises(DependencyError):
        asked.ask(time_.asking(99))
    assert asked.ask(time_.asking(0)) == 1
    assert asked.ask(time_.asking(15)) == 16


def test_after_a_failure_the_other_question_is_asked(tmp_path):
    time_ = Time()
    assert line(tmp_path, time_).ask(time_.asking(99), again=lambda: "found") == "found"


def test_what_waiting_does_not_change_is_told_at_once(tmp_path):
    from mlflow.exceptions import MlflowException

    def refused():
        raise MlflowException.invalid_parameter_value("a name that is too long")

    time_ = Time()
    with pytest.raises(DependencyError, match=r"got .*a name that is too long in 0 s"):
        line(tmp_path, time_).ask(refused)
    with pytest.raises(DependencyError, match="got refused in 1 s"):  # a file comes back by no waiting
        line(tmp_path, time_, "sqlite:///own.db").ask(time_.asking(99))


def test_a_file_that_another_process_writes_is_waited_for(tmp_path):
    time_ = Time()
    answers = iter([OSError("(sqlite3.OperationalError) database is locked"), "written"])

    def question():
        found = next(answers)
        if isinstance(found, OSError):
            raise found
        return found

    assert line(tmp_path, time_, None).ask(question) == "written"


def test_a_dead_database_is_told_by_one_try_and_without_its_password(tmp_path):
    time_ = Time()
    place = Place(tmp_path, "postgresql+psycopg://me:secret@127.0.0.1:9/none")
    asked = Line(place, clock=time_.clock, pause=time_.pause)
    begin = time.monotonic()
    with pytest.raises(DependencyError, match="tracking at postgresql") as caught:
        asked.ask(lambda: open_store(place))
    assert time.monotonic() - begin < 30  # of itself, MLflow tries for 100 seconds
    assert "secret" not in str(caught.value)


def test_a_store_whose_making_was_killed_is_made_anew(tmp_path):
    (tmp_path / ".mlflow.db.new").write_text("half a database")
    (tmp_path / ".mlflow.db.new-journal").write_text("half a journal")
    place = Place(tmp_path)
    client, experiment = open_store(place)
    assert client.get_experiment(experiment).artifact_location == (tmp_path / "mlartifacts").as_uri()
    assert open_store(place)[1] == experiment
    assert sorted(path.name for path in tmp_path.iterdir()) == [".mlflow.lock", "mlflow.db"]


def test_four_processes_open_a_fresh_store_at_once(root, tmp_path):
    drill = [sys.executable, root / "tests" / "drills" / "fresh.py", "--trials", "1", "--out", tmp_path]
    done = subprocess.run([*map(str, drill)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "0 failures" in done.stdout


class Server:
    """A real MLflow server that can be killed and started again on the same port and database."""

    def __init__(self, folder: Path):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.address = f"http://127.0.0.1:{self.port}"
        self.folder = folder
        self.process: subprocess.Popen[bytes] | None = None

    def start(self):
        command = [sys.executable, "-m", "mlflow", "server", "--port", str(self.port), "--workers", "1"]
        own = ["--backend-store-uri", f"sqlite:///{self.folder}/server.db"]
        files = ["--artifacts-destination", str(self.folder / "artifacts")]
        self.process = subprocess.Popen(
            [*command, *own, *files],
            start_new_session=True,
            env={**os.environ, "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def kill(self):
        if self.process is not None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
            self.process = None


@pytest.mark.trained
def test_a_real_server_that_is_killed_and_back_loses_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(connection, "PATIENCE", 240.0)  # a busy machine starts a server slowly
    server = Server(tmp_path)
    server.start()
    try:
        tracker = Tracker(Place(tmp_path / "store", server.address), "train", START)
        tracker.begin()
        tracker.children([Record("a", {}, {"mape": 1.0}, {})])
        server.kill()
        threading.Timer(1.0, server.start).start()
        (tmp_path / "report.csv").write_text("region\n")
        found = tracker.children([Record(name, {}, {"mape": 1.0}, {}) for name in "abc"])
        tracker.finish(Record("train", {}, {"mape": 1.0}, {}), [tmp_path / "report.csv"])
        runs = tracker.client.search_runs([tracker._experiment])
        assert sorted(run.info.run_id for run in runs) == sorted([tracker.run_id, *found.values()])
        assert {run.info.status for run in runs} == {"FINISHED"}
        assert [file.path for file in tracker.client.list_artifacts(tracker.run_id)] == ["report.csv"]
    finally:
        server.kill()
