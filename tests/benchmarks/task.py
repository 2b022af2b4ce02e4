"""What a method is given and what it gives back."""

from dataclasses import dataclass, field
from functools import cached_property

import pandas as pd
from scenarios import KEYS, Scenario, known_until, reference

from demand.training import DataSet


@dataclass(frozen=True)
class Task:
    """One scenario at one origin.

    full: everything, for the oracle and for scoring alone. oracle: see `scenarios.Prepared`.
    """

    scenario: Scenario
    full: DataSet
    origin: int
    oracle: pd.DataFrame | None = None

    @cached_property
    def data(self) -> DataSet:
        """What the method may know: units up to the origin, and the plan."""
        return known_until(self.full, self.origin)

    @cached_property
    def rows(self) -> pd.DataFrame:
        """The rows to score, see `scenarios.reference`."""
        return reference(self.full, self.origin, self.scenario)


@dataclass(frozen=True)
class Outcome:
    """Forecasts of a task's rows and what they cost.

    forecasts: KEYS and one column in units per method row, perhaps more columns.
    filled: rows for which a method had no forecast and the series' usual week stands in.
    parts: CPU seconds of named parts of the fit, which other work on the machine does not stretch.
    """

    forecasts: pd.DataFrame
    fit_seconds: float
    predict_seconds: float
    filled: int = 0
    parts: dict[str, float] = field(default_factory=dict)


def aligned(task: Task, forecasts: pd.DataFrame) -> pd.DataFrame:
    """The task's rows with the forecasts beside them; raises ValueError where a row is doubled or missing."""
    if forecasts.duplicated(KEYS).any():
        raise ValueError(f"forecasts: expected one row for each of {KEYS}, some are doubled.")
    own = [column for column in forecasts.columns if column not in task.rows.columns]
    found = task.rows.merge(forecasts[KEYS + own], on=KEYS, how="left", validate="1:1")
    lacking = int(found[own[0]].isna().sum())
    if lacking:
        raise ValueError(f"forecasts: expected all {len(found)} rows of the task, {lacking} have none.")
    return found


def filled(task: Task, forecasts: pd.DataFrame, name: str) -> tuple[pd.DataFrame, int]:
    """KEYS and `name` for every row of the task, at least 0; gaps take the usual week, and are counted."""
    found = task.rows.merge(forecasts[["store_id", "product_id", "week", name]], how="left", validate="1:1")
    gaps = found[name].isna()
    found[name] = found[name].fillna(found["usual"]).clip(lower=0)
    return found[[*KEYS, name]], int(gaps.sum())
