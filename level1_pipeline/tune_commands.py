"""The command that searches for better settings, and writes a file for a person to review."""

from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer

from demand.errors import UsageError
from level1_pipeline.options import (
    UNIT_JUMP,
    ConfigFile,
    Data,
    NoTracking,
    Quiet,
    Settings,
    Store,
    TrackingUri,
    UnitJump,
    Workers,
    read_config,
    read_workers,
)
from level1_pipeline.progress import Watch
from level1_pipeline.tables import complain, say
from level1_pipeline.tracking import Place

PARTIAL = 7


def register_tune_commands(app: typer.Typer) -> None:
    """Adds the command `tune`."""
    app.command("tune")(tune)


def tune(
    data: Data,
    env_dir: Store,
    trials: Annotated[int, typer.Option(min=2, help="Trials in all; the first is the settings as they are.")],
    out: Annotated[Path, typer.Option(help="TOML file to write.", dir_okay=False)],
    group: Annotated[str, typer.Option(help="Segments that count: a region, format, speed, or all.")] = "all",
    folds: Annotated[int, typer.Option(min=2, help="Folds to search on; one more confirms.")] = 3,
    config: ConfigFile = None,
    settings: Settings = None,
    workers: Workers = None,
    unit_jump: UnitJump = UNIT_JUMP,
    tracking_uri: TrackingUri = None,
    no_tracking: NoTracking = False,
    quiet: Quiet = False,
) -> None:
    """Search the recipe's few parameters, and write the settings that are certainly better, if any are.

    Trials are judged on weeks before those that judge models, and the best one once more on weeks that the
    search never saw. Where that does not show it to be better, the file holds the settings as they were.
    The file is for --config; its head says what it is worth. Give the same command again to go on.

    \b
    Example:
      python -m level1_pipeline tune --data data/tiny --env-dir .store/level1 --trials 30 --out tuned.toml
    """
    if find_spec("optuna") is None:
        raise UsageError("tune: expected Optuna to be installed; it is not. The extra `tune` brings it.")
    from level1_pipeline.tuning.run import tune as run
    from level1_pipeline.tuning.study import Order

    found = read_config(config, settings)
    place = None if no_tracking else Place(env_dir, tracking_uri)
    executor = read_workers(workers, found)
    order = Order(data, env_dir, found, trials, group, folds, place, unit_jump, executor)
    with Watch(quiet=quiet) as watch:
        outcome, refused = run(order, out, watch)
    for line in out.read_text(encoding="utf-8").splitlines():
        if line.startswith("#"):
            say(line.removeprefix("# "))
    say(f"{'tuned' if outcome.certain else 'unchanged'} settings: {out}")
    for region, reason in refused.items():
        complain(f"Region {region} was refused, the others were tuned on: {reason}")
    if refused:
        raise typer.Exit(PARTIAL)
