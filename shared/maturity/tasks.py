"""A task: a name that stands for commands, in whichever tool keeps it."""

from dataclasses import dataclass

from maturity.shell import Command


@dataclass(frozen=True)
class Task:
    """Who runs it, under which name, from where, what it does, and which tasks come first."""

    tool: str
    name: str
    path: str
    line: int
    commands: tuple[Command, ...] = ()
    needs: tuple[str, ...] = ()
