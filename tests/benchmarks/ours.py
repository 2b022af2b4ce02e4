"""This project's own rows: the ensemble and its members, both objectives, and the fast settings."""

from time import perf_counter, process_time

import numpy as np
from task import Outcome, Task

from demand.config import Config, load_config
from demand.evaluation import evaluate
from demand.splits import training_origins, window
from demand.training import DataSet, Encoder, Job, build_rows, choose, fit, learn_encoder

SCALED_EVERY = 4  # weeks between the origins on which the scale of features is learned
# What the speed figure is measured with: settings that give up little accuracy for much time.
FAST = {"network.epochs": "4", "network.min_steps": "0", "lasso.passes": "1"}


def ensemble(task: Task, overrides: dict[str, str]) -> Outcome:
    """Rows of backtest columns: ensemble, lasso, network, lower, upper, baseline, and the segment's names."""
    config = load_config(None, overrides | {"forecast.horizon": str(task.scenario.horizon)})
    start = perf_counter()
    job = Job(task.data, _encoder(task.data, task.origin, config), config)
    choices = choose(job, task.origin)
    chosen = process_time()
    fitted = fit(job, task.origin, choices)
    parts = {"fit": process_time() - chosen}
    end = perf_counter()
    table = evaluate(task.full, fitted, np.array([task.origin]))
    return Outcome(table.drop(columns=["actual", "horizon"]), end - start, perf_counter() - end, parts=parts)


def fast_ensemble(task: Task, overrides: dict[str, str]) -> Outcome:
    """The ensemble under FAST; its parts tell the seconds from features to fitted members as `members`.

    The fit builds its rows twice, for the network and region by region: neither is part of them.
    """
    settings = FAST | overrides
    found = ensemble(task, settings)
    config = load_config(None, settings | {"forecast.horizon": str(task.scenario.horizon)})
    encoder = _encoder(task.data, task.origin, config)
    start = process_time()
    rows = build_rows(
        task.data,
        encoder,
        training_origins(task.origin, config),
        min_weeks=config.training.min_weeks,
    ).known(task.origin)
    seconds = process_time() - start
    parts = found.parts | {"rows": seconds, "members": found.parts["fit"] - 2 * seconds, "n_rows": len(rows)}
    table = found.forecasts.rename(columns={"ensemble": "ensemble-fast"})
    return Outcome(table, found.fit_seconds, found.predict_seconds, parts=parts)


def balanced(task: Task, overrides: dict[str, str]) -> Outcome:
    """The ensemble under the balanced objective, as the column `ensemble-balanced`."""
    found = ensemble(task, overrides | {"forecast.objective": "balanced"})
    table = found.forecasts.rename(columns={"ensemble": "ensemble-balanced"})
    return Outcome(table, found.fit_seconds, found.predict_seconds, parts=found.parts)


def _encoder(data: DataSet, origin: int, config: Config) -> Encoder:
    """Learned before the validation window, as `train` does."""
    at = training_origins(window(origin, config).train, config)[::-SCALED_EVERY][::-1]
    return learn_encoder(data, at, config)
