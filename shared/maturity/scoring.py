"""From grades to a vector, two levels, the ML Test Score and a confidence; never one number alone."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from maturity.grades import Grade
from maturity.judging import Result
from maturity.questions import DIMENSIONS

SECTIONS = {"Data": 7, "Model": 7, "Infra": 7, "Monitor": 7}
TOP = {"google": 2, "azure": 4}


@dataclass(frozen=True)
class Dimension:
    """Share of what could be shown, 0 to 1, None where nothing is known; how many questions are known."""

    name: str
    score: float | None
    known: int
    questions: int


@dataclass(frozen=True)
class Level:
    """A level reached, the questions that block the next one, and those of people that were put aside.

    with_people: the level where what people were not asked yet counts as not reached.
    """

    scale: str
    level: int
    blocking: tuple[str, ...]
    aside: tuple[str, ...]
    with_people: int


@dataclass(frozen=True)
class RubricScore:
    """Points per section (7 at most) as the ML Test Score counts: half for by hand, one for automated.

    total: the least of the four. unknown: tests that nobody answered, which count nothing.
    """

    sections: dict[str, float]
    total: float
    unknown: tuple[str, ...]


def vector(results: Iterable[Result]) -> list[Dimension]:
    """One entry per dimension; what is not known lowers no score."""
    by_name: dict[str, list[Result]] = {name: [] for name in DIMENSIONS}
    for result in results:
        by_name[result.question.dimension].append(result)
    return [_dimension(name, found) for name, found in by_name.items()]


def _dimension(name: str, results: Sequence[Result]) -> Dimension:
    shares = [_share(result) for result in results if result.grade is not None]
    score = round(sum(shares) / len(shares), 3) if shares else None
    return Dimension(name, score, len(shares), len(results))


def _share(result: Result) -> float:
    assert result.grade is not None
    return min(1.0, result.grade.steps / result.question.full.steps)


def confidence(results: Sequence[Result]) -> float:
    """Share of the questions whose answer is known, 0 to 1."""
    return round(sum(result.grade is not None for result in results) / len(results), 3) if results else 0.0


def level(scale: str, results: Sequence[Result]) -> Level:
    """The highest level of a scale (google, azure) whose questions, and all below, are answered well enough.

    Questions that only people can answer and nobody has answered are put aside, and named.
    """
    strict, _ = _reached(scale, results)
    known = [result for result in results if not (result.question.asked and result.grade is None)]
    reached, blocking = _reached(scale, known)
    needed = {id(result) for result in known}
    aside = tuple(r.question.id for r in results if id(r) not in needed and _at(scale, r) is not None)
    return Level(scale, reached, blocking, aside, strict)


def _reached(scale: str, results: Sequence[Result]) -> tuple[int, tuple[str, ...]]:
    for step in range(1, TOP[scale] + 1):
        blocking = tuple(r.question.id for r in results if _at(scale, r) == step and not r.satisfied)
        if blocking:
            return step - 1, blocking
    return TOP[scale], ()


def _at(scale: str, result: Result) -> int | None:
    found: int | None = getattr(result.question, scale)
    return found


def rubric_score(results: Iterable[Result]) -> RubricScore:
    """The ML Test Score by Breck et al.; a test is worth the best of the questions that answer it."""
    points: dict[str, float] = {}
    for result in results:
        for name in result.question.ml_test:
            points[name] = max(points.get(name, -1.0), _points(result.grade))
    unknown = tuple(sorted(name for name, point in points.items() if point < 0))
    sections = {
        section: sum(max(0.0, p) for n, p in points.items() if n.startswith(section)) for section in SECTIONS
    }
    return RubricScore(sections, min(sections.values()), unknown)


def _points(grade: Grade | None) -> float:
    if grade is None:
        return -1.0
    return {Grade.EXISTS: 0.5, Grade.AUTOMATIC: 1.0, Grade.DEMONSTRATED: 1.0}.get(grade, 0.0)
