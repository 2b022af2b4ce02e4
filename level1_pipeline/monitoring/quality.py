"""How good forecasts were: issued rows beside the actuals that came, per segment, week and horizon."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from demand import metrics
from demand.contracts import check, columns

SEGMENT = ["region", "format", "speed"]
ORDER = ["week", *SEGMENT, "horizon", "feature", "signal", "method", "measure"]
KEY = ["region", "store_id", "product_id", "week"]


def joined(issued: pd.DataFrame, actuals: pd.DataFrame) -> pd.DataFrame:
    """The issued rows whose week has an actual, with it in the column `actual`; every horizon is a row."""
    known = actuals[[*KEY, "units"]].rename(columns={"units": "actual"})
    return issued.merge(known, on=KEY, how="inner", validate="m:1")


def quality(rows: pd.DataFrame) -> pd.DataFrame:
    """The contracted table `quality` of joined rows: champion, as served, and baseline on the same rows.

    MAPE, WAPE, bias and coverage in percent, RMSE in units, empty where there is nothing to compute on.
    """
    groups = rows.groupby([*SEGMENT, "week", "horizon"], sort=True)
    lines = [line for key, group in groups for line in _lines(key, group)]
    return check("quality", pd.DataFrame(lines, columns=columns("quality")), "quality")


def _lines(key: tuple[object, ...], rows: pd.DataFrame) -> Iterator[dict[str, object]]:
    names = dict(zip([*SEGMENT, "week", "horizon"], key, strict=True))
    actual, lower, upper = (rows[name].to_numpy() for name in ("actual", "lower", "upper"))
    for method, column in (("champion", "units"), ("baseline", "baseline")):
        forecast = rows[column].to_numpy()
        within = metrics.coverage(actual, lower, upper) if method == "champion" else np.nan
        yield {
            **names,
            "method": method,
            "n": len(rows),
            "mape": metrics.mape(actual, forecast),
            "wape": metrics.wape(actual, forecast),
            "rmse": metrics.rmse(actual, forecast),
            "rmse0": metrics.rmse_zero(actual, forecast),
            "bias": metrics.bias(actual, forecast),
            "coverage": within,
        }


def replaced(old: pd.DataFrame, new: pd.DataFrame, weeks: pd.DatetimeIndex) -> pd.DataFrame:
    """The old rows of other weeks and all new ones, in order: what was computed again takes its place."""
    kept = old[~old["week"].isin(weeks)]
    frame = pd.concat([each for each in (kept, new) if len(each)] or [new], ignore_index=True)
    return frame.sort_values([name for name in ORDER if name in frame], ignore_index=True)
