"""The command that replays known weeks under several ways to retrain, and shows what each would have cost."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from level1_pipeline import store
from level1_pipeline.data_commands import OptionalSize, given_or_generated
from level1_pipeline.options import (
    UNIT_JUMP,
    ConfigFile,
    OptionalData,
    Quiet,
    Settings,
    UnitJump,
    Workers,
    read_config,
    read_workers,
)
from level1_pipeline.progress import Watch
from level1_pipeline.tables import complain, say

if TYPE_CHECKING:  # training needs torch, which takes seconds to import
    from level1_pipeline.replay.log import Entry
    from level1_pipeline.replay.plan import Plan
    from level1_pipeline.replay.world import World
    from level1_pipeline.triggers import Policy


def register_replay_commands(app: typer.Typer) -> None:
    """Adds the command `replay`."""
    app.command("replay")(replay)


def replay(
    weeks: Annotated[int, typer.Option(min=4, help="Known weeks to replay, the last ones of the data.")],
    out: Annotated[Path, typer.Option(help="Folder for stores, figures and chart.", file_okay=False)],
    data: OptionalData = None,
    size: OptionalSize = None,
    config: ConfigFile = None,
    settings: Settings = None,
    policy: Annotated[
        Path | None, typer.Option(help="Trigger policy as TOML; triggers.toml lists all.", dir_okay=False)
    ] = None,
    schedule_weeks: Annotated[int, typer.Option(min=1, help="Weeks between trainings of the schedule.")] = 13,
    change_weeks: Annotated[
        int | None, typer.Option(min=0, help="Weeks of injected change. [default: a quarter of --weeks]")
    ] = None,
    over_cost: Annotated[float, typer.Option(min=0, help="USD of a unit ordered and not sold.")] = 1.0,
    under_cost: Annotated[float, typer.Option(min=0, help="USD of a unit asked for and not there.")] = 1.5,
    page: Annotated[
        Path | None, typer.Option(help="Page to put table and chart into, as docs/replay.md.", dir_okay=False)
    ] = None,
    workers: Workers = None,
    unit_jump: UnitJump = UNIT_JUMP,
    quiet: Quiet = False,
) -> None:
    """Walk known weeks through the whole loop three times: never retrain, fixed schedule, trigger policy.

    Each week actuals arrive, monitoring looks, the policy decides, a new model is trained, gated and promoted
    if it says so, and the next four weeks are forecast. Halfway the demand is changed for a season.
    Where no --config is named, level1_pipeline/replay/quick.toml keeps trainings short. A replay that was cut
    off goes on where it was: give the same command again.

    \b
    Examples:
      python -m level1_pipeline replay --weeks 104 --out .store/replay
      python -m level1_pipeline replay --weeks 20 --size tiny --out .store/replay-tiny --set gate.level=0.5
    """
    from level1_pipeline.replay.plan import Costs, Plan
    from level1_pipeline.replay.walk import walk

    found = read_config(config or Path(__file__).parent / "replay" / "quick.toml", settings)
    plan = Plan(
        data=given_or_generated(data, size, out / "generated"),
        out=out,
        weeks=weeks,
        config=found,
        policy=_policy(policy),
        schedule_weeks=schedule_weeks,
        change_weeks=change_weeks,
        costs=Costs(over_cost, under_cost),
        unit_jump=unit_jump,
        executor=read_workers(workers, found),
    )
    with Watch(quiet=quiet) as watch:
        world, logs = walk(plan, watch)
    _tell(plan, world, logs, page)


def _policy(path: Path | None) -> "Policy":
    """The trigger policy of a file, or the one that is the default.

    Raises:
        UsageError: The file is not there, or holds no such policy.
    """
    from demand.config import read_settings
    from level1_pipeline.triggers import Policy

    return read_settings(Policy, path) if path else Policy()


def _tell(plan: "Plan", world: "World", logs: "Mapping[str, list[Entry]]", page: Path | None) -> None:
    """Figures, table and chart, in the folder of the replay and, if one is named, on a page."""
    from level1_pipeline.replay.figures import judged, summary, weekly
    from level1_pipeline.replay.page import block, can_draw, draw, put

    change = plan.change(world.delivery.as_of)
    rows = judged({strategy: plan.out / strategy for strategy in logs}, world.actuals)
    lines = summary(rows, logs, change, plan.costs)
    text = block(lines, logs, plan, change)
    store.write_json({"format": 1, "strategies": lines}, plan.out / "figures.json")
    chart = plan.out / "replay.svg"
    if can_draw():
        draw(weekly(rows, logs), plan, change, chart)
    else:
        complain("No chart: altair and vl-convert-python are not installed; the extra `dashboards` has them.")
    if page is not None:
        put(text, page, chart if can_draw() else None)
    say(text)
    say(f"figures and chart: {plan.out}")
