"""The OpenAPI document: every route with its bodies, an example of each, and every error it can answer."""

from dataclasses import dataclass
from typing import Any

import msgspec

from level2_cicd.serving.errors import EXTRA, KINDS, error_body
from level2_cicd.serving.schemas import (
    ErrorAnswer,
    ForecastRequest,
    Forecasts,
    Ready,
    ReleaseAnswer,
    Scored,
    ScoreRequest,
)

JSON = "application/json"
BODY_ERRORS = ("bad_json", "slow_body", "body_too_large", "not_json", "bad_request", "too_many_rows")
EVERYWHERE = ("bad_http", "slow_headers", "no_method", "headers_too_large", "overloaded", "failed")
MAKES = "R01", "R01S001", "P01"
_FORECAST = {
    "units": 90.4,
    "lower": 45.1,
    "upper": 150.9,
    "source": "champion",
    "model_version": "f4a7cd820b09",
    "trained_at": "2026-06-22T04:10:25Z",
    "reason": "",
}
_SERIES = dict(zip(("region", "store_id", "product_id"), MAKES, strict=True))
_HEAD = {"release": "f4a7cd820b09", "trained_at": "2026-06-22T04:10:25Z", "interval": 0.9}
_DATED = {**_HEAD, "forecasts": [{**_FORECAST, **_SERIES, "week": "2026-06-22", "horizon": 1}]}
_RELEASE = {
    "release": "f4a7cd820b09",
    "trained_at": "2026-06-22T04:10:25Z",
    "age_seconds": 86400.0,
    "as_of": "2026-06-15",
    "interval": 0.9,
    "segments": 55,
    "failed_over": [{"segment": "R01-small-slow", "reason": "too few rows to learn from"}],
    "published": "f4a7cd820b09",
    "horizons": 4,
    "columns_id": "3f0c5b1e9a7d2c44",
    "columns": ["lag_0", "lag_1"],
    "note": "",
}
_ROW = {
    **_SERIES,
    "category": "berries",
    "format": "large",
    "horizon": 1,
    "level": 81.5,
    "features": [0.78, None],
}


@dataclass(frozen=True)
class Described:
    """One operation: what it is for, its bodies with an example, and the errors of its own."""

    path: str
    summary: str
    answer: type | None
    example: Any
    errors: tuple[str, ...] = ()
    request: type | None = None
    request_example: Any = None
    open: bool = False

    @property
    def method(self) -> str:
        """In small letters."""
        return "post" if self.request else "get"

    @property
    def codes(self) -> tuple[str, ...]:
        """Every error that it can answer."""
        token = () if self.open else ("no_token",)
        body = BODY_ERRORS if self.request else ()
        return tuple(code for code in KINDS if code in {*EVERYWHERE, *token, *body, *self.errors})


OPERATIONS = (
    Described("/livez", "Whether the process lives.", None, {"status": "alive"}, open=True),
    Described(
        "/readyz",
        "Whether it answers: a release that has passed its self-test serves.",
        Ready,
        {"status": "ready", "release": "f4a7cd820b09", "note": ""},
        open=True,
    ),
    Described("/metrics", "What it counts, in Prometheus' text form.", None, "demand_ready 1.0\n"),
    Described("/openapi.json", "This document.", None, {}),
    Described("/v1/release", "What serves, and what feature rows must look like.", ReleaseAnswer, _RELEASE),
    Described(
        "/v1/forecasts/{region}/{store}/{product}",
        "The published forecasts of a series.",
        Forecasts,
        _DATED,
        ("unknown_series", "not_published"),
    ),
    Described(
        "/v1/forecast",
        "Forecasts of series, from the release's own feature snapshot.",
        Forecasts,
        _DATED,
        ("unknown_series", "unknown_week"),
        ForecastRequest,
        {"series": [{**_SERIES, "weeks": ["2026-06-22"]}]},
    ),
    Described(
        "/v1/score",
        "Forecasts of feature rows, in their order.",
        Scored,
        {**_HEAD, "forecasts": [_FORECAST]},
        ("other_columns", "bad_name", "bad_number", "bad_width"),
        ScoreRequest,
        {"columns": "3f0c5b1e9a7d2c44", "rows": [_ROW]},
    ),
)


def document() -> dict[str, Any]:
    """The OpenAPI 3.1 document."""
    types = [each for op in OPERATIONS for each in (op.answer, op.request) if each] + [ErrorAnswer]
    _, schemas = msgspec.json.schema_components(types, ref_template="#/components/schemas/{name}")
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Demand forecasts",
            "version": "1",
            "description": "Units a week of each store and product, and where they come from.",
        },
        "paths": {op.path: {op.method: _operation(op)} for op in OPERATIONS},
        "components": {
            "schemas": schemas,
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }


def _operation(op: Described) -> dict[str, Any]:
    found: dict[str, Any] = {
        "operationId": op.path.strip("/")
        .replace("/", "_")
        .replace("{", "")
        .replace("}", "")
        .replace(".", "_"),
        "summary": op.summary,
        "responses": {"200": _answer(op), **_errors(op)},
    }
    if not op.open:
        found["security"] = [{"token": []}]
    if op.request is not None:
        found["requestBody"] = {"required": True, "content": {JSON: _body(op.request, op.request_example)}}
    names = [part.strip("{}") for part in op.path.split("/") if part.startswith("{")]
    if names:
        found["parameters"] = [_parameter(name, text) for name, text in zip(names, MAKES, strict=True)]
    return found


def _parameter(name: str, example: str) -> dict[str, Any]:
    schema = {"type": "string", "minLength": 1}
    return {"name": name, "in": "path", "required": True, "schema": schema, "example": example}


def _answer(op: Described) -> dict[str, Any]:
    if isinstance(op.example, str):
        return {
            "description": op.summary,
            "content": {"text/plain": {"schema": {"type": "string"}, "example": op.example}},
        }
    return {"description": op.summary, "content": {JSON: _body(op.answer, op.example)}}


def _body(kind: type | None, example: Any) -> dict[str, Any]:
    schema = {"$ref": f"#/components/schemas/{kind.__name__}"} if kind else {"type": "object"}
    return {"schema": schema, "example": example}


def _errors(op: Described) -> dict[str, Any]:
    """An answer for each status, with an example for each code."""
    found: dict[str, Any] = {}
    for code in op.codes:
        status = str(KINDS[code].status)
        place = found.setdefault(status, {"description": "", "content": {JSON: _error_body()}})
        place["description"] = f"{place['description']} {code}: {KINDS[code].message}".strip()
        place["content"][JSON]["examples"][code] = {"value": msgspec.json.decode(error_body(code))}
        headers = {name.decode(): value.decode() for name, value in EXTRA.get(code, [])}
        for name, value in headers.items():
            if name != "connection":
                place.setdefault("headers", {})[name] = {"schema": {"type": "string"}, "example": value}
    return dict(sorted(found.items()))


def _error_body() -> dict[str, Any]:
    return {"schema": {"$ref": "#/components/schemas/ErrorAnswer"}, "examples": {}}
