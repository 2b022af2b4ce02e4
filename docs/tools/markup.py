"""Markdown's pieces, as the generated pages use them."""

from collections.abc import Iterable, Sequence


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table in Markdown; cells are ready for it."""
    lines = [head, ["---"] * len(head), *rows]
    return "".join("| " + " | ".join(line) + " |\n" for line in lines)


def cell(text: str) -> str:
    """A text for a cell of a table: on one line, with no border in it."""
    return " ".join(text.split()).replace("|", "\\|").replace("[", "\\[")


def code(text: str) -> str:
    """A text as code in a cell."""
    return "`" + " ".join(text.split()).replace("|", "\\|") + "`"
