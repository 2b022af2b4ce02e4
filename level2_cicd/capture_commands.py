"""The command about what serving captured."""

from pathlib import Path
from typing import Annotated

import typer

from level1_pipeline.tables import say
from level2_cicd.options import DEFAULT_ROOT, Env, EnvironmentsFile, Root, read_environment


def register_capture_commands(app: typer.Typer) -> None:
    """Adds the command `captured`."""
    app.command()(captured)


def captured(
    env: Env,
    join: Annotated[
        Path | None,
        typer.Option(metavar="DATA", help="Folder of data in which the weeks have come.", file_okay=False),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Write the rows here, .csv or .parquet.", dir_okay=False)
    ] = None,
    root: Root = DEFAULT_ROOT,
    environments: EnvironmentsFile = None,
) -> None:
    """Show what serving captured because the model was unsure, and export it as candidates for training.

    Without --join every captured row is exported as it was asked and answered. With it only those whose week
    has come: the actual units beside the answer, and every input in a column of its own.

    \b
    Examples:
      python -m level2_cicd captured --env prod
      python -m level2_cicd captured --env prod --join data/july --out candidates.parquet
    """
    from level2_cicd import capture
    from level2_cicd.serving.capture_db import CAPTURE

    rows = capture.read_captured(read_environment(env, root, environments).store / CAPTURE)
    if join is not None:
        known = capture.actuals(join, sorted(rows["region"].unique()))
        rows = capture.candidates(rows, known)
        say(f"{len(rows)} rows whose week has come, of {join}")
    for each in capture.summary(rows).itertuples(index=False):
        say(f"{each.release}  {each.reason}: {each.rows} rows")
    if out is not None:
        capture.export(rows, out)
        say(f"{len(rows)} rows written to {out}")
