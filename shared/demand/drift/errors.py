"""Weekly errors of forecasts by segment, in a form from which a shift shows soon."""

from typing import Final

import numpy as np
import pandas as pd

SEGMENT: Final = ["region", "format", "speed"]
ERROR_COLUMNS: Final = [*SEGMENT, "week", "level", "weight", "error", "n"]
LEAST = 1.0  # units forecast: below them a ratio tells nothing
CLIP = 1.0  # log ratio: one series does not move a segment
MOST = 2.0  # relative error of one row; more tells no more
NOISE, SINGLE = 0.08, 1.0  # variance of the log of a week's units: NOISE + SINGLE / forecast


def weekly_errors(rows: pd.DataFrame) -> pd.DataFrame:
    """Region, format, speed, week, level, weight, error and n, a row per segment and week.

    rows: region, format, speed, store_id, product_id, week, horizon, actual, forecast. Forecasts one week
    ahead are left out where there are longer ones: in the second week of a shift they follow it already.
    level: mean log of actual over forecast where something was sold, above 0 where more was sold, weighted by
    what a row of that size can tell; weight: the sum of these weights. error: mean relative error. n: series
    with sales.
    """
    ahead = rows["horizon"] >= min(2, rows["horizon"].max())
    sold = rows[ahead & (rows["actual"] > 0) & (rows["forecast"] >= LEAST)]
    ratio = np.log(sold["actual"] / sold["forecast"])
    relative = (sold["forecast"] / sold["actual"] - 1).abs().clip(upper=MOST)
    each = sold[[*SEGMENT, "store_id", "product_id", "week", "forecast"]].assign(ratio=ratio, error=relative)
    series = each.groupby([*SEGMENT, "store_id", "product_id", "week"], as_index=False).mean()
    weight = 1 / (NOISE + SINGLE / series["forecast"])
    series = series.assign(weight=weight, part=weight * series["ratio"].clip(-CLIP, CLIP))
    found = series.groupby([*SEGMENT, "week"], as_index=False).agg(
        part=("part", "sum"), weight=("weight", "sum"), error=("error", "mean"), n=("error", "size")
    )
    found["level"] = found["part"] / found["weight"]
    table: pd.DataFrame = found[ERROR_COLUMNS]
    return table
