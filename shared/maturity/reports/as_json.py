"""An assessment as JSON, which is also what `--baseline` reads."""

import json
from typing import Any

from maturity.assessment import Assessment, Step
from maturity.grades import label
from maturity.judging import Result
from maturity.scoring import Level

FORMAT = 1


def content(assessment: Assessment, steps: list[Step]) -> dict[str, Any]:
    """The assessment as plain values; levels stand for themselves and in detail."""
    score = assessment.ml_test_score
    return {
        "format": FORMAT,
        "name": assessment.name,
        "scope": assessment.scope or ".",
        "as_of": assessment.as_of.isoformat(),
        "google_level": assessment.google.level,
        "azure_level": assessment.azure.level,
        "google": _level(assessment.google),
        "azure": _level(assessment.azure),
        "ml_test_score": {"total": score.total, "sections": score.sections, "unknown": list(score.unknown)},
        "confidence": assessment.confidence,
        "vector": [
            {"dimension": d.name, "score": d.score, "known": d.known, "questions": d.questions}
            for d in assessment.vector
        ],
        "blocking_question": assessment.blocking,
        "next_steps": [_step(step) for step in steps],
        "questions": [_result(result) for result in assessment.results],
        "differing_answers": [{"question": d.question, "said": dict(d.said)} for d in assessment.differing],
        "problems": [{"path": path, "reason": why} for path, why in sorted(assessment.problems.items())],
    }


def render(assessment: Assessment, steps: list[Step]) -> str:
    """The JSON text."""
    return json.dumps(content(assessment, steps), indent=2, ensure_ascii=True) + "\n"


def _level(level: Level) -> dict[str, Any]:
    return {
        "level": level.level,
        "blocking": list(level.blocking),
        "people_aside": list(level.aside),
        "with_people": level.with_people,
    }


def _step(step: Step) -> dict[str, Any]:
    path, line, text = step.see
    question = step.question
    return {
        "question": question.id,
        "step": question.next,
        "effort": question.effort,
        "why": step.why,
        "see": {"path": path, "line": line or None, "text": text},
    }


def _result(result: Result) -> dict[str, Any]:
    question = result.question
    return {
        "id": question.id,
        "dimension": question.dimension,
        "text": question.text,
        "how": question.how,
        "google": question.google,
        "azure": question.azure,
        "ml_test": list(question.ml_test),
        "grade": label(result.grade),
        "satisfied": result.satisfied,
        "because": result.because,
        "evidence": [
            {
                "path": fact.path,
                "line": fact.line,
                "says": f"{fact.kind}: {fact.name}"[:200],
                "events": sorted(fact.events),
            }
            for fact in result.facts
        ],
        "records": [{"path": r.path, "day": r.day.isoformat(), "what": r.what} for r in result.records],
    }
