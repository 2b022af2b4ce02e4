"""The three command lines as they are: groups, commands, options, exit codes."""

import re
from collections.abc import Iterator
from functools import cache
from typing import Any, NamedTuple

import typer
from typer.exceptions import TyperException

import level1_pipeline.__main__ as level1
from level2_cicd.commands import command_line
from maturity import commands as ladder

PROGRAMS: dict[str, typer.Typer] = {
    "python -m level1_pipeline": level1.app,
    "python -m level2_cicd": command_line(),
    "mlops-ladder": ladder.app,
}
Group = Any  # typer brings its own copy of click, which has no public types
Command = Any


class Line(NamedTuple):
    """One command as it is typed, without its options, and what holds them."""

    words: tuple[str, ...]
    command: Command

    @property
    def name(self) -> str:
        """The words after the program."""
        return " ".join(self.words)


@cache
def groups() -> dict[str, Group]:
    """The root of each command line by how it is called."""
    return {program: typer.main.get_command(app) for program, app in PROGRAMS.items()}


def lines(group: Group, before: tuple[str, ...] = ()) -> Iterator[Line]:
    """Every command of a group and of the groups within, hidden ones left out."""
    for name, command in group.commands.items():
        if command.hidden:
            continue
        if hasattr(command, "commands"):
            yield from lines(command, (*before, name))
        else:
            yield Line((*before, name), command)


def options(command: Command) -> set[str]:
    """The names of a command's options: --name and -n."""
    shown = [each for each in command.params if each.param_type_name == "option" and not each.hidden]
    return {name for each in shown for name in each.opts} | {"--help"}


def parameters(line: Line, program: str) -> list[tuple[str, str]]:
    """Each argument and option as --help shows it: how to write it, and what it means."""
    context = line.command.context_class(line.command, info_name=f"{program} {line.name}")
    records = [each.get_help_record(context) for each in line.command.get_params(context)]
    return [record for record in records if record and not record[0].startswith("--help")]


def exit_codes(group: Group) -> dict[int, str]:
    """The exit codes that a command line's help names: 2 is "bad data"."""
    text = group.epilog.removeprefix("Exit codes: ").removesuffix(".")
    found = re.split(r"(?:^|, )(\d+) ", text)[1:]
    return {int(code): meaning for code, meaning in zip(found[::2], found[1::2], strict=True)}


class NotACommand(ValueError):
    """What is typed is no command of ours, or has options that it does not know."""


def program_of(words: list[str]) -> tuple[str, list[str]] | None:
    """Which of our programs is called, and what comes behind it; None for another's."""
    for program in PROGRAMS:
        own = program.split()
        if words[: len(own)] == own:
            return program, words[len(own) :]
    return None


def check(program: str, words: list[str]) -> None:
    """Raises NotACommand where the program would refuse these words before it looks at any value."""
    command: Command = groups()[program]
    while hasattr(command, "commands") and words and not words[0].startswith("-"):
        if words[0] not in command.commands:
            raise NotACommand(f"{program}: no command {words[0]!r}; there are {', '.join(command.commands)}.")
        command, words = command.commands[words[0]], words[1:]
    if hasattr(command, "commands") or "--help" in words:
        return
    context = command.context_class(command, info_name=program)
    try:
        given, rest, _ = command.make_parser(context).parse_args(args=list(words))
    except TyperException as error:
        raise NotACommand(f"{program} {' '.join(words)}: {error}") from error
    missing = [each.opts[0] for each in command.params if each.required and not given.get(each.name)]
    if rest or missing:
        raise NotACommand(f"{program} {' '.join(words)}: left over {rest}, missing {missing}.")
