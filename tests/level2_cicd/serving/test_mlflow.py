"""The same bundle under MLflow: a pyfunc, and a real `mlflow models serve`, forecast what REST forecasts."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from demand.bundle import SNAPSHOT, from_parquet

NUMBERS = ["units", "lower", "upper"]
TOLERANCE = 1e-4


@pytest.fixture(scope="module", autouse=True)
def _drills(root: Path) -> Iterator[None]:
    """Makes the modules of drills and benchmarks importable."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("benchmarks", "drills"):
            patch.syspath_prepend(str(root / "tests" / name))
        patch.setenv("MLFLOW_UV_AUTO_DETECT", "false")
        yield


@pytest.fixture(scope="module")
def bundle(served, service) -> Path:
    return served / "bundle" / service.reloader.now.release.version


@pytest.fixture(scope="module")
def model(bundle, tmp_path_factory) -> Path:
    """The bundle as an MLflow model, as the registry keeps it."""
    from mlflow import pyfunc

    path = tmp_path_factory.mktemp("mlflow") / "model"
    pyfunc.save_model(
        str(path), loader_module="level1_pipeline.flavor", data_path=str(bundle), pip_requirements=[]
    )
    return path


@pytest.fixture(scope="module")
def rows(bundle) -> pd.DataFrame:
    """Every fifth row of the snapshot: of champions, of a carried model, of a segment without one."""
    return from_parquet((bundle / SNAPSHOT).read_bytes()).iloc[::5].reset_index(drop=True)


@pytest.fixture(scope="module")
def by_rest(client, service, rows) -> pd.DataFrame:
    from samples import rows_body

    release = service.reloader.now.release
    body = rows_body(rows, {"columns": list(release.snapshot.columns), "columns_id": release.columns_id})
    answer = client.post("/v1/score", content=body, headers={"Content-Type": "application/json"})
    return pd.DataFrame(answer.json()["forecasts"])


def test_as_a_pyfunc_it_forecasts_what_rest_does(model, rows, by_rest):
    from mlflow import pyfunc

    agree(pyfunc.load_model(str(model)).predict(rows), by_rest)


def test_under_mlflow_models_serve_it_forecasts_what_rest_does(model, rows, by_rest, tmp_path):
    from service import Server, free_port
    from serving import split_body
    from wire import Line, request

    port = free_port()
    order = ["models", "serve", "--model-uri", model, "--port", port, "--env-manager", "local"]
    command = [sys.executable, "-m", "mlflow", *map(str, order)]
    with Server(command, port, tmp_path / "log", "/ping"), Line(port) as line:
        answer = line.ask(request("POST", "/invocations", split_body(rows)))
    assert answer.status == 200, answer.body
    agree(pd.DataFrame(json.loads(answer.body)["predictions"]), by_rest)


def agree(found: pd.DataFrame, by_rest: pd.DataFrame) -> None:
    assert set(by_rest["source"]) == {"champion", "previous", "baseline"}
    assert found["source"].tolist() == by_rest["source"].tolist()
    assert found["model_version"].tolist() == by_rest["model_version"].tolist()
    np.testing.assert_allclose(found[NUMBERS], by_rest[NUMBERS].astype(float), rtol=TOLERANCE)
