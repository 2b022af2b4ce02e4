"""Actuals as they arrive: first, late, and changed; nothing that was seen is forgotten within half a year."""

from collections.abc import Sequence
from datetime import date

import numpy as np
import pandas as pd

from demand.contracts import check, columns

KEY = ["region", "store_id", "product_id", "week"]
FEWEST_SERIES = 3  # of a store whose silence means something
KEPT_WEEKS = 26  # weeks within which a late or changed actual is noticed row by row


def observed(weekly: pd.DataFrame, as_of: pd.Timestamp) -> pd.DataFrame:
    """Region, store_id, product_id, week, units of the last 26 weeks; units NaN where nothing was delivered.

    A store of several series without a single unit shipped in a week has not delivered: its zeros come from
    the rule for absent weeks and are no demand.
    """
    recent = weekly[weekly["week"] > as_of - pd.Timedelta(weeks=KEPT_WEEKS)]
    shipped = recent.groupby(["region", "store_id", "week"])["shipped"].agg(["sum", "size"])
    silent = shipped[(shipped["sum"] == 0) & (shipped["size"] >= FEWEST_SERIES)].index
    lost = pd.MultiIndex.from_frame(recent[["region", "store_id", "week"]]).isin(silent)
    return recent[KEY].assign(units=recent["units"].mask(lost)).reset_index(drop=True)


def seen(before: pd.DataFrame, rows: pd.DataFrame, as_of: pd.Timestamp) -> pd.DataFrame:
    """The contracted table `actuals` after a delivery: `before` it, and the observed rows of it.

    A value that changed replaces the earlier one and is marked; the first one is kept beside it. One that
    was there and is not delivered any more stays as it was.
    """
    known = rows[rows["units"].notna()]
    both = before.merge(known.rename(columns={"units": "now"}), on=KEY, how="outer", validate="1:1")
    fresh, gone = both["units"].isna(), both["now"].isna()
    changed = ~fresh & ~gone & (both["units"] != both["now"])
    table = both.assign(
        units=both["units"].where(gone, both["now"]),
        first_units=both["first_units"].where(~fresh, both["now"]),
        seen_as_of=both["seen_as_of"].where(~fresh, as_of),
        changed_as_of=both["changed_as_of"].where(~changed, as_of),
    )
    recent = table["week"] > as_of - pd.Timedelta(weeks=KEPT_WEEKS)
    kept = table.loc[recent, columns("actuals")].sort_values(KEY, ignore_index=True)
    return check("actuals", kept, "actuals")


def touched(before: pd.DataFrame, after: pd.DataFrame) -> pd.DatetimeIndex:
    """Weeks of which actuals came or changed."""
    both = after.merge(before[[*KEY, "units"]], on=KEY, how="left", suffixes=("", "_before"))
    return pd.DatetimeIndex(both.loc[both["units"] != both["units_before"], "week"].unique())


def data_quality(actuals: pd.DataFrame, missing: pd.DataFrame, monitored: Sequence[date]) -> pd.DataFrame:
    """The contracted table `data_quality`: rows, missing, late and restated of each region and week.

    missing: region, week, missing. monitored: the as-of dates of all runs. A row is late where a run that
    could have seen it did not, restated where it is no more what it was when it was first seen.
    """
    runs = np.array(sorted(monitored), dtype="datetime64[us]")
    week, first = (actuals[name].to_numpy().astype("datetime64[us]") for name in ("week", "seen_as_of"))
    late = np.searchsorted(runs, first, side="left") > np.searchsorted(runs, week, side="left")
    counted = actuals[["region", "week"]].assign(
        rows=1, late=late.astype(int), restated=actuals["changed_as_of"].notna().astype(int)
    )
    sums = counted.groupby(["region", "week"], as_index=False).sum()
    both = sums.merge(missing, on=["region", "week"], how="outer").fillna(
        {"rows": 0, "late": 0, "restated": 0, "missing": 0}
    )
    frame = both[columns("data_quality")].sort_values(["region", "week"], ignore_index=True)
    return check("data_quality", frame, "data_quality")
