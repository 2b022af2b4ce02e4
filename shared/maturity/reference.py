"""The questions as a page of Markdown, generated so that it is never behind."""

from collections.abc import Iterable, Iterator

from maturity.grades import Grade
from maturity.questions import DIMENSIONS, Question

HEAD = """# The questions

<!-- Written by `mlops-ladder questions --format md`; edit shared/maturity/questions.toml instead. -->

What `mlops-ladder assess` asks. *Needed* is the grade that the levels ask for. A **scanned** question is
answered by the repository, an **asked** one only by people (`mlops-ladder answer`). The tests are those of
the ML Test Score, section and number.

"""


def reference(questions: Iterable[Question]) -> str:
    """The page: a section per dimension, a table and the next steps in each."""
    by_name = (
        {name: [q for q in questions if q.dimension == name] for name in DIMENSIONS}
        if (questions := list(questions))
        else {}
    )
    return HEAD + "\n".join(
        line for name, found in by_name.items() if found for line in _section(name, found)
    )


def _section(name: str, questions: list[Question]) -> Iterator[str]:
    yield f"## {name[0].upper()}{name[1:]}\n"
    yield "| id | question | how | Google | Azure | needed | ML Test Score |"
    yield "|---|---|---|---|---|---|---|"
    for each in questions:
        cells = (
            f"`{each.id}`",
            each.text,
            each.how,
            _level(each.google),
            _level(each.azure),
            needed(each),
            ", ".join(each.ml_test) or "-",
        )
        yield "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
    yield ""
    for each in questions:
        path = each.see[0]
        yield f"- `{each.id}`: {each.next} Here: [{path}](../../{path})."
    yield ""


def needed(question: Question) -> str:
    """The grade that the levels ask for, - where none asks."""
    if question.google is None and question.azure is None:
        return "-"
    return Grade(question.needs).label


def _level(level: int | None) -> str:
    return "-" if level is None else str(level)
