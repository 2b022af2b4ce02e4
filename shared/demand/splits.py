"""Which weeks train, choose and judge: time only runs forward, and no scored week chooses anything."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from demand.config import Config
from demand.errors import DataError


@dataclass(frozen=True)
class Window:
    """Columns of a panel's weeks, each the last known week of a stage.

    train: targets up to it train the models that are chosen between. origin: targets after `train` and up to
    it choose; targets up to it train the final models.
    """

    train: int
    origin: int

    def choosing(self, horizon: int) -> NDArray[np.intp]:
        """Origins from which every horizon's target falls between `train` and `origin`."""
        return np.arange(self.train, self.origin - horizon + 1)


def window(origin: int, config: Config) -> Window:
    """The window before an origin; raises DataError where there are too few weeks to train on."""
    horizon, training = config.forecast.horizon, config.training
    length = max(training.validation_weeks, horizon)
    fewest = training.min_weeks + horizon
    if origin - length < fewest:
        raise DataError(
            f"weeks: expected at least {fewest + length + 1} known weeks up to the origin "
            f"(training.min_weeks + forecast.horizon + validation), got {origin + 1}. "
            "Deliver more history, or lower these settings."
        )
    return Window(origin - length, origin)


def training_origins(last_target: int, config: Config) -> NDArray[np.intp]:
    """Origins to train on: every `stride` weeks back from the last one with a known target."""
    return np.arange(last_target - 1, config.training.min_weeks - 2, -config.training.stride)[::-1]


def holdout_origins(last_week: int, config: Config) -> NDArray[np.intp]:
    """Origins that judge, a horizon apart: their targets end with the last known week and do not overlap."""
    horizon = config.forecast.horizon
    count = max(1, config.training.holdout_weeks // horizon)
    return last_week - horizon * np.arange(count, 0, -1)
