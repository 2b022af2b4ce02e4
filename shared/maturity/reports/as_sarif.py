"""An assessment as SARIF 2.1.0: what lacks is a warning, what is found a note at its line."""

import json
from typing import Any
from urllib.parse import quote

from maturity.assessment import Assessment
from maturity.facts import Fact
from maturity.grades import Grade, label
from maturity.judging import Result

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"


def render(assessment: Assessment) -> str:
    """The SARIF text: a rule per question, a result per known answer."""
    rules = [_rule(result) for result in assessment.results]
    results = [
        _result(number, result)
        for number, result in enumerate(assessment.results)
        if result.grade is not None
    ]
    driver = {"name": "mlops-ladder", "informationUri": "https://sarifweb.azurewebsites.net", "rules": rules}
    content = {
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{"tool": {"driver": driver}, "results": results}],
    }
    return json.dumps(content, indent=2) + "\n"


def _rule(result: Result) -> dict[str, Any]:
    question = result.question
    return {
        "id": question.id,
        "shortDescription": {"text": question.text},
        "help": {"text": question.next},
        "properties": {"dimension": question.dimension, "google": question.google, "azure": question.azure},
    }


def _result(number: int, result: Result) -> dict[str, Any]:
    lacking = result.grade is not None and result.grade <= Grade.CLAIMED
    message = f"{label(result.grade)}: {result.because}."
    return {
        "ruleId": result.question.id,
        "ruleIndex": number,
        "level": "warning" if lacking else "note",
        "message": {"text": f"{message} {result.question.next}" if lacking else message},
        "locations": [_location(fact) for fact in result.facts],
    }


def _location(fact: Fact) -> dict[str, Any]:
    return {
        "physicalLocation": {
            "artifactLocation": {"uri": quote(fact.path)},
            "region": {"startLine": max(1, fact.line)},
        }
    }
