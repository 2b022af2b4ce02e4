"""statsforecast: one classical model per series."""

import warnings
from time import perf_counter
from typing import Any

from exogenous import build_long
from scenarios import KEYS
from statsforecast import StatsForecast
from statsforecast.models import MSTL, AutoETS, HistoricAverage, SeasonalNaive
from task import Outcome, Task, filled

YEAR = 52
MODELS: dict[str, Any] = {
    "seasonal-naive": lambda: SeasonalNaive(YEAR),
    "autoets": lambda: AutoETS(YEAR),
    "mstl": lambda: MSTL(YEAR),
}


def statsforecast(task: Task, model: str) -> Outcome:
    """Forecasts of a model; a series on which it fails gets its historical average."""
    name = f"statsforecast-{model}"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # too short a series and the like, many times over
        start = perf_counter()
        table = build_long(task)
        past = table.past[table.past["unique_id"].isin(table.future["unique_id"])]
        forecaster = StatsForecast([MODELS[model]()], "W-MON", n_jobs=1, fallback_model=HistoricAverage())
        found = forecaster.forecast(task.scenario.horizon, past[["unique_id", "ds", "y"]])
        end = perf_counter()
    series = task.data.series.iloc[found["unique_id"]].reset_index(drop=True)
    frame = series[KEYS[:2]].assign(week=found["ds"].to_numpy(), **{name: found.iloc[:, -1].to_numpy()})
    forecasts, gaps = filled(task, frame, name)
    return Outcome(forecasts, end - start, perf_counter() - end, gaps)
