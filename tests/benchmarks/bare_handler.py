"""The least that answers /v1/score: plain ASGI, msgspec and ONNX Runtime; it trusts its input.

It parses the same bodies, groups the rows by segment, asks each segment's session once and answers units,
lower and upper. It knows no tokens, limits, unseen names, averages, provenance, metrics or second release.

Example: python tests/benchmarks/bare_handler.py STORE PORT
"""

import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import uvicorn

from demand.bundle.folder import read_files
from demand.bundle.graph import open_graph
from demand.bundle.manifest import SNAPSHOT, SPEEDS
from demand.errors import UsageError
from level2_cicd.serving.columns import read_table, texts
from level2_cicd.serving.release import read_pointer
from level2_cicd.serving.snapshot import KEYS

CATEGORIES = ("region", "store_id", "product_id", "category", "format")
Names = tuple[str, str, str, str, str]


class Row(msgspec.Struct):
    """A feature row."""

    region: str
    store_id: str
    product_id: str
    category: str
    format: str
    horizon: int
    level: float
    features: list[float | None] | bytes

    @property
    def names(self) -> Names:
        """The series' names."""
        return self.region, self.store_id, self.product_id, self.category, self.format


class Request(msgspec.Struct):
    """Feature rows."""

    rows: list[Row]


class Answer(msgspec.Struct):
    """Units, lower and upper of each row."""

    forecasts: list[tuple[float, float, float]]


class Handler:
    """The application: one session per segment."""

    def __init__(self, store: Path) -> None:
        version = msgspec.json.decode(read_pointer(store))["model_version"]
        manifest, files = read_files(store / "bundle" / version)
        if len({entry.form for entry in manifest.entries.values()}) > 1:
            raise UsageError(
                f"{store}: expected a release whose graphs read the same columns; got several forms."
            )
        speeds = zip(
            *texts(read_table(files[SPEEDS]), "region", "format", "product_id", "speed"), strict=True
        )
        self.speeds = {(region, kind, product): speed for region, kind, product, speed in speeds}
        self.sessions = {
            (segment.region, segment.format, segment.speed): open_graph(files[entry.file], entry.file)
            for segment, entry in manifest.entries.items()
        }
        form = msgspec.json.decode(files[next(iter(manifest.entries.values())).form])
        columns = [name for name in read_table(files[SNAPSHOT]).column_names if name not in KEYS]
        self.order = np.array([columns.index(name) if name != "horizon" else 0 for name in form["names"]])
        self.ahead = form["names"].index("horizon") if "horizon" in form["names"] else None
        self.decode = msgspec.json.Decoder(Request).decode
        self.encode = msgspec.json.Encoder().encode

    async def __call__(self, scope: dict[str, Any], receive: Callable[[], Awaitable[Any]], send: Any) -> None:
        """Answers one request."""
        if scope["type"] != "http":
            return
        message = await receive()
        body = message["body"]
        while message["more_body"]:
            message = await receive()
            body += message["body"]
        answer = self.encode(self.answer(self.decode(body).rows)) if body else b"{}"
        headers = [(b"content-type", b"application/json"), (b"content-length", str(len(answer)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": answer})

    def answer(self, rows: list[Row]) -> Answer:
        """The forecasts of rows, in their order."""
        groups: dict[tuple[str, str, str], list[int]] = {}
        for at, row in enumerate(rows):
            speed = self.speeds[row.region, row.format, row.product_id]
            groups.setdefault((row.region, row.format, speed), []).append(at)
        found = np.empty((3, len(rows)))
        for segment, place in groups.items():
            found[:, place] = self.ask(segment, [rows[at] for at in place])
        return Answer(found.T.tolist())

    def ask(self, segment: tuple[str, str, str], rows: list[Row]) -> Any:
        """Units, lower and upper of the rows of a segment."""
        given = [row.features for row in rows]
        if isinstance(given[0], bytes):
            features = np.frombuffer(b"".join(given), "<f4").reshape(len(rows), -1)[:, self.order]
        else:
            features = np.array(given, np.float32)[:, self.order]
        horizon = np.array([row.horizon for row in rows])
        if self.ahead is not None:
            features[:, self.ahead] = horizon
        index: dict[Names, int] = {}
        inputs = {
            "features": features,
            "horizon": horizon,
            "level": np.array([row.level for row in rows], np.float32),
            "series": np.array([index.setdefault(row.names, len(index)) for row in rows]),
        }
        columns = zip(CATEGORIES, zip(*index, strict=True), strict=True)
        texts_of = {name: np.array(column, object) for name, column in columns}
        return self.sessions[segment].run(["units", "lower", "upper"], inputs | texts_of)


if __name__ == "__main__":
    uvicorn.run(Handler(Path(sys.argv[1])), port=int(sys.argv[2]), log_level="warning", access_log=False)
