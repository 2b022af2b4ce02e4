"""An assessment for the terminal."""

import io
import sys
from collections.abc import Iterable

from rich.console import Console
from rich.table import Table

from maturity.answers import Answer, Difference
from maturity.assessment import Assessment, Step
from maturity.baseline import Change
from maturity.grades import label
from maturity.questions import Question
from maturity.scoring import Dimension, Level

WIDE = 120
BAR = 10


def render(assessment: Assessment, steps: list[Step], change: Change | None = None) -> str:
    """Vector, answers with their lines, both levels, ML Test Score, what blocks, three next steps."""
    screen = _screen()
    screen.print(
        f"{assessment.name}, {assessment.scope or 'the whole repository'}, as of {assessment.as_of}\n"
    )
    screen.print(_vector(assessment.vector))
    screen.print(_answers(assessment))
    for line in _levels(assessment):
        screen.print(line)
    _steps(screen, assessment, steps)
    if change is not None:
        _moves(screen, change)
    _notes(screen, assessment)
    return _text(screen)


def _screen() -> Console:
    width = None if sys.stdout.isatty() else WIDE
    return Console(file=io.StringIO(), width=width, highlight=False, markup=False, emoji=False)


def _text(screen: Console) -> str:
    file = screen.file
    assert isinstance(file, io.StringIO)
    return "\n".join(line.rstrip() for line in file.getvalue().splitlines()) + "\n"


def _vector(dimensions: Iterable[Dimension]) -> Table:
    table = Table(title="Dimensions", title_justify="left")
    for name in ("dimension", "", "score", "known"):
        table.add_column(name, justify="right" if name in {"score", "known"} else "left")
    for each in dimensions:
        score = "-" if each.score is None else f"{each.score:.0%}"
        table.add_row(
            each.name, "#" * round((each.score or 0) * BAR), score, f"{each.known} of {each.questions}"
        )
    return table


def _answers(assessment: Assessment) -> Table:
    table = Table(title="Answers", title_justify="left")
    for name in ("question", "grade", "why", "where"):
        table.add_column(name, overflow="fold")
    for result in assessment.results:
        where = "\n".join(fact.place for fact in result.facts[:2])
        table.add_row(result.question.id, label(result.grade), result.because, where)
    return table


def _levels(assessment: Assessment) -> Iterable[str]:
    yield _level("Google level", assessment.google, 2)
    yield _level("Azure level", assessment.azure, 4)
    score = assessment.ml_test_score
    sections = ", ".join(f"{name} {points:g} of 7" for name, points in score.sections.items())
    unknown = f"; not answered: {', '.join(score.unknown)}" if score.unknown else ""
    yield f"ML Test Score {score.total:g}: the least of {sections}{unknown}"
    yield f"Confidence {assessment.confidence:.0%}: the share of questions whose answer is known"


def _level(name: str, level: Level, top: int) -> str:
    text = f"{name} {level.level} of {top}"
    if level.blocking:
        text += f"; in the way of {level.level + 1}: {', '.join(level.blocking)}"
    if level.aside:
        text += (
            f"; put aside, as nobody has answered: {', '.join(level.aside)} (with them: {level.with_people})"
        )
    return text


def _steps(screen: Console, assessment: Assessment, steps: list[Step]) -> None:
    if assessment.blocking:
        question = next(r.question for r in assessment.results if r.question.id == assessment.blocking)
        screen.print(f"\nBlocking question: {question.text} ({question.id})")
    screen.print("\nNext steps, the cheapest first:")
    for number, step in enumerate(steps, 1):
        path, line, text = step.see
        at = f"{path}:{line}" if line else f"{path} ({text.strip()})"
        screen.print(
            f" {number}. {step.question.next} [{step.question.effort}; {step.why}]\n    See {at}",
            soft_wrap=True,
        )


def _moves(screen: Console, change: Change) -> None:
    for title, moves in (("Lowered", change.lowered), ("Raised or newly known", change.raised)):
        if moves:
            screen.print(f"\n{title} since the baseline:")
            for move in moves:
                screen.print(f"  {move.question}: {move.before} -> {move.after} ({move.because})")
    if not change.lowered and not change.raised:
        screen.print("\nNothing moved since the baseline.")


def _notes(screen: Console, assessment: Assessment) -> None:
    for each in assessment.differing:
        said = ", ".join(f"{name}: {answer}" for name, answer in each.said)
        screen.print(f"People differ on {each.question} ({said}); the lower answer counts.")
    if assessment.problems:
        shown = sorted(assessment.problems.items())[:5]
        screen.print(f"\nNot looked at: {len(assessment.problems)}, among them")
        for path, why in shown:
            screen.print(f"  {path}: {why}")


def render_answers(answers: list[Answer], differing: list[Difference]) -> str:
    """Everyone's last answers, then where they differ."""
    screen = _screen()
    for answer in answers:
        evidence = f", {answer.evidence}" if answer.evidence else ", without evidence"
        screen.print(
            f"{answer.on} {answer.question}: {answer.answer}, says {answer.by}{evidence}", soft_wrap=True
        )
    for each in differing:
        screen.print(
            f"differ on {each.question}: " + ", ".join(f"{name} {said}" for name, said in each.said),
            soft_wrap=True,
        )
    return _text(screen)


def render_questions(questions: Iterable[Question]) -> str:
    """One line per question."""
    screen = _screen()
    for each in questions:
        screen.print(f"{each.id:24} {each.text}", soft_wrap=True)
    return _text(screen)
