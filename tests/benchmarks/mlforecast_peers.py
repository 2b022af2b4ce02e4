"""mlforecast with LightGBM in several set-ups, from as it comes to as strong as it was found to get."""

import warnings
from dataclasses import dataclass
from time import perf_counter
from typing import Any

import lightgbm as lgb
import numpy as np
import pandas as pd
from exogenous import Long, build_long
from mlforecast import MLForecast
from mlforecast.lag_transforms import ExpandingMean, RollingMean, RollingMin, RollingStd, SeasonalRollingMean
from mlforecast.target_transforms import Differences, GlobalSklearnTransformer, LocalStandardScaler
from scenarios import KEYS
from sklearn.preprocessing import FunctionTransformer
from task import Outcome, Task, filled

STRONG = {
    "n_estimators": 500,
    "learning_rate": 0.05,
    "num_leaves": 31,
    "min_child_samples": 20,
    "colsample_bytree": 0.6,
    "subsample": 0.8,
    "subsample_freq": 1,
    "cat_smooth": 50.0,
}
FIXED = {"random_state": 2017, "n_jobs": 1, "verbosity": -1, "deterministic": True, "force_col_wise": True}
HALF_LIFE = 52.0
YEAR = 52


@dataclass(frozen=True)
class SetUp:
    """A way to use the library.

    transforms: of the target, in order: log, scaler, difference. relative: weighs rows towards relative error
    and by age. mode: recursive; direct (max_horizon, the plan of all steps as columns); by-step (one
    forecaster per week ahead, whose lags reach no further than the origin).
    """

    objective: str = "regression"
    transforms: tuple[str, ...] = ()
    relative: bool = False
    mode: str = "recursive"
    parameters: tuple[tuple[str, Any], ...] = tuple(STRONG.items())


SET_UPS = {
    "plain": SetUp(parameters=()),
    "log-l1": SetUp("l1", ("log",)),
    "scaled-l1": SetUp("l1", ("log", "scaler")),
    "difference-l1": SetUp("l1", ("log", "difference")),
    "mape": SetUp("mape"),
    "tweedie": SetUp("tweedie"),
    "scaled-relative": SetUp("l1", ("log", "scaler"), relative=True),
    "log-relative": SetUp("l1", ("log",), relative=True),
    "by-step-log-relative": SetUp("l1", ("log",), relative=True, mode="by-step"),
    # The library weighs a row by its own week, not by the weeks ahead: no relative weights here.
    "direct-log-l1": SetUp("l1", ("log",), mode="direct"),
}


def mlforecast_lightgbm(task: Task, set_up: str) -> Outcome:
    """Forecasts of a set-up; series too young for it take their usual week."""
    use, name = SET_UPS[set_up], f"mlforecast-lightgbm-{set_up}"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # short series and future pandas, not this comparison's matter
        start = perf_counter()
        table = _prepared(task, use)
        steps = range(1, task.scenario.horizon + 1) if use.mode == "by-step" else [1]
        models = [_fit(table, use, step, task.scenario.horizon) for step in steps]
        end = perf_counter()
        parts = [_predict(model, table, task.scenario.horizon) for model in models]
    found = parts[0] if use.mode != "by-step" else _own_steps(parts, task)
    series = task.data.series.iloc[found["unique_id"]].reset_index(drop=True)
    frame = series[KEYS[:2]].assign(week=found["ds"].to_numpy(), **{name: found["LGBMRegressor"].to_numpy()})
    forecasts, gaps = filled(task, frame, name)
    return Outcome(forecasts, end - start, perf_counter() - end, gaps)


def _prepared(task: Task, use: SetUp) -> Long:
    """The long table; weight 0 for unknown weeks, the plan of later steps as columns for the direct mode."""
    table = build_long(task)
    past, future, exogenous = table.past, table.future, table.exogenous
    past = _without_young(past, 3) if "difference" in use.transforms else past
    past = past.assign(weight=_weights(past, task, use))
    if use.mode == "direct" and exogenous:
        both = pd.concat([past, future]).sort_values(["unique_id", "ds"], ignore_index=True)
        grouped = both.groupby("unique_id")[exogenous]
        leads = [
            grouped.shift(-lead).add_suffix(f"_ahead_{lead}") for lead in range(1, task.scenario.horizon)
        ]
        both = pd.concat([both, *leads], axis=1)
        exogenous = [*exogenous, *(column for lead in leads for column in lead.columns)]
        past, future = both[both["y"].notna()], both[both["y"].isna()]
    static = table.static
    living = past["unique_id"].isin(future["unique_id"].unique())
    future = future[future["unique_id"].isin(past.loc[living, "unique_id"])]
    columns = ["unique_id", "ds", "y", "weight", *static, *exogenous]
    return Long(past[columns], future[["unique_id", "ds", *exogenous]], exogenous, static)


def _without_young(past: pd.DataFrame, weeks: int) -> pd.DataFrame:
    return past[past.groupby("unique_id")["y"].transform("size") >= weeks]


def _weights(past: pd.DataFrame, task: Task, use: SetUp) -> "pd.Series[float]":
    if not use.relative:
        return past["known"]
    usual = past["usual"] + np.maximum(1, 0.1 * past["usual"])
    share = past["y"] / usual
    relative = np.where(share > 0, 1 / np.maximum(share, 0.02), 0.3)
    age = (task.data.panels[0].weeks[task.origin] - past["ds"]).dt.days / 7
    return past["known"] * relative * np.exp2(-age / HALF_LIFE)


def _fit(table: Long, use: SetUp, step: int, horizon: int) -> MLForecast:
    model = lgb.LGBMRegressor(objective=use.objective, **FIXED, **dict(use.parameters))
    rolling = [RollingMean(weeks, min_samples=1) for weeks in (4, 8, 13, 26, 52)]
    spread = [RollingStd(13, min_samples=2), RollingMin(13, min_samples=1), ExpandingMean()]
    season = {YEAR - 1: [SeasonalRollingMean(YEAR, 2, min_samples=1)], YEAR: [RollingMean(4, min_samples=1)]}
    forecaster = MLForecast(
        models=[model],
        freq="W-MON",
        lags=[*range(step, step + 4), YEAR - 1, YEAR, YEAR + 1],
        lag_transforms={step: [*rolling, *spread]} | season,
        date_features=["week", "month"],
        target_transforms=[_transform(each) for each in use.transforms] or None,
        num_threads=1,
    )
    forecaster.fit(
        table.past,
        static_features=table.static,
        dropna=False,
        max_horizon=horizon if use.mode == "direct" else None,
        weight_col="weight",
    )
    return forecaster


def _transform(name: str) -> Any:
    if name == "log":
        return GlobalSklearnTransformer(FunctionTransformer(np.log1p, np.expm1))
    return LocalStandardScaler() if name == "scaler" else Differences([1])


def _predict(model: MLForecast, table: Long, horizon: int) -> pd.DataFrame:
    ids = sorted(table.future["unique_id"].unique())
    return model.predict(horizon, X_df=table.future if table.exogenous else None, ids=ids)


def _own_steps(parts: list[pd.DataFrame], task: Task) -> pd.DataFrame:
    """Of each step's forecaster the one week it is for."""
    weeks = task.data.panels[0].weeks
    picked = [part[part["ds"] == weeks[task.origin + step]] for step, part in enumerate(parts, start=1)]
    return pd.concat(picked, ignore_index=True)
