"""The commands: each reads its options, calls one function, and shows what came of it."""

import sys
from datetime import date, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from maturity.answers import FILE, Answer, append_answer, differences, read_answers
from maturity.assessment import Assessment, Order, assess, next_steps
from maturity.baseline import compare, read_baseline
from maturity.errors import UsageError
from maturity.questions import read_questions
from maturity.reference import reference
from maturity.reports import as_html, as_json, as_markdown, as_sarif, as_text
from maturity.trend import append_point, read_points

LOWERED = 3
PACKAGE = Path(__file__).resolve().parents[2]

app = typer.Typer(
    help="How mature is an ML repository? It reads and follows; it executes nothing.",
    epilog="Exit codes: 0 done, 2 answers, baseline or history break their form, 3 an answer is lower "
    "than in the baseline (with --fail-on-lower), 64 wrong usage.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


class Format(StrEnum):
    """How an assessment is written."""

    text = "text"
    json = "json"
    markdown = "markdown"
    sarif = "sarif"
    html = "html"


class Said(StrEnum):
    """What can be answered."""

    yes = "yes"
    no = "no"
    unknown = "unknown"


Root = Annotated[Path, typer.Argument(metavar="PATH", help="Checkout of a repository.")]
AsOf = Annotated[
    datetime | None,
    typer.Option(
        formats=["%Y-%m-%d"],
        help="Day on which it is judged; records of the 90 days before count. [default: today]",
    ),
]
Answers = Annotated[
    Path | None, typer.Option(help=f"File of answers. [default: PATH/{FILE}]", dir_okay=False)
]


@app.command(name="assess")
def assess_command(
    path: Root,
    scope: Annotated[
        str, typer.Option(metavar="FOLDER", help="One folder, with what it uses and what runs it.")
    ] = "",
    format: Annotated[Format, typer.Option(help="How to write it.")] = Format.text,
    out: Annotated[Path | None, typer.Option(help="File to write. [default: stdout]", dir_okay=False)] = None,
    as_of: AsOf = None,
    answers: Answers = None,
    evidence: Annotated[
        list[Path] | None, typer.Option(help="File or folder with dated records. [default: PATH]")
    ] = None,
    baseline: Annotated[
        Path | None, typer.Option(help="An earlier assessment as JSON, to compare with.", dir_okay=False)
    ] = None,
    fail_on_lower: Annotated[
        bool, typer.Option("--fail-on-lower", help="End with 3 where an answer is lower.")
    ] = False,
    history: Annotated[
        Path | None,
        typer.Option(
            help="JSON lines to append this assessment to; the page draws the trend.", dir_okay=False
        ),
    ] = None,
) -> None:
    """Judge a repository: a vector of grades, two levels, the ML Test Score, and what to do next.

    \b
    Examples:
      mlops-ladder assess .
      mlops-ladder assess . --scope level1_pipeline --format json
      mlops-ladder assess . --format html --out maturity.html --history maturity.jsonl
      mlops-ladder assess . --baseline main.json --format markdown
    """
    order = Order(path, _day(as_of), scope, answers, tuple(evidence or ()))
    before = read_baseline(baseline) if baseline else None
    found = assess(order)
    if history:
        append_point(history, found)
    _write(_rendered(found, format, before, history), out)
    if fail_on_lower and before is not None and compare(before, found).lowered:
        raise typer.Exit(LOWERED)


def _rendered(found: Assessment, format: Format, before: dict[str, str] | None, history: Path | None) -> str:
    steps = next_steps(found, PACKAGE)
    change = compare(before, found) if before is not None else None
    match format:
        case Format.json:
            return as_json.render(found, steps)
        case Format.markdown:
            return as_markdown.render(found, steps, change)
        case Format.sarif:
            return as_sarif.render(found)
        case Format.html:
            return as_html.render(found, steps, read_points(history) if history else [])
        case _:
            return as_text.render(found, steps, change)


@app.command()
def answer(
    question: Annotated[str, typer.Argument(help="Id of a question; `mlops-ladder questions` prints them.")],
    said: Annotated[Said, typer.Argument(metavar="yes|no|unknown", help="The answer.")],
    by: Annotated[str, typer.Option(help="Who says so: a role or a name.")],
    path: Annotated[Path, typer.Option(help="Checkout whose file of answers gets one more.")] = Path(),
    evidence: Annotated[str, typer.Option(help="File of the repository (with :line), or an address.")] = "",
    shown_on: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Day on which it was last seen to work.")
    ] = None,
    note: Annotated[str, typer.Option(help="A word of explanation.")] = "",
    on: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Day of the answer. [default: today]")
    ] = None,
) -> None:
    """Append an answer to assessment.toml; earlier answers stay, the last of each person counts.

    \b
    Example:
      mlops-ladder answer people-owner yes --by "head of operations" --evidence CONTRIBUTING.md:12
    """
    known = {each.id for each in read_questions()}
    if question not in known:
        raise UsageError(
            f"no question {question!r}; `mlops-ladder questions` prints the {len(known)} there are."
        )
    shown = shown_on.date() if shown_on else None
    append_answer(path / FILE, Answer(question, said.value, by, _day(on), evidence, shown, note))


@app.command()
def answers(path: Root) -> None:
    """Show what people answered last, and where they differ."""
    found = read_answers(path / FILE, (question.id for question in read_questions()))
    sys.stdout.write(as_text.render_answers(found, differences(found)))


@app.command()
def questions(
    format: Annotated[str, typer.Option(metavar="text|md", help="A list, or the reference page.")] = "text",
    scope: Annotated[str, typer.Option(metavar="DIMENSION", help="One dimension only.")] = "",
) -> None:
    """Print the questions, with the levels and tests that each belongs to."""
    if format not in {"text", "md"}:
        raise UsageError(f"--format {format}; expected text or md.")
    shown = [each for each in read_questions() if not scope or each.dimension == scope]
    sys.stdout.write(reference(shown) if format == "md" else as_text.render_questions(shown))


def _day(given: datetime | None) -> date:
    return given.date() if given else date.today()


def _write(text: str, out: Path | None) -> None:
    if out is None:
        sys.stdout.write(text)
    else:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(text, encoding="utf-8")
