"""Tasks of tools that keep them in YAML, JSON, TOML or INI, and of those that keep them in Python."""

import re
from collections.abc import Iterator

from maturity.documents import Item, read_ini, read_toml, read_yaml
from maturity.python_code import Code
from maturity.shell import Command, read_shell
from maturity.tasks import Task

TABLES = (  # tool, and where it keeps its tasks
    ("mise", ("tasks",)),
    ("poe", ("tool", "poe", "tasks")),
    ("pdm", ("tool", "pdm", "scripts")),
    ("rye", ("tool", "rye", "scripts")),
    ("pixi", ("tool", "pixi", "tasks")),
    ("task", ("tool", "taskipy", "tasks")),
    ("hatch", ("tool", "hatch", "envs", "default", "scripts")),
    ("tox", ("env",)),
    ("tox", ("tool", "tox", "env")),
)
RUNS = ("run", "cmd", "shell", "script", "commands", "cmds", "command", "entry", "sequence")
FACTOR = re.compile(r"^\s*[\w{},.!-]+:\s+")  # of tox: only in the environments of this name
POSARGS = re.compile(r"\{posargs:?([^{}]*)\}")
NEEDS = ("depends", "depends-on", "depends_on", "deps", "needs")


def read_npm(path: str, text: str) -> list[Task]:
    """The scripts of a package.json."""
    found = [document.get("scripts") for document in read_yaml(text)]
    return [task for item in found if item for task in _table("npm", path, item)]


def read_tables(path: str, text: str) -> list[Task]:
    """The tasks of a pyproject.toml, mise.toml or another TOML file; tox's old section as well."""
    item = read_toml(text)
    if item is None:
        return []
    tasks = [
        task for tool, keys in TABLES if (table := item.get(*keys)) for task in _table(tool, path, table)
    ]
    legacy = item.get("tool", "tox", "legacy_tox_ini")
    return tasks + (read_tox(path, legacy.text) if legacy else [])


def _table(tool: str, path: str, table: Item) -> Iterator[Task]:
    for name, item in table.items():
        commands = tuple(command for text, line in _runs(item) for command in read_shell(text, line))
        needs = (item.get(key) for key in NEEDS)
        yield Task(tool, name, path, item.line, commands, tuple(sorted(_words(needs))))


def _words(items: Iterator[Item | None]) -> set[str]:
    return {word for item in items if item for word in item.words() if word}


def _runs(item: Item) -> Iterator[tuple[str, int]]:
    """The commands of a task: a text, a list of texts or of words, or either below a telling key."""
    if item.named is not None:
        for key in RUNS:
            if inner := item.get(key):
                yield from _runs(inner)
    elif item.listed is not None and all(each.text for each in item.listed) and not _sentences(item):
        yield " ".join(each.text for each in item.listed), item.line
    else:
        for each in item.each():
            if each.text:
                yield each.text, each.line
            else:
                yield from _runs(each)


def _sentences(item: Item) -> bool:
    """Whether a list holds whole commands rather than the words of one."""
    return any(" " in each.text for each in item.each()) or len(item.words()) == 1


def read_tox(path: str, text: str) -> list[Task]:
    """The environments of a tox.ini or setup.cfg."""
    tasks = []
    for section, values in read_ini(text).items():
        if section.startswith("testenv") and "commands" in values:
            line, value = values["commands"]
            commands = [c for at, each in enumerate(value.split("\n"), line) for c in _tox_line(each, at)]
            tasks.append(Task("tox", section.partition(":")[2] or "*", path, line, tuple(commands)))
    return tasks


def _tox_line(text: str, line: int) -> list[Command]:
    bare = POSARGS.sub(r"\1", FACTOR.sub("", text))
    return read_shell(bare.lstrip("- "), line, soft=bare.startswith("-"))


def read_pre_commit(path: str, text: str) -> list[Task]:
    """All hooks as one task, each hook by its entry, else by its id."""
    commands: list[Command] = []
    for document in read_yaml(text):
        for repo in (document.get("repos") or document).each():
            for hook in (repo.get("hooks") or Item(0)).each():
                entry = hook.get("entry") or hook.get("id")
                commands.extend(read_shell(entry.text, entry.line) if entry else [])
    return [Task("pre-commit", "*", path, 1, tuple(commands))] if commands else []


def read_dvc(path: str, text: str) -> list[Task]:
    """The stages of a dvc.yaml as one task that runs them all."""
    stages = [
        stage for document in read_yaml(text) for _, stage in (document.get("stages") or document).items()
    ]
    commands = [c for stage in stages for each in _stage(stage) for c in read_shell(each.text, each.line)]
    return [Task("dvc", "*", path, 1, tuple(commands))] if commands else []


def _stage(stage: Item) -> Iterator[Item]:
    found = stage.get("cmd") or stage.get("do", "cmd")
    return found.each() if found else iter(())


def read_mlproject(path: str, text: str) -> list[Task]:
    """The entry points of an MLproject as one task."""
    points = [
        point
        for document in read_yaml(text)
        for _, point in (document.get("entry_points") or document).items()
    ]
    found = [each for point in points if (each := point.get("command"))]
    return [
        Task("mlflow", "*", path, 1, tuple(c for each in found for c in read_shell(each.text, each.line)))
    ]


def read_taskfile(path: str, text: str) -> list[Task]:
    """The tasks of a Taskfile."""
    found = [document.get("tasks") for document in read_yaml(text)]
    return [task for item in found if item for task in _table("task", path, item)]


def read_sessions(path: str, code: Code) -> list[Task]:
    """The sessions of a noxfile, or the tasks of a tasks.py (invoke)."""
    tool = "nox" if path.endswith("noxfile.py") else "invoke"
    tasks = []
    for name, started in code.sessions.items():
        commands = [command for text, line in started for command in read_shell(text, line)]
        tasks.append(
            Task(
                tool,
                name.replace("_", "-") if tool == "invoke" else name,
                path,
                started[0][1],
                tuple(commands),
            )
        )
    return tasks
