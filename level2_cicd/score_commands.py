"""The command score: forecasts of what serves, published anew from what was delivered since."""

import getpass
from datetime import datetime
from typing import Annotated

import typer

from level1_pipeline.options import OptionalData, Quiet
from level1_pipeline.tables import complain, say, show_forecasts
from level2_cicd.options import DEFAULT_ROOT, Env, EnvironmentsFile, Reason, Root, read_environment

PARTIAL = 7
AsOf = Annotated[
    datetime | None,
    typer.Option(formats=["%Y-%m-%d"], help="Last day that counts as known. [default: the data's last week]"),
]


def register_score_commands(app: typer.Typer) -> None:
    """Adds the command score."""
    app.command()(score)


def score(
    env: Env,
    reason: Reason,
    data: OptionalData = None,
    as_of: AsOf = None,
    approver: Annotated[
        str | None, typer.Option(help="Who issues them; kept in the ledger. [default: this account]")
    ] = None,
    root: Root = DEFAULT_ROOT,
    environments: EnvironmentsFile = None,
    quiet: Quiet = False,
) -> None:
    """Issue the forecasts of what serves, from data of now; the ledger gets a row, then the file is replaced.

    Nothing is trained and nothing is promoted. Ends with 7 where a region was refused.

    \b
    Example:
      python -m level2_cicd score --env prod --data /srv/raw --reason "weekly"
    """
    from level1_pipeline.progress import Watch
    from level1_pipeline.store import FORECASTS
    from level2_cicd.issuing import batch_of, issue

    found = read_environment(env, root, environments)
    batch = batch_of(found, data, as_of.date() if as_of else None)
    with Watch(quiet=quiet) as watch:
        issued = issue(found, actor=approver or getpass.getuser(), reason=reason, batch=batch, watch=watch)
    if not quiet:
        show_forecasts(issued.scored.totals)
    say(f"{issued.scored.rows:,} forecasts by {issued.row.version}: {found.store / FORECASTS}")
    for region, why in issued.scored.refused.items():
        complain(f"Region {region} was refused, the others ran: {why}")
    if issued.scored.refused:
        raise typer.Exit(PARTIAL)
