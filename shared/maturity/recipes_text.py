"""Tasks of make and just, which keep them in a text of their own kind."""

import re
from dataclasses import dataclass, field

from maturity.shell import Command, read_shell
from maturity.tasks import Task

RULE = re.compile(r"^([^\s#:=][^:=#]*?)\s*::?(?!=)\s*([^#;]*)(?:;(.*))?")
VARIABLE = re.compile(r"^(?:export\s+|override\s+)?([\w.-]+)\s*[:?+]{0,2}=\s*(.*)$")
USED = re.compile(r"\$[({]([\w.-]+)[)}]")
RECIPE = re.compile(r"^@?([A-Za-z_][\w-]*)\b([^:=]*):(?!=)\s*(.*)$")
BUILTIN = {"MAKE": "make", "PYTHON": "python", "PYTHON3": "python", "CURDIR": "."}


@dataclass
class _Open:
    names: list[str] = field(default_factory=list)
    needs: tuple[str, ...] = ()
    line: int = 0
    body: list[tuple[int, str]] = field(default_factory=list)


def read_make(path: str, text: str) -> list[Task]:
    """The targets of a makefile with their recipes; plain variables are filled in."""
    variables = dict(BUILTIN)
    tasks: list[Task] = []
    rule = _Open()
    for number, line in _joined(text):
        if line.startswith("\t"):
            rule.body.append((number, line[1:]))
        elif found := VARIABLE.match(line):
            variables[found[1]] = found[2].split(" #")[0].strip()
        elif head := RULE.match(line):
            tasks.extend(_closed(rule, path, variables))
            names, needs = _filled(head[1], variables).split(), _filled(head[2], variables).split()
            rule = _Open(names, tuple(need for need in needs if need != "|"), number)
            rule.body = [(number, head[3])] if head[3] else []
    tasks.extend(_closed(rule, path, variables))
    return [task for task in tasks if not task.name.startswith(".") or task.commands]


def _joined(text: str) -> list[tuple[int, str]]:
    """Lines with their continuations, numbered by their first; recipes keep theirs for the shell."""
    found: list[tuple[int, str]] = []
    open_ = False
    for number, line in enumerate(text.split("\n"), 1):
        if open_:
            first, before = found[-1]
            found[-1] = (first, before[:-1] + " " + line.strip())
        else:
            found.append((number, line))
        open_ = line.endswith("\\")
    return found


def _filled(text: str, variables: dict[str, str]) -> str:
    for _ in range(4):
        if not USED.search(text):
            break
        text = USED.sub(lambda use: variables.get(use[1], ""), text)
    return (
        re.sub(r"\$\((?:[^()]|\([^()]*\))*\)", "_", text)
        .replace("$$", "$")
        .replace("$@", "_")
        .replace("$<", "_")
    )


def _closed(rule: _Open, path: str, variables: dict[str, str]) -> list[Task]:
    commands: list[Command] = []
    for number, line in rule.body:
        bare = line.lstrip("@+- \t")
        ignored = "-" in line[: len(line) - len(bare)]
        commands.extend(read_shell(_filled(bare, variables), number, soft=ignored))
    return [Task("make", name, path, rule.line, tuple(commands), rule.needs) for name in rule.names]


def read_just(path: str, text: str) -> list[Task]:
    """The recipes of a justfile."""
    tasks: list[Task] = []
    rule = _Open()
    for number, line in enumerate(text.split("\n"), 1):
        if line[:1] in {" ", "\t"} and rule.names:
            rule.body.append((number, line.strip().lstrip("@-")))
        elif head := RECIPE.match(line):
            tasks.extend(_just(rule, path))
            needs = tuple(re.findall(r"[A-Za-z_][\w-]*", re.sub(r"\([^)]*\)|#.*", _first_name, head[3])))
            rule = _Open([head[1]], needs, number)
    return tasks + _just(rule, path)


def _first_name(found: re.Match[str]) -> str:
    words = found[0].strip("()").split()
    return f" {words[0]} " if found[0].startswith("(") and words else " "


def _just(rule: _Open, path: str) -> list[Task]:
    commands = [command for number, line in rule.body for command in read_shell(line, number)]
    return [Task("just", name, path, rule.line, tuple(commands), rule.needs) for name in rule.names]
