"""The pages of the service: REST, from its OpenAPI document, and every metric that Prometheus may ask for."""

import ast
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from markup import cell, code, table
from prometheus_client import Counter, Gauge, Histogram
from prometheus_client.metrics import MetricWrapperBase

from level1_pipeline.alert_metrics import HELP
from level2_cicd.serving.errors import KINDS
from level2_cicd.serving.feedback import Feedback
from level2_cicd.serving.metrics import Metrics
from level2_cicd.serving.openapi import document

LIMITS = "level2_cicd/serving/settings.py"


def rest_page(root: Path) -> str:
    """Every route with parameters, bodies and errors."""
    head = (
        "# REST\n\nWhat `python -m level2_cicd serve` answers; the same as OpenAPI at `/openapi.json`. "
        "How to use it: [serving](../serving.md).\n"
    )
    found = document()
    parts = [head]
    for path, methods in found["paths"].items():
        parts += [_operation(path, method, each) for method, each in methods.items()]
    parts.append("## Errors\n\n" + _errors())
    parts.append("## Limits\n\n" + table(("limit", "value", "of"), _limits(root)))
    return "\n".join(parts)


def _operation(path: str, method: str, found: dict[str, Any]) -> str:
    token = (
        "Needs a token where the environment asks for one."
        if "security" in found
        else "Open: needs no token."
    )
    parts = [f"## {method.upper()} {path}\n\n{found['summary']} {token}\n"]
    if "requestBody" in found:
        parts.append(_example("Request", found["requestBody"]["content"]))
    parts.append(_example("Answer", found["responses"]["200"]["content"]))
    errors = [code(name) for name in _codes(found)]
    parts.append(f"Errors: {', '.join(errors)}.\n")
    return "\n".join(parts)


def _example(what: str, content: dict[str, Any]) -> str:
    kind, body = next(iter(content.items()))
    example = body["example"]
    shown = example.strip() if isinstance(example, str) else json.dumps(example, indent=1)
    return f"{what}, `{kind}`:\n\n```{'json' if kind.endswith('json') else 'text'}\n{shown}\n```\n"


def _codes(found: dict[str, Any]) -> list[str]:
    answers = [each for status, each in found["responses"].items() if status != "200"]
    return [name for each in answers for name in each["content"]["application/json"]["examples"]]


def _errors() -> str:
    rows = [(code(name), str(kind.status), cell(kind.message)) for name, kind in KINDS.items()]
    return table(("code", "status", "message"), rows)


def _limits(root: Path) -> Iterator[tuple[str, str, str]]:
    """Name, value and unit of each limit, from the lines of the class."""
    source = (root / LIMITS).read_text(encoding="utf-8")
    text = source.splitlines()
    classes = {each.name: each for each in ast.parse(source).body if isinstance(each, ast.ClassDef)}
    for each in classes["Limits"].body:
        if isinstance(each, ast.AnnAssign) and each.value is not None:
            told = text[each.lineno - 1].partition("# ")[2]
            yield code(ast.unparse(each.target)), code(ast.unparse(each.value)), cell(told)


def metrics_page(root: Path) -> str:
    """Every metric: of the service at /metrics, and of monitoring in alerts.prom."""
    served = [(code(name), kind, labels, cell(text)) for name, kind, labels, text in service_metrics()]
    watched = [(code(name), cell(text)) for name, text in HELP.items()]
    return (
        "# Metrics\n\n## Of the service\n\nAt `/metrics` of a service, in Prometheus' text form. Alerts and "
        "runbooks: [monitoring](../monitoring.md).\n\n"
        + table(("metric", "kind", "labels", "meaning"), served)
        + "\n## Of monitoring\n\nGauges in `monitoring/alerts.prom` of a store, which `monitor` and `check` "
        "write; for the textfile collector of Prometheus' node exporter.\n\n"
        + table(("metric", "meaning"), watched)
    )


def service_metrics() -> Iterator[tuple[str, str, str, str]]:
    """Name, kind, labels and help of each metric of the service."""
    metrics = Metrics()
    feedback = Feedback(Path("unused"))
    try:
        found = [*vars(metrics).values(), *feedback.counters]
    finally:
        feedback.close()
    kinds = {Counter: ("counter", "_total"), Gauge: ("gauge", ""), Histogram: ("histogram", "")}
    for each in found:
        if isinstance(each, MetricWrapperBase):
            kind, ending = kinds[type(each)]
            labels = ", ".join(code(label) for label in each._labelnames)
            yield each._name + ending, kind, labels, each._documentation
