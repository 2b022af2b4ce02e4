"""Which answers a change lowered or raised, against an earlier assessment."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from maturity.assessment import Assessment
from maturity.errors import AnswersError
from maturity.grades import LABELS, UNKNOWN, label

ORDER = {UNKNOWN: -1, **{text: int(grade) for grade, text in LABELS.items()}}


@dataclass(frozen=True)
class Move:
    """A question whose grade changed: from, to, and what is said of it now."""

    question: str
    before: str
    after: str
    because: str


@dataclass(frozen=True)
class Change:
    """All moves since a baseline."""

    lowered: tuple[Move, ...]
    raised: tuple[Move, ...]


def read_baseline(path: Path) -> dict[str, str]:
    """Question to grade of an earlier assessment in JSON; raises AnswersError for any other file."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        grades = {each["id"]: each["grade"] for each in content["questions"]}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise AnswersError(
            f"{path}: no assessment ({type(error).__name__}: {error}); expected what "
            "`mlops-ladder assess PATH --format json` writes. Make it again."
        ) from error
    if wrong := set(grades.values()) - set(ORDER):
        raise AnswersError(
            f"{path}: grade {sorted(wrong)[0]!r}; expected one of {sorted(ORDER)}. Make it again."
        )
    return grades


def compare(before: Mapping[str, str], now: Assessment) -> Change:
    """What moved; questions that the baseline does not know are left out."""
    moves = [
        Move(result.question.id, before[result.question.id], label(result.grade), result.because)
        for result in now.results
        if before.get(result.question.id, label(result.grade)) != label(result.grade)
    ]
    lowered = tuple(move for move in moves if ORDER[move.after] < ORDER[move.before])
    return Change(lowered, tuple(move for move in moves if move not in lowered))
