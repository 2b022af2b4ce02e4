"""The code of a notebook, with the line of the file on which each of its lines stands."""

import json
from bisect import bisect_right

from maturity.facts import Fact
from maturity.python_code import Code, read_code

MAGIC = ("%", "!", "?")


def read_notebook(path: str, text: str) -> Code | None:
    """What all code cells together say; None where the file is no notebook."""
    cells = _cells(text)
    if cells is None:
        return None
    code = Code(path)
    place = _Places(text)
    names: dict[str, str] = {}
    for number, source in enumerate(cells, 1):
        lines = source.split("\n")
        where = [place.of(line) for line in lines]
        code.commands.extend(
            (line.lstrip("! "), at) for line, at in zip(lines, where, strict=True) if line[:1] == "!"
        )
        said = read_code(path, "\n".join(_python(line) for line in lines), names)
        _take(code, said, where)
        if source.strip():
            code.facts.append(Fact("step", f"cell {number}", path, where[0]))
    return code


def _take(code: Code, said: Code | None, where: list[int]) -> None:
    if said is None:
        return
    code.imports.extend((name, _line(where, line)) for name, line in said.imports)
    code.facts.extend(fact._replace(line=_line(where, fact.line)) for fact in said.facts)
    code.commands.extend((text, _line(where, line)) for text, line in said.commands)


def _line(where: list[int], line: int) -> int:
    return where[min(line, len(where)) - 1]


def _cells(text: str) -> list[str] | None:
    try:
        content = json.loads(text)
    except (ValueError, RecursionError):
        return None
    cells = content.get("cells") if isinstance(content, dict) else None
    if not isinstance(cells, list):
        return None
    return [
        _source(cell.get("source"))
        for cell in cells
        if isinstance(cell, dict) and cell.get("cell_type") == "code"
    ]


def _source(source: object) -> str:
    if isinstance(source, list):
        return "".join(line for line in source if isinstance(line, str))
    return source if isinstance(source, str) else ""


def _python(line: str) -> str:
    """A line without the magic that only a notebook understands; its indentation stays valid."""
    bare = line.lstrip()
    return line[: len(line) - len(bare)] + "pass" if bare.startswith(MAGIC) else line


class _Places:
    """Finds the line of the file that holds each line of code, going forward only."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.starts = [0]
        position = text.find("\n")
        while position >= 0:
            self.starts.append(position + 1)
            position = text.find("\n", position + 1)

    def of(self, line: str) -> int:
        """The number of the file's line."""
        if line.strip():
            wanted = json.dumps(line, ensure_ascii=False)[1:-1]
            found = self.text.find(wanted, self.at, self.at + 2_000_000)
            self.at = found if found >= 0 else self.at
        return bisect_right(self.starts, self.at)
