"""What the service answers over its whole snapshot, held against batch scoring, segment by segment."""

import asyncio
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from demand.bundle import MANIFEST
from demand.errors import IntegrityError
from demand.features import offset_of
from demand.scoring import read_bundle, read_snapshot, score_rows
from demand.segments import assign_segments
from level1_pipeline.store import CURRENT, bundle_folder, current_bundle, sha256_of, write_json
from level2_cicd.serving.app import Service, create
from level2_cicd.serving.settings import ServingSettings

KEYS = ["region", "store_id", "product_id", "category", "format"]
NUMBERS = ["units", "lower", "upper"]
ROWS = 1000  # a request
WORST = 1e9  # a difference that is no number: JSON has none
Floats = NDArray[np.float64]


def rest_parity(store: Path, version: str | None = None) -> dict[str, dict[str, float]]:
    """Rows and largest relative difference by segment: what REST answers, against batch scoring with ONNX.

    Every row of the feature snapshot is asked twice, as a feature row and as a series and week. version: of a
    bundle in the store, by default of the one in use; nothing needs to point at it. Differences are relative
    to the larger of the forecast and a tenth of the level, as in every parity certificate of this project.
    Raises UsageError for a store without the bundle, IntegrityError where the service refuses to serve it.
    """
    bundle = read_bundle(bundle_folder(store, version) if version else current_bundle(store))
    snapshot = read_snapshot(bundle)
    batch = score_rows(bundle, snapshot)[NUMBERS].to_numpy(np.float64)
    with _pointing_at(bundle.folder) as folder:
        service = create(ServingSettings(folder))
        answers = [_answers(service, "/v1/score", _scored(service, snapshot), len(snapshot))]
        answers.append(_answers(service, "/v1/forecast", _by_series(snapshot), len(snapshot)))
    least = np.asarray(offset_of(snapshot["level"].to_numpy(np.float32)), np.float64)[:, None]
    worst = np.max([np.abs(each - batch) / np.maximum(np.abs(batch), least) for each in answers], axis=(0, 2))
    nothing = np.isnan(batch).all(axis=1) & np.isnan(answers).all(axis=(0, 2))  # absent, and told so
    difference = pd.Series(np.where(nothing, 0.0, np.nan_to_num(worst, nan=WORST, posinf=WORST)))
    series = snapshot[KEYS].drop_duplicates()
    names = [segment.name for segment in assign_segments(series, bundle.speeds)]
    segment = snapshot[KEYS].merge(series.assign(segment=names), on=KEYS, how="left")["segment"]
    found = difference.groupby(segment.to_numpy())
    return {str(name): {"rows": len(each), "difference": float(each.max())} for name, each in found}


@contextmanager
def _pointing_at(bundle: Path) -> Iterator[Path]:
    """A store for a while, whose pointer names the bundle."""
    with TemporaryDirectory(prefix="parity-") as name:
        folder = Path(name)
        (folder / "bundle").symlink_to(bundle.parent.resolve())
        pointer = {"format": 1, "model_version": bundle.name, "manifest_sha256": sha256_of(bundle / MANIFEST)}
        write_json(pointer, folder / CURRENT)
        yield folder


def _scored(service: Service, snapshot: pd.DataFrame) -> Iterator[dict[str, Any]]:
    """Bodies of /v1/score for the rows of the snapshot, in their order."""
    release = service.reloader.now.release
    features = snapshot[list(release.snapshot.columns)].astype(object)
    features = features.where(features.notna(), None)
    keys = snapshot[[*KEYS, "horizon", "level"]].to_dict(orient="records")
    rows = [
        {**key, "features": values} for key, values in zip(keys, features.to_numpy().tolist(), strict=True)
    ]
    for start in range(0, len(rows), ROWS):
        yield {"columns": release.columns_id, "rows": rows[start : start + ROWS]}


def _by_series(snapshot: pd.DataFrame) -> Iterator[dict[str, Any]]:
    """Bodies of /v1/forecast for the same, each row as its series and week."""
    keys = snapshot[KEYS[:3]].to_dict(orient="records")
    weeks = snapshot["week"].dt.strftime("%Y-%m-%d")
    series = [{**key, "weeks": [week]} for key, week in zip(keys, weeks, strict=True)]
    for start in range(0, len(series), ROWS):
        yield {"series": series[start : start + ROWS]}


def _answers(service: Service, path: str, bodies: Iterator[dict[str, Any]], n_rows: int) -> Floats:
    """Units, lower and upper of each row, (n_rows, 3), NaN where the answer has null."""
    # In a thread of its own: this one may run an event loop already, as a notebook does.
    with ThreadPoolExecutor(1) as thread:
        asked = [
            thread.submit(asyncio.run, _post(service, path, json.dumps(body).encode())) for body in bodies
        ]
        rows = [row for each in asked for row in each.result()]
    found = np.array([[row[name] for name in NUMBERS] for row in rows], np.float64)
    if found.shape != (n_rows, len(NUMBERS)):
        raise IntegrityError(f"{path}: expected {n_rows} forecasts; got {len(rows)}. Mend the service.")
    return found


async def _post(service: Service, path: str, body: bytes) -> list[dict[str, Any]]:
    """The forecasts that the application answers; raises IntegrityError where it refuses."""
    told: list[dict[str, Any]] = []
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        told.append(message)

    await service({"type": "http", "method": "POST", "path": path, "headers": headers}, receive, send)
    if told[0]["status"] != 200:
        raise IntegrityError(
            f"{path}: expected forecasts of the release's own snapshot; got status {told[0]['status']}, "
            f"{told[1]['body'].decode()}. Mend the service."
        )
    return list(json.loads(told[1]["body"])["forecasts"])
