"""A store whose release has all that can be served: champions, a carried model, a segment without a model."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from demand.bundle import MANIFEST, encode_manifest, read_manifest
from level1_pipeline import store
from level1_pipeline.__main__ import main as level1
from level2_cicd.serving.app import Service, create
from level2_cicd.serving.engine import CATEGORIES, Rows
from level2_cicd.serving.server import Server
from level2_cicd.serving.settings import Limits, ServingSettings
from level2_cicd.serving.sockets import bind

CARRIED, FAILED = "R01-large-slow", "R02-small-slow"
WHY_FAILED = "too few rows to learn from"


@pytest.fixture(scope="session")
def served(releases: Callable[..., Any]) -> Path:
    """A store of which the release, b, has CARRIED from a and no model for FAILED; never write into it."""
    made = releases("local")
    folder, version = made.environment.store, made.versions[1]
    fail_segment(store.bundle_folder(folder, version))
    store.point_at(folder, version)
    publish(folder)
    return Path(folder)


@pytest.fixture(scope="session")
def live(served: Path, serve_here: Callable[..., tuple[Service, int]]) -> tuple[Service, int]:
    """A service without tokens, and its port."""
    return serve_here(served, Limits())


@pytest.fixture(scope="session")
def service(live: tuple[Service, int]) -> Service:
    return live[0]


@pytest.fixture(scope="session")
def client(live: tuple[Service, int]) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=f"http://127.0.0.1:{live[1]}", timeout=20) as found:
        yield found


@pytest.fixture(scope="session")
def content(service: Service) -> Callable[..., dict[str, Any]]:
    """The body of a request to score rows of the snapshot; changes: fields of every row."""

    def body(place: list[int], **changes: object) -> dict[str, Any]:
        release = service.reloader.now.release
        rows = [{**each, **changes} for each in as_json(release.snapshot.rows(place))]
        return {"columns": release.columns_id, "rows": rows}

    return body


@pytest.fixture
def ask(client: httpx.Client, content: Callable[..., dict[str, Any]]) -> Callable[..., Any]:
    """Asks /v1/score for rows of the snapshot; changes: fields of every row."""

    def score(place: list[int], **changes: object) -> Any:
        return client.post("/v1/score", json=content(place, **changes)).json()

    return score


def fail_segment(folder: Path) -> None:
    """Takes the model of FAILED out of a bundle."""
    manifest = read_manifest(folder)
    entries = {segment: entry for segment, entry in manifest.entries.items() if segment.name != FAILED}
    failed = {segment: WHY_FAILED for segment in manifest.entries if segment.name == FAILED}
    (folder / MANIFEST).write_bytes(encode_manifest(replace(manifest, entries=entries, failed=failed)))


def publish(folder: Path) -> None:
    """Publishes the forecasts of the release in use."""
    out = folder / "forecasts.parquet"
    order = ["score", "--data", folder / "data" / "tiny", "--env-dir", folder, "--out", out, "-q"]
    assert level1([str(each) for each in order]) == 0


def as_json(rows: Rows) -> list[dict[str, Any]]:
    """Feature rows as JSON has them."""
    numbers = zip(rows.horizon.tolist(), rows.level.tolist(), rows.features, strict=True)
    return [
        {
            **dict(zip(CATEGORIES, names, strict=True)),
            "horizon": horizon,
            "level": level,
            "features": [None if np.isnan(value) else float(value) for value in features],
        }
        for names, (horizon, level, features) in zip(rows.names, numbers, strict=True)
    ]


@pytest.fixture(scope="session")
def serve_here() -> Iterator[Callable[..., tuple[Service, int]]]:
    """Serves a store on a port of this process; ends when the tests do."""
    running: list[tuple[Server, threading.Thread]] = []

    def start(folder: Path, limits: Limits, **settings: Any) -> tuple[Service, int]:
        service = create(ServingSettings(folder, limits=limits, **settings))
        sock, up = bind("127.0.0.1", 0), threading.Event()
        port = sock.getsockname()[1]
        server = Server(service, up.set)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [sock]}, daemon=True)
        thread.start()
        running.append((server, thread))
        assert up.wait(20)
        return service, port

    yield start
    for server, thread in running:
        server.should_exit = True
        thread.join(20)
