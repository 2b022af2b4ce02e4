"""An assessment as Markdown, short enough for a pull request's comment."""

from collections.abc import Iterable, Iterator

from maturity.assessment import Assessment, Step
from maturity.baseline import Change, Move


def render(assessment: Assessment, steps: list[Step], change: Change | None = None) -> str:
    """What a change lowered first, then levels, vector and next steps."""
    lines = [f"### MLOps maturity: {_plain(assessment.scope or assessment.name)}", ""]
    lines += _change(change) if change is not None else []
    lines += _summary(assessment)
    lines += ["| dimension | score | known |", "|---|---|---|"]
    for each in assessment.vector:
        score = "-" if each.score is None else f"{each.score:.0%}"
        lines.append(f"| {each.name} | {score} | {each.known} of {each.questions} |")
    lines += ["", "Next steps:", ""]
    lines += [
        f"{number}. {step.question.next} ({step.question.effort}; `{step.see[0]}` shows how)"
        for number, step in enumerate(steps, 1)
    ]
    return "\n".join(lines) + "\n"


def _summary(assessment: Assessment) -> Iterator[str]:
    score = assessment.ml_test_score
    yield (
        f"Google level **{assessment.google.level}** of 2, Azure level **{assessment.azure.level}** of 4, "
        f"ML Test Score **{score.total:g}**, confidence {assessment.confidence:.0%}."
    )
    if assessment.azure.aside or assessment.google.aside:
        yield f"People questions put aside: {', '.join(f'`{name}`' for name in assessment.azure.aside)}."
    if assessment.blocking:
        yield f"First in the way of the next level: `{assessment.blocking}`."
    yield ""


def _change(change: Change) -> Iterator[str]:
    if not change.lowered:
        yield "No answer is lower than before."
        yield ""
    yield from _moves("This change lowers", change.lowered)
    yield from _moves("It raises", change.raised)


def _moves(title: str, moves: Iterable[Move]) -> Iterator[str]:
    shown = [f"| `{m.question}` | {m.before} | {m.after} | {_plain(m.because)} |" for m in moves]
    if shown:
        yield from (f"**{title}:**", "", "| question | before | now | why |", "|---|---|---|---|", *shown, "")


def _plain(text: str) -> str:
    """Text of a repository that cannot break out of its cell or mention anybody."""
    return (
        text.replace("|", "\\|")
        .replace("\n", " ")
        .replace("<", "&lt;")
        .replace("@", "@\u200b")
        .replace("`", "'")
    )
