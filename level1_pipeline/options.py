"""The options that several commands share, and what they are made into."""

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer

from demand.config import Config, load_config
from demand.errors import UsageError
from level1_pipeline.executor import Executor

UNIT_JUMP = 1.9  # demand.conditioning.UNIT_JUMP, told here because importing that takes seconds
_DATA = typer.Option(
    "--data",
    help="Raw folder (manifest.json and its files), or a folder with the original files of Walmart "
    "(train.csv, stores.csv, features.csv) or orange juice (yx.csv, storedemo.csv).",
    exists=True,
    file_okay=False,
)
Data = Annotated[Path, _DATA]
OptionalData = Annotated[Path | None, _DATA]
Store = Annotated[
    Path, typer.Option("--env-dir", help="Store folder: models, reports, records.", file_okay=False)
]
ConfigFile = Annotated[
    Path | None,
    typer.Option("--config", help="Settings as TOML; level1_pipeline/config.toml lists all.", dir_okay=False),
]
Settings = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="One setting, as in network.epochs=4; may be repeated."),
]
Workers = Annotated[
    str | None,
    typer.Option(
        metavar="N|dask://HOST:PORT",
        help="Processes, or a Dask scheduler; no number in the result depends on it. "
        "[default: pipeline.workers]",
    ),
]
Model = Annotated[
    str, typer.Option("--model", help="Registered model whose next version the release becomes.")
]
LockUri = Annotated[
    str | None,
    typer.Option(
        envvar="LEVEL1_LOCK_URI",
        show_envvar=False,
        help="Database that holds the store's lock. [default: LEVEL1_LOCK_URI, else a file in the store]",
    ),
]
Fresh = Annotated[bool, typer.Option("--fresh", help="Train again, even if the same was done before.")]
AwaitPromotion = Annotated[
    bool,
    typer.Option("--await-promotion", help="Leave in use what is; the new bundle waits to be promoted."),
]
UnitJump = Annotated[
    float,
    typer.Option(min=1.0, help="Refuse a region whose units jump by this factor or more beside the others'."),
]
TrackingUri = Annotated[
    str | None,
    typer.Option(help="MLflow server or database. [default: MLFLOW_TRACKING_URI, else a file in the store]"),
]
NoTracking = Annotated[bool, typer.Option("--no-tracking", help="Keep no MLflow record.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No progress.")]


def read_config(file: Path | None, settings: Iterable[str] | None) -> Config:
    """The settings of a run: defaults, then the file, then --set."""
    return load_config(file, dict(_key_and_value(each) for each in settings or ()))


def read_workers(workers: str | None, config: Config) -> Executor:
    """Where a run's work is done: as --workers says, else as the settings do."""
    return Executor(config.pipeline.workers) if workers is None else Executor.parse(workers)


def _key_and_value(text: str) -> tuple[str, str]:
    key, mark, value = text.partition("=")
    if not mark:
        raise UsageError(f"--set: expected section.key=value, as in network.epochs=4; got {text!r}.")
    return key.strip(), value.strip()
