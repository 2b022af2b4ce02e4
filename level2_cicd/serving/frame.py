"""The frame: FastAPI with the routes that are not hot, the document of all, and the same short errors."""

from collections.abc import Callable

import msgspec
from fastapi import FastAPI, Request
from fastapi.responses import Response
from starlette.exceptions import HTTPException

from level2_cicd.serving.errors import Refused
from level2_cicd.serving.metrics import Metrics
from level2_cicd.serving.openapi import document
from level2_cicd.serving.reload import Reloader
from level2_cicd.serving.routes import Routes

JSON = "application/json"
TEXT = "text/plain; version=0.0.4; charset=utf-8"


def build_frame(routes: Routes, reloader: Reloader, metrics: Metrics) -> FastAPI:
    """The application with every route but the hot ones, which do without it."""
    app = FastAPI(title="Demand forecasts", docs_url=None, redoc_url=None, openapi_url=None)
    app.router.redirect_slashes = False

    described = msgspec.json.encode(document())

    async def livez() -> Response:
        return Response(b'{"status":"alive"}', media_type=JSON)

    async def readyz() -> Response:
        return Response(routes.ready(reloader.now), media_type=JSON)

    async def show_metrics() -> Response:
        return Response(metrics.text(), headers={"content-type": TEXT})

    async def release() -> Response:
        return Response(routes.release(reloader.now), media_type=JSON)

    async def forecasts(region: str, store: str, product: str) -> Response:
        return Response(routes.published(reloader.now, (region, store, product)), media_type=JSON)

    async def openapi() -> Response:
        return Response(described, media_type=JSON)

    _get(app, "/openapi.json", openapi)
    _get(app, "/livez", livez)
    _get(app, "/readyz", readyz)
    _get(app, "/metrics", show_metrics)
    _get(app, "/v1/release", release)
    _get(app, "/v1/forecasts/{region}/{store}/{product}", forecasts)
    app.add_exception_handler(Refused, _refused)
    app.add_exception_handler(HTTPException, _not_routed)
    return app


def _get(app: FastAPI, path: str, endpoint: Callable[..., object]) -> None:
    app.add_api_route(path, endpoint, methods=["GET"])


async def _refused(_: Request, error: Exception) -> Response:
    assert isinstance(error, Refused)
    headers = {name.decode(): value.decode() for name, value in error.headers}
    return Response(error.body(), error.status, headers, JSON)


async def _not_routed(request: Request, error: Exception) -> Response:
    """What Starlette's router refuses, in the service's words."""
    assert isinstance(error, HTTPException)
    allow = (error.headers or {}).get("Allow", "")
    headers = [(b"allow", allow.encode())] if allow else []
    code = "no_method" if error.status_code == 405 else "no_route"
    return await _refused(request, Refused(code, headers=headers))
