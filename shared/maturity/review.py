"""The questions as checks of repo-review, for those who run it; repo-review itself is not imported."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Any

from maturity.assessment import Order, assess
from maturity.grades import label
from maturity.judging import Result
from maturity.questions import Question, read_questions

FAMILY = "mlops"
PREFIX = "ML"
FIRST = 101


@dataclass(frozen=True)
class QuestionCheck:
    """One question as a check: passed, failed with a reason, or skipped where only people know."""

    question: Question
    as_of: date
    family: str = FAMILY
    requires: frozenset[str] = field(default=frozenset())
    url: str = ""

    @property
    def __doc__(self) -> str:  # type: ignore[override]
        return _literal(self.question.text)

    def check(self, root: Any) -> bool | str | None:
        """True where the question is answered well enough, a reason where not, None where not known."""
        if not isinstance(root, Path):
            return None
        result = _results(root.resolve(), self.as_of)[self.question.id]
        if result.grade is None:
            return None
        if result.satisfied:
            return True
        return _literal(f"{label(result.grade)}: {result.because}. {self.question.next}")


def _literal(text: str) -> str:
    return text.replace("{", "{{").replace("}", "}}")


@lru_cache(maxsize=4)
def _results(root: Path, as_of: date) -> dict[str, Result]:
    return {result.question.id: result for result in assess(Order(root, as_of)).results}


def checks() -> dict[str, QuestionCheck]:
    """One check per question, by names that stay as long as the order of the questions does."""
    today = date.today()
    return {
        f"{PREFIX}{number}": QuestionCheck(each, today) for number, each in enumerate(read_questions(), FIRST)
    }


def families() -> Mapping[str, Mapping[str, object]]:
    """How repo-review titles them."""
    return {FAMILY: {"name": "MLOps maturity", "order": 10}}
