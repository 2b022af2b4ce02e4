"""What came of a replay: errors on the same rows for every strategy, ages, trainings, seconds, money."""

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from demand import metrics
from level1_pipeline.monitoring.issued import issued_files, read_issued
from level1_pipeline.monitoring.quality import joined
from level1_pipeline.replay.change import Change
from level1_pipeline.replay.log import Entry
from level1_pipeline.replay.plan import Costs

KEY = ["region", "store_id", "product_id", "week", "horizon"]
STOCKED = 1  # weeks ahead: the forecast by which a week is stocked
SMOOTHED = 4  # weeks over which the chart's error is taken


def judged(stores: Mapping[str, Path], actuals: pd.DataFrame) -> pd.DataFrame:
    """KEY, actual, and a column of forecast units per strategy; the rows that every strategy forecast."""
    found: pd.DataFrame | None = None
    for strategy, store in stores.items():
        own = _forecasts(store, actuals).rename(columns={"units": strategy})
        if found is None:
            found = own
        else:
            found = found.merge(own.drop(columns="actual"), on=KEY, how="inner", validate="1:1")
    if found is None:
        raise ValueError("stores: expected at least one strategy; got none.")
    return found


def _forecasts(store: Path, actuals: pd.DataFrame) -> pd.DataFrame:
    """KEY, units, actual of every forecast of a store whose actual has come, read week by week."""
    parts = [
        joined(read_issued(store, as_of, as_of), actuals)[[*KEY, "units", "actual"]]
        for as_of, _ in issued_files(store)
    ]
    return pd.concat(parts, ignore_index=True)


def summary(
    rows: pd.DataFrame, logs: Mapping[str, list[Entry]], change: Change, costs: Costs
) -> list[dict[str, Any]]:
    """One line per strategy: errors in percent, mean age in days, trainings, seconds of work, USD.

    MAPE as well by period: before, in and after the change. USD of over- and under-stock are those of the
    forecasts one week ahead.
    """
    week = rows["week"]
    inside = change.inside(week)
    before, after = (
        (week < pd.Timestamp(change.first)).to_numpy(),
        (week >= pd.Timestamp(change.end)).to_numpy(),
    )
    if change.weeks == 0:
        before, after = np.ones(len(rows), dtype=bool), np.zeros(len(rows), dtype=bool)
    return [
        {
            "strategy": strategy,
            "n": len(rows),
            **{name: _measure(name, rows, strategy) for name in ("mape", "wape", "bias")},
            "mape_before": _measure("mape", rows[before], strategy),
            "mape_inside": _measure("mape", rows[inside], strategy),
            "mape_after": _measure("mape", rows[after], strategy),
            **_work(entries),
            **_money(rows[rows["horizon"] == STOCKED], strategy, costs),
        }
        for strategy, entries in logs.items()
    ]


def _measure(name: str, rows: pd.DataFrame, strategy: str) -> float | None:
    value = getattr(metrics, name)(rows["actual"].to_numpy(), rows[strategy].to_numpy())
    return float(value) if np.isfinite(value) else None


def _work(entries: list[Entry]) -> dict[str, Any]:
    """How often, how old and how long, without the first model, which every strategy begins with."""
    return {
        "age_days": sum(each.age_days for each in entries) / len(entries),
        "trainings": sum(bool(each.trained) for each in entries),
        "promotions": sum(each.promoted > 0 for each in entries),
        "segments": sum(each.promoted for each in entries),
        "seconds": sum(sum(each.seconds.values()) for each in entries),
        "training_seconds": sum(each.seconds.get("train", 0.0) for each in entries),
    }


def _money(rows: pd.DataFrame, strategy: str, costs: Costs) -> dict[str, float]:
    """USD if each series' week were stocked with what was forecast a week before it."""
    gap = rows[strategy] - rows["actual"]
    over, under = float(gap.clip(lower=0).sum()), float((-gap).clip(lower=0).sum())
    return {
        "over_units": over,
        "under_units": under,
        "over_usd": costs.over * over,
        "under_usd": costs.under * under,
        "stock_usd": costs.over * over + costs.under * under,
    }


def weekly(rows: pd.DataFrame, logs: Mapping[str, list[Entry]]) -> pd.DataFrame:
    """Strategy, week, mape (percent, mean of four weeks), age_days, trained; a row per strategy and week."""
    parts = []
    for strategy, entries in logs.items():
        sold = rows[rows["actual"] > 0]
        error = (100 * (sold[strategy] / sold["actual"] - 1).abs()).groupby(sold["week"]).mean()
        own = pd.DataFrame(
            {
                "strategy": strategy,
                "week": pd.to_datetime([each.as_of for each in entries]),
                "age_days": [each.age_days for each in entries],
                "trained": [each.promoted > 0 for each in entries],
            }
        )
        smooth = error.rolling(SMOOTHED, min_periods=1).mean().rename("mape")
        parts.append(own.merge(smooth, left_on="week", right_index=True, how="left"))
    return pd.concat(parts, ignore_index=True)


def reasons(entries: list[Entry]) -> dict[str, int]:
    """How many trainings each trigger had a part in."""
    names = [name for each in entries if each.trained for name in each.triggers]
    return {name: names.count(name) for name in sorted(set(names))}


def span(entries: list[Entry]) -> tuple[date, date]:
    """The first and the last replayed Monday."""
    return date.fromisoformat(entries[1].as_of), date.fromisoformat(entries[-1].as_of)
