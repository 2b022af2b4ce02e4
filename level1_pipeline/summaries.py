"""Metrics of backtest rows, all together and per region."""

import pandas as pd

from demand.config import Config
from demand.evaluation import evaluate, report, summary
from demand.splits import training_origins
from demand.training import DataSet, Ensemble


def overall(table: pd.DataFrame) -> dict[str, float]:
    """The metrics of all rows together, and the gain over the baseline in percent."""
    found = summary(table)
    own, baseline = found["mape"], found["baseline_mape"]
    return {**found, "gain": 100 * (1 - own / baseline) if baseline > 0 else float("nan")}


def by_region(table: pd.DataFrame) -> pd.DataFrame:
    """One row per region of backtest rows: region and the metrics of `overall`."""
    rows = [{"region": region, **overall(frame)} for region, frame in table.groupby("region", sort=True)]
    return pd.DataFrame(rows)


def train_metrics(
    data: DataSet, judged: Ensemble, config: Config, *, origins: int = 4
) -> tuple[dict[str, float], pd.DataFrame]:
    """How well an ensemble repeats what it was trained on: metrics as of `overall`, and a report per segment.

    On the last `origins` training origins whose every target was trained on: a sample, so that it costs
    little. Far below the error of the weeks that judge, it says that the models learned their rows by heart.
    """
    at = training_origins(judged.origin, config)
    table = evaluate(data, judged, at[at + config.forecast.horizon <= judged.origin][-origins:])
    return overall(table), report(table, sorted(judged.models))
