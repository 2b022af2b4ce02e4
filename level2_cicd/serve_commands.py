"""The commands of serving: starts the service, and makes and takes away the tokens that it asks for."""

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from demand.errors import UsageError
from level2_cicd.environments import claim
from level2_cicd.options import DEFAULT_ROOT, Env, EnvironmentsFile, Root, read_environment
from level2_cicd.serving.auth import new_token, revoke_token

ServeEnv = Annotated[
    str | None, typer.Option("--env", metavar="NAME", help="Environment whose release serves.")
]
token_app = typer.Typer(
    help="Tokens of an environment's service.", no_args_is_help=True, rich_markup_mode=None
)


def register_serve_commands(app: typer.Typer) -> None:
    """Adds `serve` and `token` to a command line."""
    app.command()(serve)
    app.add_typer(token_app, name="token")


def serve(
    env: ServeEnv = None,
    store: Annotated[
        Path | None, typer.Option(help="Store folder, instead of an environment.", file_okay=False)
    ] = None,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port to listen on, 0 for any.")] = 8000,
    workers: Annotated[int, typer.Option(min=1, max=64, help="Processes that answer.")] = 1,
    challenger: Annotated[
        str | None, typer.Option(metavar="VERSION", help="Release of the store to ask in shadow.")
    ] = None,
    no_capture: Annotated[bool, typer.Option("--no-capture", help="Keep no doubtful requests.")] = False,
    root: Root = DEFAULT_ROOT,
    environments: EnvironmentsFile = None,
) -> None:
    """Answer forecasts over HTTP from the release in use, and follow the store when another is promoted.

    SIGTERM ends it when the last answers are given; SIGHUP exchanges several workers one after the other.

    \b
    Examples:
      python -m level2_cicd serve --env prod --port 8000 --workers 2
      python -m level2_cicd serve --store .store/level1
    """
    if (env is None) == (store is None):
        raise UsageError("serve: expected --env or --store, one of them. Name where the release is.")
    order = ["--host", host, "--port", str(port), "--workers", str(workers)]
    if env is not None:
        found = read_environment(env, root, environments)
        order += ["--store", str(found.store), "--environment", found.name]
        order += ["--token-required"] if found.serving.token_required or found.name != "local" else []
    else:
        order += ["--store", str(store)]
    order += ["--challenger", challenger] if challenger else []
    order += ["--no-capture"] if no_capture else []
    # This process becomes the service: what the command line imported does not stay in its memory.
    os.execv(sys.executable, [sys.executable, "-m", "level2_cicd.serving.run", *order])


@token_app.command("new")
def new(env: Env, root: Root = DEFAULT_ROOT, environments: EnvironmentsFile = None) -> None:
    """Make a token and print it once; the store keeps its hash alone. A running service takes it at once.

    \b
    Example:
      python -m level2_cicd token new --env prod
    """
    found = read_environment(env, root, environments)
    claim(found)
    name, token = new_token(found.store, found.name)
    typer.echo(f"id {name}; this is the only time that the token is shown", err=True)
    typer.echo(token)


@token_app.command("revoke")
def revoke(
    env: Env,
    name: Annotated[str, typer.Argument(metavar="ID", help="The id that was told when it was made.")],
    root: Root = DEFAULT_ROOT,
    environments: EnvironmentsFile = None,
) -> None:
    """Take a token away; a running service refuses it at once.

    \b
    Example:
      python -m level2_cicd token revoke --env prod 1f2e3d4c
    """
    found = read_environment(env, root, environments)
    revoke_token(found.store, found.name, name)
    typer.echo(f"token {name} is gone")
