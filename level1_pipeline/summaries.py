"""Metrics of backtest rows, all together and per region."""

import pandas as pd

from demand.evaluation import summary


def overall(table: pd.DataFrame) -> dict[str, float]:
    """The metrics of all rows together, and the gain over the baseline in percent."""
    found = summary(table)
    own, baseline = found["mape"], found["baseline_mape"]
    return {**found, "gain": 100 * (1 - own / baseline) if baseline > 0 else float("nan")}


def by_region(table: pd.DataFrame) -> pd.DataFrame:
    """One row per region of backtest rows: region and the metrics of `overall`."""
    rows = [{"region": region, **overall(frame)} for region, frame in table.groupby("region", sort=True)]
    return pd.DataFrame(rows)
