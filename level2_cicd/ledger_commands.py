"""The commands about what serves: status, history, promote, rollback, and the audit."""

import getpass
import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from level1_pipeline.runs import plain
from level1_pipeline.tables import complain
from level2_cicd.options import (
    DEFAULT_ROOT,
    Approver,
    Env,
    EnvironmentsFile,
    Format,
    FormatName,
    Reason,
    Root,
    read_environment,
)

PARTIAL = 7
audit_app = typer.Typer(
    help="Why a forecast is what it is, and whether everything is as it was released.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


def register_ledger_commands(app: typer.Typer) -> None:
    """Adds status, history, promote, rollback and the commands under audit."""
    for command in (status, history, promote, rollback):
        app.command()(command)
    app.add_typer(audit_app, name="audit")


def status(
    env: Env,
    root: Root = DEFAULT_ROOT,
    environments: EnvironmentsFile = None,
    format: Format = FormatName.table,
) -> None:
    """Show what serves in an environment, since when, by whom and why, and what awaits promotion.

    \b
    Examples:
      python -m level2_cicd status --env prod
      python -m level2_cicd status --env prod --format json
    """
    from level2_cicd.ledger_tables import show_status
    from level2_cicd.mirrors import settle
    from level2_cicd.status import status as status_of

    found = read_environment(env, root, environments)
    _tell(settle(found))
    state = status_of(found)
    _show(state, show_status, format, sources=state.sources)


def history(
    env: Env,
    root: Root = DEFAULT_ROOT,
    environments: EnvironmentsFile = None,
    last: Annotated[int, typer.Option(min=1, help="How many rows, the last ones.")] = 30,
    format: Format = FormatName.table,
) -> None:
    """List what was decided: registered, promoted, refused, rolled back, scored, retraining.

    \b
    Examples:
      python -m level2_cicd history --env prod
      python -m level2_cicd history --env prod --last 5 --format json
    """
    from level2_cicd.ledger import open_ledger
    from level2_cicd.ledger_tables import show_history
    from level2_cicd.mirrors import settle

    found = read_environment(env, root, environments)
    _tell(settle(found))
    rows = open_ledger(found).rows()[-last:]
    if format is FormatName.json:
        _print_json([{**asdict(row), "content": row.evidence} for row in rows])
    else:
        show_history(rows)


def promote(
    version: Annotated[str, typer.Argument(help="Version of a bundle that awaits promotion.")],
    env: Env,
    approver: Approver,
    reason: Reason,
    root: Root = DEFAULT_ROOT,
    environments: EnvironmentsFile = None,
    format: Format = FormatName.table,
) -> None:
    """Make a version the one that serves, if it was judged against the one that serves now.

    Segments that lost their gate keep the champion's model. Ends with 3 where the bundle was judged against
    another version, with 4 where it is not, byte for byte, the one that was released, and with 0 and no new
    row where it serves already.

    \b
    Example:
      python -m level2_cicd promote 45880a905f64 --env prod --approver Ada --reason "June release"
    """
    from level2_cicd.ledger_tables import show_promotion
    from level2_cicd.promotion import promote as promote_version

    found = read_environment(env, root, environments)
    promotion = promote_version(found, version, approver=approver, reason=reason)
    _tell(promotion.said)
    _show(promotion, show_promotion, format)


def rollback(
    env: Env,
    reason: Reason,
    to: Annotated[
        str | None, typer.Option(help="Version that once served. [default: the one before]")
    ] = None,
    approver: Annotated[str | None, typer.Option(help="Who approves it. [default: this account]")] = None,
    data: Annotated[
        Path | None,
        typer.Option(help="Data to score. [default: those scored last]", exists=True, file_okay=False),
    ] = None,
    root: Root = DEFAULT_ROOT,
    environments: EnvironmentsFile = None,
    format: Format = FormatName.table,
) -> None:
    """Let the version of the promotion before serve again, and issue its forecasts anew.

    The bundle is verified first, and fetched from the registry if it is damaged. If the command is cut off,
    give it again: it ends what was begun and goes back no further. Ends with 7 where the forecasts could not
    be issued for every region.

    \b
    Examples:
      python -m level2_cicd rollback --env prod --reason "Bias in R01 since Monday"
      python -m level2_cicd rollback --env prod --to 45880a905f64 --approver Ada --reason "Last good one"
    """
    from level2_cicd.ledger_tables import show_rollback
    from level2_cicd.rollback import roll_back

    found = read_environment(env, root, environments)
    who = approver or getpass.getuser()
    done = roll_back(found, to=to, approver=who, reason=reason, data=data)
    _tell(done.said)
    refused = done.issued.scored.refused if done.issued else {}
    content = {**asdict(done.row), "content": done.row.evidence}
    shown = {
        "environment": done.environment,
        "version": done.version,
        "previous": done.previous,
        "again": done.again,
        "row": content,
        "scored": done.issued.row.evidence if done.issued else None,
        "seconds": done.seconds,
    }
    if format is FormatName.json:
        _print_json(shown)
    else:
        show_rollback(done)
    for region, why in refused.items():
        complain(f"Region {region} was refused, the others ran: {why}")
    if refused or (done.issued is None and not done.again):
        raise typer.Exit(PARTIAL)


@audit_app.command("why")
def why(
    forecast: Annotated[str, typer.Argument(help="REGION/STORE/PRODUCT/WEEK of a published forecast.")],
    env: Env,
    root: Root = DEFAULT_ROOT,
    environments: EnvironmentsFile = None,
    format: Format = FormatName.table,
) -> None:
    """Walk from a forecast to the release, who approved it, gate, MLflow run, data, files, code and run.

    \b
    Examples:
      python -m level2_cicd audit why R01/R01S001/P01/2026-06-22 --env prod
      python -m level2_cicd audit why R01/R01S001/P01/2026-06-22 --env prod --format json
    """
    from level2_cicd.ledger_tables import show_trail
    from level2_cicd.trail import why as trail_of

    _show(trail_of(read_environment(env, root, environments), forecast), show_trail, format)


@audit_app.command("verify")
def verify(
    env: Env,
    root: Root = DEFAULT_ROOT,
    environments: EnvironmentsFile = None,
    format: Format = FormatName.table,
) -> None:
    """Compare ledger, pointer, bundles and published forecasts with what was released, byte for byte.

    Ends with 4 and names the row or file where one is not as it was.

    \b
    Example:
      python -m level2_cicd audit verify --env prod
    """
    from level2_cicd.audit import verify as verify_environment
    from level2_cicd.ledger_tables import show_audited

    _show(verify_environment(read_environment(env, root, environments)), show_audited, format)


def _show(found: Any, table: Callable[[Any], None], format: FormatName, **more: Any) -> None:
    """Prints what a command found, as a table or as JSON."""
    if format is FormatName.json:
        _print_json({**asdict(found), **more})
    else:
        table(found)


def _print_json(content: Any) -> None:
    print(json.dumps(plain(content), indent=1))


def _tell(said: Any) -> None:
    for each in said:
        complain(each)
