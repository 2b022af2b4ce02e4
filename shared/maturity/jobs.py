"""A job of a CI service: what starts it, what it runs, what it uses and calls."""

import re
from dataclasses import dataclass, field

from maturity.shell import Command

NEVER = re.compile(r"^\s*(\$\{\{\s*)?false(\s*\}\})?\s*$", re.IGNORECASE)


@dataclass
class Job:
    """A job: the events that start it, its commands, the actions it uses, and the files that it calls."""

    path: str
    name: str
    line: int
    events: frozenset[str]
    commands: list[Command] = field(default_factory=list)
    uses: list[tuple[str, int, bool]] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)
