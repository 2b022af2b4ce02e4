"""What makes rows unfit to judge by: the gate refuses them instead of scoring around them."""

import numpy as np
import pandas as pd

from demand.contracts import check, check_columns, columns
from demand.errors import DataError

CHAMPION = "champion"
SEGMENT = ["region", "format", "speed"]
KEY = ["store_id", "product_id", "origin", "week"]


def fault_of_table(table_: pd.DataFrame) -> str:
    """Why no row of a table can be judged by, empty where each segment's rows may be looked at."""
    names = [str(name) for name in table_.columns]
    rival = [CHAMPION] if CHAMPION in names else []
    try:
        check_columns([*columns("backtest"), *rival], names, "backtest")
    except DataError as error:
        return str(error)
    lost = table_[SEGMENT].isna().any(axis=1)
    if lost.any():
        return f"backtest: expected region, format and speed in every row; {lost.sum()} rows lack them."
    return ""


def with_champion(table_: pd.DataFrame) -> pd.DataFrame:
    """The table with `champion`, NaN where it had none, and `twice`: whether the key of a row recurs."""
    champion = table_[CHAMPION] if CHAMPION in table_ else pd.Series(np.nan, index=table_.index)
    return table_.assign(**{CHAMPION: champion, "twice": table_.duplicated(KEY, keep=False)})


def breach(rows: pd.DataFrame, origin: str) -> str:
    """How rows break the contract of `backtest`, empty where they keep it."""
    try:
        check("backtest", rows[columns("backtest")], origin)
    except DataError as error:
        return str(error)
    return ""


def fault_of(rows: pd.DataFrame, name: str, *, broken: bool) -> str:
    """Why the rows of one segment cannot be judged by, empty where they can.

    broken: whether any row of the table breaks the contract; one check of all is cheaper than one for each.
    """
    if rows.empty:
        return "No rows: no forecast of this segment could be compared with what was sold."
    if rows["twice"].any():
        return (
            f"{rows['twice'].sum()} of {len(rows)} rows share store, product, origin and week with another."
        )
    found = breach(rows, f"backtest of {name}") if broken else ""
    if found:
        return found
    ahead = rows["week"] - rows["origin"] != pd.to_timedelta(7 * rows["horizon"], unit="D")
    if ahead.any():
        return (
            f"{ahead.sum()} of {len(rows)} rows are of a week that is not `horizon` weeks after the origin."
        )
    return _fault_of_champion(rows[CHAMPION])


def _fault_of_champion(champion: "pd.Series[float]") -> str:
    if champion.isna().all():
        return ""
    if champion.dtype.kind not in "fiu":
        return f"The champion's forecasts are of type {champion.dtype}, expected numbers in units."
    bad = np.isinf(champion.to_numpy()) | (champion.to_numpy() < 0)
    if bad.any():
        return (
            f"{bad.sum()} of {len(bad)} forecasts of the champion are infinite or negative, expected units."
        )
    return ""
