"""Valid requests to a service: bodies of feature rows and of series, from the snapshot of a release."""

import base64
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
from wire import Line, request

from demand.bundle import SNAPSHOT, from_parquet
from level1_pipeline.store import current_bundle

KEYS = ("region", "store_id", "product_id", "category", "format", "horizon", "level")
SERIES = ("region", "store_id", "product_id")


def snapshot_of(store: Path) -> pd.DataFrame:
    """The snapshot of the release in use, in the shortest decimals that give its 32-bit numbers."""
    snapshot = from_parquet((current_bundle(store) / SNAPSHOT).read_bytes())
    narrow = snapshot.select_dtypes("float32")
    return snapshot.assign(
        **{name: [float(str(each)) for each in narrow[name].to_numpy()] for name in narrow}
    )


def told_by(port: int, token: str = "") -> dict[str, Any]:
    """What a service says of the release that it serves."""
    with Line(port) as line:
        return dict(json.loads(line.ask(request("GET", "/v1/release", token=token)).body))


def rows_body(rows: pd.DataFrame, told: Mapping[str, Any], *, packed: bool = False) -> bytes:
    """A body of /v1/score, features as lists or packed; told: of the release that is asked."""
    table = rows[list(told["columns"])]
    if packed:
        features = [base64.b64encode(row.tobytes()).decode() for row in table.to_numpy("<f4")]
    else:
        table = table.astype(object)
        features = table.where(table.notna(), None).to_numpy().tolist()
    keys = rows[list(KEYS)].to_dict(orient="records")
    content = [{**key, "features": values} for key, values in zip(keys, features, strict=True)]
    return json.dumps({"columns": told["columns_id"], "rows": content}).encode()


def series_body(rows: pd.DataFrame, *, weeks: bool = False) -> bytes:
    """A body of /v1/forecast for the series of some rows; weeks: of each row's week alone."""
    keys = rows[list(SERIES)].to_dict(orient="records")
    if weeks:
        told = [
            {**key, "weeks": [week.date().isoformat()]} for key, week in zip(keys, rows["week"], strict=True)
        ]
        return json.dumps({"series": told}).encode()
    distinct = rows[list(SERIES)].drop_duplicates().to_dict(orient="records")
    return json.dumps({"series": distinct}).encode()


def samples(store: Path, port: int, token: str = "") -> list[bytes]:
    """A valid request of each route, several of those with a body."""
    snapshot, told = snapshot_of(store), told_by(port, token)
    first = "/".join(snapshot.loc[0, list(SERIES)])
    paths = ("/livez", "/readyz", "/metrics", "/openapi.json", "/v1/release", f"/v1/forecasts/{first}")
    parts = [snapshot.iloc[:1], snapshot.iloc[3:6]]
    bodies = [("/v1/score", rows_body(each, told)) for each in parts]
    bodies += [("/v1/forecast", series_body(each, weeks=weeks)) for each in parts for weeks in (False, True)]
    posts = [request("POST", path, body, token) for path, body in bodies]
    return [*(request("GET", path, token=token) for path in paths), *posts]
