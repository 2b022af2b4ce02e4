"""LightGBM on this project's own features: unscaled, gaps as they are, store and product as categories."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from time import perf_counter, process_time
from typing import Any

import lightgbm as lgb
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scenarios import KEYS
from task import Outcome, Task, filled

from demand.config import Config
from demand.features import CATEGORIES, FeatureTable, build_features, learn_spec
from demand.models.encoding import learn_vocabulary
from demand.splits import training_origins

Floats = NDArray[np.float32]
ROUNDS = 250
PARAMETERS: dict[str, Any] = {
    "learning_rate": 0.06,
    "num_leaves": 63,
    "min_data_in_leaf": 60,
    "lambda_l2": 1.0,
    "cat_smooth": 50.0,
    "seed": 2017,
    "num_threads": 1,
    "verbosity": -1,
    "deterministic": True,
    "force_col_wise": True,
}
SAMPLED: dict[str, Any] = {"feature_fraction": 0.5, "bagging_fraction": 0.8, "bagging_freq": 1}
HALF_LIFE = 52.0  # weeks, as the ensemble weighs its rows
FLOOR, ZERO_WEIGHT = 0.02, 0.3  # of relative error, as in the ensemble's loss


@dataclass(frozen=True)
class Objective:
    """What is minimised: LightGBM's name, the target and the row weights, and the way back to units / scale.

    target: of (units + k) / (S + k), (n_rows,). weight: of the rows.
    """

    name: str
    target: Callable[[Floats], Floats]
    weight: Callable[[FeatureTable], Floats]
    inverse: Callable[[NDArray[np.float64]], NDArray[np.float64]]
    more: Mapping[str, Any] = field(default_factory=dict)


def _log(ratio: Floats) -> Floats:
    return np.log(ratio)


def _exp(value: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.exp(np.clip(value, -8, 5))


def _even(table: FeatureTable) -> Floats:
    return np.ones_like(table.level)


def _relative(table: FeatureTable) -> Floats:
    """1 / units in units of the scale: absolute error so weighted is relative error."""
    units = table.units / (table.level + table.offset)
    return np.where(units > 0, 1 / np.maximum(units, FLOOR), ZERO_WEIGHT).astype(np.float32)


def _volume(table: FeatureTable) -> Floats:
    return table.level + table.offset


def _same(value: NDArray[Any]) -> NDArray[Any]:
    return value


OBJECTIVES = {
    # Its training time is compared: every row and feature in every round.
    "l1": Objective("l1", _log, _even, _exp),
    "relative": Objective("l1", _log, _relative, _exp, SAMPLED),
    "mape": Objective("mape", lambda ratio: 1000 * ratio, _even, lambda value: value / 1000, SAMPLED),
    "tweedie": Objective("tweedie", _same, _even, _same, SAMPLED | {"tweedie_variance_power": 1.2}),
    "volume": Objective("l1", _log, _volume, _exp, SAMPLED),
}


def own_features(task: Task, objective: str) -> Outcome:
    """250 rounds on every training row of the ensemble; its parts tell features and training apart."""
    goal, config = OBJECTIVES[objective], Config()
    start = perf_counter()
    spec = learn_spec(list(task.data.panels), task.scenario.horizon)
    at = training_origins(task.origin, config)
    table = _table(task, build(task, spec, at, config.training.min_weeks), known=True)
    featured = process_time()
    model = _train(table, goal, task.origin)
    parts = {"members": process_time() - featured}
    del table
    end = perf_counter()
    ahead = _table(task, build(task, spec, np.array([task.origin]), 1), known=False)
    ratio = goal.inverse(model.predict(ahead.values, num_threads=1))
    units = ratio * (ahead.level + ahead.offset) - ahead.offset
    name = f"lightgbm-own-features-{objective}"
    forecasts, gaps = filled(task, _frame(task, ahead, units, name), name)
    return Outcome(forecasts, end - start, perf_counter() - end, gaps, parts)


def build(task: Task, spec: Any, at: NDArray[np.intp], min_weeks: int) -> list[FeatureTable]:
    """One feature table per panel."""
    return [build_features(panel, spec, at, min_weeks=min_weeks) for panel in task.data.panels]


def _table(task: Task, parts: list[FeatureTable], *, known: bool) -> FeatureTable:
    """Tables of all panels below each other with the codes of the categories as last columns."""
    vocabulary = learn_vocabulary(task.data.series)
    first, found = 0, []
    for part in parts:
        kept = part.take(~np.isnan(part.units)) if known else part
        codes = vocabulary.codes(part.keys)[kept.series].astype(np.float32)
        found.append((kept, np.concatenate([kept.values, codes], axis=1), kept.series + first))
        first += len(part.keys)
    columns = ("origin", "horizon", "level", "offset", "units")
    joined = {name: np.concatenate([getattr(part, name) for part, _, _ in found]) for name in columns}
    return FeatureTable(
        values=np.concatenate([values for _, values, _ in found]),
        names=(*parts[0].names, *CATEGORIES),
        series=np.concatenate([series for _, _, series in found]),
        keys=task.data.series,
        **joined,
    )


def _train(table: FeatureTable, goal: Objective, origin: int) -> lgb.Booster:
    scale = table.level + table.offset
    ratio = (table.units + table.offset) / scale
    recency = np.exp2(-(origin - table.origin - table.horizon) / HALF_LIFE)
    weight = recency * goal.weight(table)
    target = goal.target(ratio)
    names = [f"f{i}" for i in range(len(table.names))]
    data = lgb.Dataset(
        table.values,
        target,
        weight=weight / weight.mean(),
        feature_name=names,
        categorical_feature=names[-len(CATEGORIES) :],
        params={"max_bin": 255, "num_threads": 1, "verbosity": -1, "force_col_wise": True},
    )
    return lgb.train(PARAMETERS | {"objective": goal.name} | dict(goal.more), data, ROUNDS)


def _frame(task: Task, ahead: FeatureTable, units: NDArray[np.float64], name: str) -> pd.DataFrame:
    keys = task.data.series.iloc[ahead.series][KEYS[:2]].reset_index(drop=True)
    week = task.data.panels[0].weeks[task.origin + ahead.horizon]
    return keys.assign(week=week, **{name: units})
