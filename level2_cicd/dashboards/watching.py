"""Monitoring tables in the shape the pages draw: error by week and segment, drift by week and feature."""

from typing import Any

import numpy as np
import pandas as pd

from level2_cicd.dashboards.packing import Doubles, pack
from level2_cicd.dashboards.segments import KEYS, pooled

METRICS = ("mape", "wape", "rmse", "rmse0", "bias", "coverage")
METHODS = ("champion", "baseline")
WEEKS = 104
MOST_FEATURES = 24
HIGHEST = 5.0  # times the limit; what drifts further is shown as this
BIAS_SHIFT = 1000.0  # percent added to bias, which may be below 0 where a packed number may not


def names_of(frame: pd.DataFrame) -> pd.Series:
    """Region-format-speed of each row."""
    return frame["region"] + "-" + frame["format"] + "-" + frame["speed"]


def error_content(quality: pd.DataFrame, names: list[str]) -> dict[str, Any]:
    """Per method and metric a matrix (n_segments, n_weeks), all weeks ahead together, and how many rows."""
    weeks = last_weeks(quality["week"])
    rows = quality.assign(segment=names_of(quality))
    content: dict[str, Any] = {"weeks": _days(weeks), "biasShift": BIAS_SHIFT}
    for method in METHODS:
        own = rows[rows["method"] == method]
        counts = own.groupby(["segment", "week"])["n"].sum()
        content[method] = {"n": pack(_grid(counts, names, weeks))}
        for metric in METRICS:
            values = pooled(own, ["segment", "week"], metric)
            shifted = (values + BIAS_SHIFT).clip(lower=0) if metric == "bias" else values
            content[method][metric] = pack(_grid(shifted, names, weeks))
    return content


def drift_content(drift: pd.DataFrame, names: list[str]) -> dict[str, Any]:
    """Per feature a matrix (n_segments, n_weeks) of the largest share of its limit, and which measure it was.

    Features that never came near a limit are left out where there are more than MOST_FEATURES.
    """
    weeks = last_weeks(drift["week"])
    rows = with_share(drift)
    rows = rows[rows["week"].isin(weeks)].assign(segment=names_of(rows))
    worst = rows.groupby("feature")["share"].max().sort_values(ascending=False, kind="stable")
    chosen = sorted(worst.index[:MOST_FEATURES])
    largest = rows.groupby(["feature", "segment", "week"])["share"].max()
    return {
        "weeks": _days(weeks),
        "highest": HIGHEST,
        "leftOut": len(worst) - len(chosen),
        "features": [
            {"name": name, "share": pack(_grid(largest.loc[name], names, weeks), coarse=True)}
            for name in chosen
        ],
    }


def drift_latest(drift: pd.DataFrame) -> pd.DataFrame:
    """The rows of the last week, the worst first: KEYS, feature, measure, value, limit, share, over."""
    rows = with_share(drift[drift["week"] == drift["week"].max()])
    rows = rows.sort_values(["share", *KEYS, "feature"], ascending=[False, True, True, True, True])
    return rows.assign(over=rows["share"] > 1)


def with_share(drift: pd.DataFrame) -> pd.DataFrame:
    """Drift rows with `share`, the value over its limit, at most HIGHEST; rows without both left out."""
    rows = drift[drift["value"].notna() & (drift["limit"] > 0)]
    return rows.assign(share=(rows["value"] / rows["limit"]).clip(0, HIGHEST))


def last_weeks(week: pd.Series) -> pd.DatetimeIndex:
    """Every Monday of the last WEEKS weeks that a table tells of."""
    last = week.max()
    first = max(week.min(), last - pd.Timedelta(weeks=WEEKS - 1))
    return pd.date_range(first, last, freq="7D", unit="us")


def _grid(values: pd.Series, names: list[str], weeks: pd.DatetimeIndex) -> Doubles:
    """Values by segment and week as a matrix (n_segments, n_weeks), NaN where there is none."""
    wide = values.unstack("week") if len(values) else pd.DataFrame()
    return wide.reindex(index=names, columns=weeks).to_numpy(dtype=np.float64)


def _days(weeks: pd.DatetimeIndex) -> list[str]:
    return [f"{week:%Y-%m-%d}" for week in weeks]
