"""The commands that watch a model: `monitor` looks at what came, `check` says whether to retrain."""

import json
import os
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from demand.errors import UsageError
from level1_pipeline.options import UNIT_JUMP, Data, Quiet, Store, UnitJump
from level1_pipeline.progress import Watch
from level1_pipeline.tables import complain, say

if TYPE_CHECKING:
    from level1_pipeline.triggers import Decision, Policy

# Not 1, which any crash gives, and none of the codes that mean a failure: a workflow can tell it from both.
RETRAIN, PARTIAL = 10, 7
AsOf = Annotated[
    datetime,
    typer.Option(formats=["%Y-%m-%d"], help="Day that counts as today; no clock is asked."),
]


class Format(StrEnum):
    """How `check` prints what it found."""

    text = "text"
    json = "json"


def register_check_commands(app: typer.Typer) -> None:
    """Adds the commands `monitor` and `check`."""
    app.command("monitor")(monitor)
    app.command("check")(check)


def monitor(
    data: Data, env_dir: Store, as_of: AsOf, unit_jump: UnitJump = UNIT_JUMP, quiet: Quiet = False
) -> None:
    """Hold what was forecast against what came, and what comes in against the same season of training.

    Leaves in the store's folder monitoring: quality, drift, signals and data_quality as Parquet, and
    alerts.prom. The same run again changes nothing; one that was cut off is made good by the next.

    \b
    Example:
      python -m level1_pipeline monitor --data data/tiny --env-dir .store/level1 --as-of 2026-06-15
    """
    from level1_pipeline.alert_metrics import write_alerts
    from level1_pipeline.decisions import findings_of, manifest_in_use, trained_until
    from level1_pipeline.monitoring.run import Order
    from level1_pipeline.monitoring.run import monitor as run

    with Watch(quiet=quiet) as watch:
        found = run(Order(data, env_dir, as_of.date(), unit_jump), watch)
    manifest = manifest_in_use(env_dir)
    write_alerts(env_dir, found.book, manifest, None)
    weeks = f"{found.weeks[0]} to {found.weeks[-1]}" if found.weeks else "no week"
    say(f"as of {found.book.as_of}: actuals came or changed for {weeks}")
    say(f"{found.joined:,} forecasts have their actuals now; tables: {env_dir / 'monitoring'}")
    if found.unforecast:
        say(f"{found.unforecast:,} actuals are of series or weeks that nothing was forecast for: kept.")
    findings = findings_of(found.book, trained_until(manifest))
    for each in (*findings.degraded, *findings.drifted, *findings.restated):
        say(f"- {each.sentence}")
    for region, reason in found.book.refused.items():
        complain(f"Region {region} was refused, the others were looked at: {reason}")
    if found.book.refused:
        raise typer.Exit(PARTIAL)


def check(
    env_dir: Store,
    as_of: AsOf,
    on_demand: Annotated[str, typer.Option(metavar="REASON", help="Retrain because a person says so.")] = "",
    config: Annotated[
        Path | None,
        typer.Option(help="Policy as TOML; level1_pipeline/triggers.toml lists all.", dir_okay=False),
    ] = None,
    issue: Annotated[
        Path | None, typer.Option(help="File for the page of an issue, if there is a reason.", dir_okay=False)
    ] = None,
    format: Annotated[Format, typer.Option(help="How to print the decision.")] = Format.text,
) -> None:
    """Say whether to retrain, why, and on which figures; ends with 10 to retrain, with 0 not to.

    The decision is kept in monitoring/decisions.jsonl under an id that follows from what it depends on: the
    same check again gives the same decision. Where LEVEL1_ALERT_WEBHOOK holds an address, a decision with a
    reason is posted there; if nobody answers, the command ends with 5, and the next check sends it.

    \b
    Examples:
      python -m level1_pipeline check --env-dir .store/level1 --as-of 2026-06-22
      python -m level1_pipeline check --env-dir .store/level1 --as-of 2026-06-22 --format json
      python -m level1_pipeline check --env-dir .store/level1 --as-of 2026-06-22 --on-demand "new shelf plan"
    """
    from level1_pipeline.alert_metrics import write_alerts
    from level1_pipeline.alerting import WEBHOOK, tell, write_issue
    from level1_pipeline.decisions import decide_on, manifest_in_use
    from level1_pipeline.monitoring.book import read_book

    decision = decide_on(env_dir, as_of.date(), on_demand.strip(), _policy(config))
    write_alerts(env_dir, read_book(env_dir), manifest_in_use(env_dir), decision)
    _show(decision, format)
    if decision.reasons and issue is not None:
        write_issue(issue, decision.content())
    address = os.environ.get(WEBHOOK, "")
    if decision.reasons and address:
        if not address.startswith(("http://", "https://")):
            raise UsageError(f"{WEBHOOK}: expected an address that begins with http:// or https://.")
        tell(env_dir, address, decision.content())
    if decision.retrain:
        raise typer.Exit(RETRAIN)


def _policy(config: Path | None) -> "Policy":
    from demand.config import read_settings
    from level1_pipeline.triggers import Policy

    return read_settings(Policy, config) if config else Policy()


def _show(decision: "Decision", format: Format) -> None:
    if format is Format.json:
        print(json.dumps(decision.content(), indent=1))
        return
    verdict = "Retrain." if decision.retrain else "Nothing to do."
    if decision.held_back:
        verdict = f"Not now: {decision.held_back}."
    say(f"{verdict} Model {decision.model_version} is {decision.model_age_days} days old.")
    for reason in decision.reasons:
        say(f"- {reason.trigger}: {reason.text}")
    say(f"decision {decision.decision_id}; {decision.budget_left} retrainings left in the budget")
