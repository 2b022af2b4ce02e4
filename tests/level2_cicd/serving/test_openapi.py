"""The document describes every route, with examples that hold and every error."""

from typing import Any

import httpx
import msgspec
import pytest

from level2_cicd.serving.app import Service
from level2_cicd.serving.errors import KINDS
from level2_cicd.serving.openapi import OPERATIONS, Described, document


def test_the_document_is_served(client: httpx.Client) -> None:
    assert client.get("/openapi.json").json() == msgspec.to_builtins(document())


def test_every_route_is_described_and_every_description_is_a_route(service: Service) -> None:
    routes = {route.path for route in service.frame.routes} | set(service.hot)  # type: ignore[attr-defined]
    assert routes == {op.path for op in OPERATIONS}


@pytest.mark.parametrize("op", OPERATIONS, ids=lambda op: op.path)
def test_examples_are_what_the_types_say(op: Described) -> None:
    for kind, example in ((op.answer, op.example), (op.request, op.request_example)):
        if kind is not None:
            assert msgspec.convert(example, kind)


def test_every_reference_leads_to_a_schema() -> None:
    found = document()
    schemas = found["components"]["schemas"]

    def references(node: Any) -> list[str]:
        if isinstance(node, dict):
            own = [node["$ref"]] if "$ref" in node else []
            return own + [each for value in node.values() for each in references(value)]
        return [each for value in node for each in references(value)] if isinstance(node, list) else []

    names = {each.removeprefix("#/components/schemas/") for each in references(found)}
    assert names <= set(schemas)
    assert {"ScoreRequest", "ForecastRequest", "Scored", "Forecasts", "ErrorAnswer"} <= names


@pytest.mark.parametrize("op", OPERATIONS, ids=lambda op: op.path)
def test_every_error_of_a_route_is_in_the_document_with_its_code(op: Described) -> None:
    responses = document()["paths"][op.path][op.method]["responses"]
    told = {
        (int(status), code)
        for status, response in responses.items()
        if status != "200"
        for code in response["content"]["application/json"]["examples"]
    }
    assert told == {(KINDS[code].status, code) for code in op.codes}


def test_a_token_is_asked_for_everywhere_but_where_it_is_asked_whether_it_lives() -> None:
    paths = document()["paths"]
    assert {op.path for op in OPERATIONS if "security" not in paths[op.path][op.method]} == {
        "/livez",
        "/readyz",
    }
