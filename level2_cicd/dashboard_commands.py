"""The command that writes the dashboards."""

from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from demand.errors import IntegrityError, UsageError
from level1_pipeline.tables import complain, say
from level2_cicd.dashboards import build_dashboards, dashboards_folder
from level2_cicd.options import DEFAULT_ROOT, EnvironmentsFile, Root, read_environment

if TYPE_CHECKING:
    from level2_cicd.dashboards.gathered import Elsewhere
    from level2_cicd.environments import Environment


def register_dashboard_commands(app: typer.Typer) -> None:
    """Adds the command `dashboard`."""
    app.command("dashboard")(dashboard)


def dashboard(
    env: Annotated[
        str | None, typer.Option("--env", metavar="NAME", help="Environment: local, dev or prod.")
    ] = None,
    store: Annotated[
        Path | None, typer.Option(help="Any store of level 1 instead.", exists=True, file_okay=False)
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(help="Folder for the pages. [default: dashboards/ in the store]", file_okay=False),
    ] = None,
    as_of: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="Day to count ages to. [default: the last week known]"),
    ] = None,
    data: Annotated[
        Path | None,
        typer.Option(
            help="Data whose units stand beside the forecasts. [default: the environment's]", file_okay=False
        ),
    ] = None,
    root: Root = DEFAULT_ROOT,
    environments: EnvironmentsFile = None,
) -> None:
    """Write the pages that say what is forecast, how good it has been, and what is stale.

    index.html, monitoring.html, training.html and explain.html open from a file, offline. What the store does
    not hold yet, and what in it is damaged, the pages say.

    \b
    Examples:
      python -m level2_cicd dashboard --env prod
      python -m level2_cicd dashboard --store .store/level1 --as-of 2026-06-15
    """
    folder, elsewhere = _of_environment(env, store, data, root, environments)
    day: date | None = as_of.date() if as_of else None
    pages = build_dashboards(folder, out or dashboards_folder(folder), as_of=day, elsewhere=elsewhere)
    say(f"dashboards:  {pages[0]}")


def _of_environment(
    env: str | None, store: Path | None, data: Path | None, root: Path, environments: Path | None
) -> "tuple[Path, Elsewhere]":
    """The store that is named, and what lies outside it; raises UsageError unless one is named."""
    from level2_cicd.dashboards.gathered import Elsewhere

    if env is not None and store is None:
        found = read_environment(env, root, environments)
        return found.store, _elsewhere(found, data)
    if store is not None and env is None:
        return store, Elsewhere(data=data)
    got = "neither" if env is None else "both"
    raise UsageError(f"dashboard: expected one of --env and --store; got {got}. Name one.")


def _elsewhere(found: "Environment", data: Path | None) -> "Elsewhere":
    """The ledger of an environment's database, and its own data unless others are named."""
    from level1_pipeline.connection import DependencyError
    from level2_cicd.dashboards.events import events_of
    from level2_cicd.dashboards.gathered import Elsewhere
    from level2_cicd.dashboards.reading import Part, short
    from level2_cicd.ledger import open_ledger

    chosen = data or (found.data if found.data.is_dir() else None)
    try:
        return Elsewhere(Part(events_of(open_ledger(found))), chosen)
    except (DependencyError, IntegrityError) as error:
        complain(f"The ledger is left out: {error}")
        return Elsewhere(Part(fault=f"The ledger cannot be read: {short(error)}"), chosen)
