"""The options that the commands of level 2 share."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from level2_cicd.environments import ROOT, Environment, environment


class FormatName(StrEnum):
    """How a command prints what it found."""

    table = "table"
    json = "json"


Env = Annotated[str, typer.Option("--env", metavar="NAME", help="Environment: local, dev or prod.")]
Root = Annotated[
    Path,
    typer.Option("--root", help="Folder of the environments' stores.", file_okay=False, show_default=True),
]
EnvironmentsFile = Annotated[
    Path | None,
    typer.Option(
        "--environments",
        help="Environments as TOML. [default: level2_cicd/environments.toml]",
        dir_okay=False,
    ),
]
Format = Annotated[FormatName, typer.Option("--format", help="json: on stdout, and nothing else there.")]
Approver = Annotated[str, typer.Option(help="Who approves it; kept in the ledger.")]
Reason = Annotated[str, typer.Option(help="Why, on one line; kept in the ledger.")]
DEFAULT_ROOT = ROOT


def read_environment(name: str, root: Path, file: Path | None) -> Environment:
    """The environment that the options name; raises UsageError."""
    return environment(name, root, file)
