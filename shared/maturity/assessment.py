"""The assessment of a repository: scan, judge, take people's answers in, score, and say what to do next."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from maturity.answers import FILE, Answer, Difference, amended, differences, read_answers
from maturity.errors import UsageError
from maturity.evidence import RECORDS, read_evidence, recent
from maturity.judging import Result, judge
from maturity.modules import Modules
from maturity.questions import Question, read_questions
from maturity.scanner import Scan, scan
from maturity.scoring import Dimension, Level, RubricScore, confidence, level, rubric_score, vector

EFFORTS = ("hours", "days", "weeks")
STEPS = 3


@dataclass(frozen=True)
class Step:
    """What to do next for a question, what it costs, and the lines that show how (path, line or 0, text)."""

    question: Question
    why: str
    see: tuple[str, int, str]


@dataclass(frozen=True)
class Assessment:
    """All that is known of a repository, or of one folder of it, on a day."""

    name: str
    scope: str
    as_of: date
    results: tuple[Result, ...]
    problems: dict[str, str] = field(default_factory=dict)
    differing: tuple[Difference, ...] = ()

    @property
    def vector(self) -> list[Dimension]:
        """One entry per dimension."""
        return vector(self.results)

    @property
    def google(self) -> Level:
        """Google's level, 0 to 2."""
        return level("google", self.results)

    @property
    def azure(self) -> Level:
        """Microsoft's level, 0 to 4."""
        return level("azure", self.results)

    @property
    def ml_test_score(self) -> RubricScore:
        """The ML Test Score."""
        return rubric_score(self.results)

    @property
    def confidence(self) -> float:
        """Share of the questions whose answer is known."""
        return confidence(self.results)

    @property
    def blocking(self) -> str | None:
        """The question that stands first in the way of the next level; None at the top of both scales."""
        found = [*self.google.blocking, *self.azure.blocking]
        return found[0] if found else None


@dataclass(frozen=True)
class Order:
    """What to assess, as of which day; places: files and folders with dated records."""

    root: Path
    as_of: date
    scope: str = ""
    answers: Path | None = None
    places: tuple[Path, ...] = ()


def assess(order: Order) -> Assessment:
    """The assessment; raises UsageError without the folder or the scope, AnswersError for broken answers."""
    if not order.root.is_dir():
        raise UsageError(
            f"{order.root} is no folder; expected a checkout of a repository. Name another PATH."
        )
    folder = checked_scope(order.root, order.scope)
    questions = read_questions()
    answers = read_answers(order.answers or order.root / FILE, (question.id for question in questions))
    scanned = scan(order.root, folder)
    records = recent(read_evidence(order.places or _kept(order.root, scanned)), order.as_of)
    results = judge(scanned, questions, records)
    return _assessment(
        order, folder, scanned, amended(results, answers, order.as_of, Modules(scanned.tree.paths)), answers
    )


def _kept(root: Path, scanned: Scan) -> tuple[Path, ...]:
    """The dated records that a checkout itself carries."""
    return tuple(root / path for path in scanned.tree.paths if RECORDS.search(path))


def _assessment(
    order: Order, folder: str, scanned: Scan, results: Iterable[Result], answers: list[Answer]
) -> Assessment:
    name = order.root.resolve().name
    return Assessment(
        name, folder, order.as_of, tuple(results), scanned.problems, tuple(differences(answers))
    )


def checked_scope(root: Path, scope: str) -> str:
    """The scope as a path inside the root, without slashes around it; raises UsageError for any other."""
    folder = scope.strip("/").removeprefix("./")
    if folder in {"", "."}:
        return ""
    inside = (root / folder).resolve().is_relative_to(root.resolve())
    if not inside or not (root / folder).is_dir():
        raise UsageError(
            f"--scope {scope}: no such folder in {root}; expected one inside it. Name it from the root."
        )
    return folder


def next_steps(assessment: Assessment, home: Path | None = None) -> list[Step]:
    """The three cheapest steps: what blocks a level before the rest, each by effort; people's come last."""
    blocking = dict.fromkeys([*assessment.google.blocking, *assessment.azure.blocking])
    missing = [r for r in assessment.results if r.grade is None or r.grade < r.question.full]
    ordered = sorted(missing, key=lambda r: _rank(r, blocking))
    return [Step(r.question, _why(r, assessment), located(r.question, home)) for r in ordered[:STEPS]]


def _rank(result: Result, blocking: dict[str, None]) -> tuple[bool, bool, int, int]:
    question = result.question
    return question.id not in blocking, question.asked, EFFORTS.index(question.effort), -(result.grade or 0)


def _why(result: Result, assessment: Assessment) -> str:
    scales = (("Google", assessment.google), ("Azure", assessment.azure))
    held = [f"{name} {found.level + 1}" for name, found in scales if result.question.id in found.blocking]
    return f"holds back {' and '.join(held)}" if held else "would raise the score"


def located(question: Question, home: Path | None) -> tuple[str, int, str]:
    """Where this project shows how: path, line (0 where the checkout is not at hand), text."""
    path, text = question.see
    if home is None or not (home / path).is_file():
        return path, 0, text
    lines: Sequence[str] = (home / path).read_text(encoding="utf-8").splitlines()
    return path, next((number for number, line in enumerate(lines, 1) if text in line), 0), text
