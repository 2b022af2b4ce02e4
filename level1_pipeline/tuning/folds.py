"""Folds in time: train up to an origin, judge the weeks after it; never a week that judges models."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd

from demand import metrics
from demand.config import Config
from demand.errors import DataError, UsageError
from demand.evaluation import evaluate
from demand.features import Panel
from demand.splits import window
from demand.training import choose, fit
from level1_pipeline.deliveries import Delivery, open_delivery
from level1_pipeline.jobs import build_job
from level1_pipeline.regions import condition_regions, validate

ALL = "all"
JUDGED_HORIZONS = 2  # a fold is judged on so many horizons, as the holdout weeks are
APART = 13  # weeks between the ends of folds: other seasons
GROUPED = ("region", "format", "speed")


@dataclass(frozen=True)
class Fold:
    """One split: name, and column of the last week that trains. confirms: the search never sees it."""

    name: str
    origin: int
    confirms: bool = False


@dataclass(frozen=True)
class Data:
    """The panels up to the week before the holdout, and where they come from."""

    delivery: Delivery
    panels: tuple[Panel, ...]
    refused: dict[str, str]

    @property
    def last_week(self) -> int:
        """Column of the last week that tuning may look at."""
        return min(panel.n_known for panel in self.panels) - 1


def before_holdout(data: Path, config: Config, unit_jump: float) -> Data:
    """The data as of the week before those that judge models: no later one is in memory at all."""
    whole = open_delivery(data)
    delivery = open_delivery(data, last_tuned(whole.as_of, config))
    regions = validate(condition_regions(delivery, lambda _: None), f"{delivery.name}/shipments", unit_jump)
    return Data(delivery, tuple(regions.panels()), regions.refused)


def last_tuned(as_of: date, config: Config) -> date:
    """Monday of the last week before the first one that `train` judges by, when `as_of` is the last known."""
    horizon = config.forecast.horizon
    return as_of - timedelta(weeks=horizon * max(1, config.training.holdout_weeks // horizon))


def folds(last: int, config: Config, count: int) -> list[Fold]:
    """The fold that confirms, which ends with the column `last`, then `count` earlier ones to search on.

    The latest searched fold comes first, since a trial is cut off after the first one. Raises DataError where
    there are too few weeks.
    """
    length = JUDGED_HORIZONS * config.forecast.horizon
    origins = [last - length - APART * back for back in range(count + 1)]
    fewest = config.training.min_weeks + config.forecast.horizon + last - window(last, config).train
    if origins[-1] < fewest:
        raise DataError(
            f"weeks: expected at least {fewest + length + APART * count + 1} before the holdout for {count} "
            f"folds and one that confirms; got {last + 1}. Take fewer --folds, or deliver more history."
        )
    return [Fold("confirming", origins[0], confirms=True)] + [
        Fold(f"fold {number}", origin) for number, origin in enumerate(origins[1:], start=1)
    ]


def judge(data: Data, fold: Fold, config: Config, workers: int) -> pd.DataFrame:
    """Backtest rows of a fold: the recipe as `train` follows it, up to the fold's origin."""
    job = build_job(list(data.panels), config, fold.origin, workers=workers)
    ensemble = fit(job, fold.origin, choose(job, fold.origin))
    horizon = config.forecast.horizon
    return evaluate(job.data, ensemble, fold.origin + horizon * np.arange(JUDGED_HORIZONS))


def of_group(table: pd.DataFrame, group: str) -> pd.DataFrame:
    """The rows of a region, format or speed; all of them for `all`. Raises UsageError for any other name."""
    if group == ALL:
        return table
    for column in GROUPED:
        own = table[column] == group
        if own.any():
            return table[own]
    known = [ALL, *(str(name) for column in GROUPED for name in sorted(table[column].unique()))]
    raise UsageError(f"--group: expected one of {', '.join(known)}; got {group!r}.")


def error_of(config: Config) -> tuple[str, Callable[..., float]]:
    """Name and function of the error that the objective of the settings makes least, in percent."""
    if config.forecast.objective == "mape":
        return "MAPE", metrics.mape
    return "WAPE", metrics.wape


def error(table: pd.DataFrame, config: Config) -> float:
    """The error of the ensemble's rows in percent."""
    return error_of(config)[1](table["actual"].to_numpy(), table["ensemble"].to_numpy())
