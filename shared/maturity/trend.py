"""Assessments over time, one JSON line each."""

import json
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from maturity.assessment import Assessment
from maturity.errors import AnswersError


@dataclass(frozen=True)
class Point:
    """One assessment of the past: its day, both levels, the ML Test Score, and the vector."""

    as_of: date
    scope: str
    google: int
    azure: int
    ml_test_score: float
    vector: dict[str, float | None]


def append_point(path: Path, assessment: Assessment) -> None:
    """Add the assessment; one of the same day and scope is written once more, and the last one counts."""
    read_points(path)
    row = {
        "as_of": assessment.as_of.isoformat(),
        "scope": assessment.scope or ".",
        "google": assessment.google.level,
        "azure": assessment.azure.level,
        "ml_test_score": assessment.ml_test_score.total,
        "vector": {dimension.name: dimension.score for dimension in assessment.vector},
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(row, sort_keys=True) + "\n")


def read_points(path: Path) -> list[Point]:
    """The assessments of a file by day; none where it is not there. Raises AnswersError naming the line."""
    if not path.is_file():
        return []
    found: dict[tuple[str, str], Point] = {}
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        try:
            row = json.loads(line)
            row["as_of"] = date.fromisoformat(row["as_of"])
            found[row["as_of"].isoformat(), row["scope"]] = Point(**row)
        except (ValueError, KeyError, TypeError) as error:
            raise AnswersError(
                f"{path}, line {number}: no assessment ({error}); expected what --history appends. "
                "Take the line out."
            ) from error
    return sorted(found.values(), key=lambda point: point.as_of)
