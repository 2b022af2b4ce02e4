"""The serving process: what it loads, how it starts, drains and is exchanged, and how it ends."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from level2_cicd.serving import run

RUN = [sys.executable, "-m", "level2_cicd.serving.run"]
KEPT_AWAY = (
    "torch",
    "sklearn",
    "mlflow",
    "pandas",
    "pandera",
    "pyarrow",
    "scipy",
    "joblib",
    "onnx",
    "sqlalchemy",
)
SERIES = {"series": [{"region": "R01", "store_id": "R01S001", "product_id": "P01"}]}
LOOKS = """
import io, json, pickle, sys
from pathlib import Path
from level2_cicd.serving import run
from level2_cicd.serving.guard import refuse_unpickling
from level2_cicd.serving.server import Server
from level2_cicd.serving.app import create
from level2_cicd.serving.feedback import Feedback
from level2_cicd.serving.settings import ServingSettings
evil = pickle.dumps(Path)
refuse_unpickling()
store = Path(sys.argv[1])
service = create(ServingSettings(store, capture=Feedback(store)))
body = json.dumps({"series": [{"region": "R01", "store_id": "R01S001", "product_id": "P01"}]}).encode()
answer = service.routes.forecast(service.reloader.now, body)
try:
    pickle.loads(evil)
    refused = False
except Exception as error:
    refused = type(error).__name__ == "Unpickled"
service.settings.capture.close()
print(json.dumps({"modules": sorted(sys.modules), "answer": len(answer), "refused": refused}))
"""


@pytest.fixture
def started(served: Path, root: Path) -> Iterator[Callable[..., tuple[subprocess.Popen[str], str]]]:
    """Starts the process on the store and any port; gives it and its address."""
    running: list[subprocess.Popen[str]] = []

    def start(*more: str) -> tuple[subprocess.Popen[str], str]:
        order = [*RUN, "--store", str(served), "--no-capture", "--port", "0", *more]
        process = subprocess.Popen(order, stderr=subprocess.PIPE, text=True, cwd=root)
        running.append(process)
        assert process.stderr is not None
        return process, process.stderr.readline().split()[-1]

    yield start
    for process in running:
        process.terminate()
        process.wait(20)
        assert process.stderr is not None
        process.stderr.close()


def test_serving_loads_neither_training_nor_tracking_nor_tables_and_reads_no_pickles(
    served: Path, root: Path, tmp_path: Path
) -> None:
    for name in ("current.json", "forecasts.parquet", "bundle"):
        (tmp_path / name).symlink_to(served / name)
    done = subprocess.run(
        [sys.executable, "-c", LOOKS, str(tmp_path)], capture_output=True, text=True, cwd=root, check=True
    )
    found = json.loads(done.stdout)
    assert not [name for name in found["modules"] if name.split(".")[0] in KEPT_AWAY]
    assert not [name for name in found["modules"] if name.startswith(("level1_pipeline", "demand.training"))]
    assert found["answer"] > 500
    assert found["refused"]


def test_it_ends_with_0_when_it_is_told_to(started: Callable[..., Any]) -> None:
    process, address = started()
    assert httpx.get(f"{address}/readyz").json()["status"] == "ready"
    process.send_signal(signal.SIGTERM)
    assert process.wait(20) == 0


def test_workers_are_exchanged_without_a_failed_request(started: Callable[..., Any], root: Path) -> None:
    process, address = started("--workers", "2")
    stop, failed, answered = threading.Event(), [], []

    def load() -> None:
        with httpx.Client(base_url=address, timeout=20) as client:
            while not stop.is_set():
                try:
                    answered.append(client.post("/v1/forecast", json=SERIES).status_code)
                except httpx.HTTPError as error:
                    failed.append(repr(error))

    httpx.get(f"{address}/readyz")
    loaders = [threading.Thread(target=load) for _ in range(3)]
    for each in loaders:
        each.start()
    assert process.stderr is not None
    second = process.stderr.readline()  # the second worker of the start is up
    process.send_signal(signal.SIGHUP)
    exchanged = [process.stderr.readline() for _ in range(2)]
    stop.set()
    for each in loaders:
        each.join(20)
    assert all("serves on" in line for line in [second, *exchanged])
    assert failed == [] and set(answered) == {200} and len(answered) > 10
    text = httpx.get(f"{address}/metrics").text  # of all workers, those that ended included
    route = 'demand_requests_total{route="/v1/forecast",status="200"}'
    [counted] = [line.split()[-1] for line in text.splitlines() if line.startswith(route)]
    assert float(counted) == len(answered)
    process.send_signal(signal.SIGTERM)
    assert process.wait(20) == 0


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_store_without_a_release_ends_it_with_64(root: Path, tmp_path: Path, workers: str) -> None:
    order = [*RUN, "--store", str(tmp_path), "--port", "0", "--workers", workers]
    done = subprocess.run(order, capture_output=True, text=True, cwd=root)
    assert done.returncode == 64
    assert "it has no current.json. Train and promote a release into it first" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_pointer_that_was_changed_ends_it_with_4(root: Path, tmp_path: Path) -> None:
    (tmp_path / "current.json").write_text("{}")
    done = subprocess.run([*RUN, "--store", str(tmp_path)], capture_output=True, text=True, cwd=root)
    assert done.returncode == 4
    assert "expected a pointer to a bundle" in done.stderr


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_port_that_is_taken_ends_it_with_64(root: Path, tmp_path: Path, workers: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        order = [*RUN, "--store", str(tmp_path), "--no-capture", "--port", port, "--workers", workers]
        done = subprocess.run(order, capture_output=True, text=True, cwd=root)
    assert done.returncode == 64
    assert "Choose another --host or --port" in done.stderr


def test_the_command_becomes_the_service_with_the_environments_settings(
    cli: Callable[..., Any], releases: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    became: list[list[str]] = []
    monkeypatch.setattr(os, "execv", lambda _, order: became.append(order))
    made = releases("prod")
    assert cli("serve", *made.options, "--port", "9000", "--workers", "2").code == 0
    assert became == [
        [
            *RUN,
            *("--host", "127.0.0.1", "--port", "9000", "--workers", "2"),
            *("--store", str(made.environment.store), "--environment", "prod", "--token-required"),
        ]
    ]


def test_the_command_wants_one_place_to_serve_from(cli: Callable[..., Any], tmp_path: Path) -> None:
    assert cli("serve").code == 64
    assert cli("serve", "--env", "prod", "--store", str(tmp_path)).code == 64


def test_a_store_of_an_environment_is_served_as_that_environment_alone(
    served: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (served / "environment.json").write_text('{"environment": "prod"}')
    assert run.main(["--store", str(served), "--port", "0"]) == 64
    assert "it is prod's" in capsys.readouterr().err
    (served / "environment.json").write_text("[]")
    assert run.main(["--store", str(served), "--port", "0"]) == 64
    assert "expected the environment's name" in capsys.readouterr().err
