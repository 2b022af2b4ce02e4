"""How far a forecast of synthetic data can get: the oracle's error and the historical average's."""

import numpy as np
import pandas as pd

from demand.metrics import mape
from demand.sources.synthetic.generate import Synthetic

SERIES = ["store_id", "product_id"]
SEGMENT = ["region", "format", "speed"]


def reach(data: Synthetic, weeks: int = 12) -> pd.DataFrame:
    """One row per segment over the last known weeks: region, format, speed, oracle, historical_average, n.

    `oracle` and `historical_average` are MAPE in percent, `n` the rows with sales. Average and speed are
    learned before those weeks; a product is fast above the median of its region and format.
    """
    as_of = pd.Timestamp(data.tables.as_of)
    rows = data.oracle.merge(data.tables.stores[["store_id", "region", "format"]])
    past, scored = rows[rows["week"] <= as_of - pd.Timedelta(weeks=weeks)], rows[rows["week"] <= as_of]
    average = past.groupby(SERIES)["units"].mean().rename("average").reset_index()
    scored = scored[(scored["week"] > as_of - pd.Timedelta(weeks=weeks)) & (scored["units"] > 0)]
    scored = scored.merge(average).merge(_speeds(past))
    return scored.groupby(SEGMENT).apply(_errors).reset_index()


def _errors(rows: pd.DataFrame) -> pd.Series:
    return pd.Series(
        {
            "oracle": mape(rows["units"], rows["mape_best_units"]),
            "historical_average": mape(rows["units"], rows["average"]),
            "n": len(rows),
        }
    )


def _speeds(past: pd.DataFrame) -> pd.DataFrame:
    """region, format, product_id, speed."""
    mean = past.groupby(["region", "format", "product_id"])["units"].mean().reset_index()
    median = mean.groupby(["region", "format"])["units"].transform("median")
    return mean.assign(speed=np.where(mean["units"] > median, "fast", "slow")).drop(columns="units")
