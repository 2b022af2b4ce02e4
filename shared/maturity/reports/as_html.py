"""An assessment as one page that opens offline: no script, no font and no picture from outside."""

from collections.abc import Iterable, Iterator, Sequence
from html import escape
from importlib import resources

from maturity.assessment import Assessment, Step
from maturity.grades import label
from maturity.judging import Result
from maturity.questions import DIMENSIONS
from maturity.reports.charts import radar, trend
from maturity.scoring import Level
from maturity.trend import Point

COLUMNS = ("Question", "Grade", "Why, and where")


def render(assessment: Assessment, steps: Sequence[Step], points: Sequence[Point]) -> str:
    """The page: levels, radar, trend, next steps, and every answer with its lines."""
    own = [point for point in points if point.scope == (assessment.scope or ".")]
    style = resources.files("maturity.reports").joinpath("page.css").read_text(encoding="utf-8")
    title = f"MLOps maturity of {assessment.name}" + (f", {assessment.scope}" if assessment.scope else "")
    body = "".join(
        (
            *_head(assessment, title),
            *_pictures(assessment, own),
            *_steps(assessment, steps),
            *_answers(assessment),
        )
    )
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{_safe(title)}</title><style>{style}</style></head><body><main>{body}</main></body></html>\n"
    )


def _safe(text: str) -> str:
    return escape(text.encode("utf-8", "replace").decode())


def _head(assessment: Assessment, title: str) -> Iterator[str]:
    score = assessment.ml_test_score
    yield f"<h1>{_safe(title)}</h1><p>As of {assessment.as_of}.</p><dl class='figures'>"
    yield _figure("Google level", f"{assessment.google.level} of 2", _held(assessment.google))
    yield _figure("Azure level", f"{assessment.azure.level} of 4", _held(assessment.azure))
    sections = ", ".join(f"{name} {points:g}" for name, points in score.sections.items())
    yield _figure(
        "ML Test Score", f"{score.total:g}", f"least of {sections}; {len(score.unknown)} of 28 not answered"
    )
    yield _figure(
        "Confidence", f"{assessment.confidence:.0%}", "share of the questions whose answer is known"
    )
    yield "</dl>"


def _figure(name: str, value: str, note: str) -> str:
    return f"<div><dt>{name}</dt><dd><strong>{value}</strong><span>{_safe(note)}</span></dd></div>"


def _held(level: Level) -> str:
    held = (
        f"in the way of {level.level + 1}: {', '.join(level.blocking)}"
        if level.blocking
        else "the top of the scale"
    )
    aside = f"; people questions put aside: {', '.join(level.aside)}" if level.aside else ""
    return held + aside


def _pictures(assessment: Assessment, points: Sequence[Point]) -> Iterator[str]:
    yield f"<section><h2>Dimensions</h2>{radar(assessment.vector)}</section>"
    if len(points) > 1:
        yield f"<section><h2>Trend</h2>{trend(points)}</section>"


def _steps(assessment: Assessment, steps: Iterable[Step]) -> Iterator[str]:
    yield "<section><h2>Next steps</h2>"
    if assessment.blocking:
        text = next(r.question.text for r in assessment.results if r.question.id == assessment.blocking)
        yield f"<p>First in the way: <em>{_safe(text)}</em></p>"
    yield "<ol>"
    for step in steps:
        path, line, text = step.see
        at = f"{path}:{line}" if line else f"{path} ({text.strip()})"
        note = f"{step.question.effort}; {step.why}; see {at}"
        yield f"<li>{_safe(step.question.next)} <small>{_safe(note)}</small></li>"
    yield "</ol></section>"


def _answers(assessment: Assessment) -> Iterator[str]:
    for name in DIMENSIONS:
        found = [result for result in assessment.results if result.question.dimension == name]
        title = f"{name[0].upper()}{name[1:]}"
        yield f"<section><h2>{title}</h2>"
        yield f"<div class='wide' tabindex='0' role='region' aria-label='{title}'><table>"
        yield (
            "<thead><tr>"
            + "".join(f"<th scope='col'>{each}</th>" for each in COLUMNS)
            + "</tr></thead><tbody>"
        )
        yield from (_row(result) for result in found)
        yield "</tbody></table></div></section>"


def _row(result: Result) -> str:
    places = "".join(
        f"<li><code>{_safe(fact.place)}</code> {_safe(fact.name[:90])}</li>" for fact in result.facts
    )
    grade = label(result.grade)
    return (
        f"<tr><td>{_safe(result.question.text)}<br><small>{result.question.id}</small></td>"
        f"<td><span class='grade {grade.split()[0]}'>{grade}</span></td>"
        f"<td>{_safe(result.because)}<ul>{places}</ul></td></tr>"
    )
