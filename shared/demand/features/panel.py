"""The conditioned tables of some regions as dense arrays: series in rows, weeks in columns."""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from demand.contracts import EVENT_KINDS, SHARES
from demand.features.windows import Floats, Ints

SERIES = ["region", "store_id", "product_id", "format", "category"]
INPUTS = [
    "price",
    "feature",
    "deal",
    "temperature",
    "precipitation",
    *(f"event_{kind}" for kind in EVENT_KINDS),
]
OUTLOOK_WEEKS = 8  # columns after the last known week
SHOPPERS = ["population", "median_income_usd", "household_size", *SHARES]


@dataclass(frozen=True)
class Panel:
    """Series and weeks of a conditioned data set.

    series: one row per series with region, store_id, product_id, format, category.
    weeks: Mondays, the known ones first, then those of the outlook.
    units: (n_series, n_known) float32, NaN where a series has not begun, has ended, or a week is unknown.
    inputs: name to (n_series, n_weeks) float32, NaN where not known.
    shoppers: name to (n_series,) float32, the demographics of the store.
    event: (n_series, n_weeks) index into `event_names`, 0 for none.
    """

    series: pd.DataFrame
    weeks: pd.DatetimeIndex
    units: Floats
    inputs: dict[str, Floats]
    shoppers: dict[str, Floats]
    event: Ints
    event_names: tuple[str, ...]

    @property
    def n_known(self) -> int:
        """Number of weeks up to the last known one."""
        return int(self.units.shape[1])

    def column(self, week: pd.Timestamp) -> int:
        """Index of a Monday among the weeks; raises ValueError for one that is not there."""
        found = self.weeks.get_indexer(pd.DatetimeIndex([week]))[0]
        if found < 0:
            raise ValueError(
                f"week: expected a Monday from {self.weeks[0]:%Y-%m-%d} to {self.weeks[-1]:%Y-%m-%d}; "
                f"got {week:%Y-%m-%d}. Choose one of them."
            )
        return int(found)


def build_panel(
    weekly: pd.DataFrame, outlook: pd.DataFrame, span: tuple[pd.Timestamp, pd.Timestamp] | None = None
) -> Panel:
    """The panel of conditioned tables, as their contracts have them.

    span: first and last known Monday, so that the panels of several regions have the same columns; those of
    `weekly` without it.
    """
    # Texts only: the numbers of all rows are put together one column at a time, which takes a fraction of it.
    texts = [*SERIES, "week", "event_name"]
    table = pd.concat([weekly[texts], outlook[texts]], ignore_index=True)
    keys = ["region", "store_id", "product_id"]
    begin, end = span or (weekly["week"].min(), weekly["week"].max())
    code = table.groupby(keys, sort=True, observed=True).ngroup().to_numpy().astype(np.intp)
    week = ((table["week"] - begin).dt.days // 7).to_numpy().astype(np.intp)
    n_known = (end - begin).days // 7 + 1
    shape = (int(code.max()) + 1, n_known + OUTLOOK_WEEKS)
    _refuse_outside("weekly", weekly, week[: len(weekly)], (begin, n_known))
    _refuse_outside("outlook", outlook, week[len(weekly) :], (begin, shape[1]))
    first = np.full(shape[0], -1)
    first[code[::-1]] = np.arange(len(table))[::-1]
    units = np.full((shape[0], n_known), np.nan, np.float32)
    units[code[: len(weekly)], week[: len(weekly)]] = weekly["units"].to_numpy()
    event, names = pd.factorize(table["event_name"], sort=True)
    names_ = tuple(str(name) for name in names)
    return Panel(
        series=table.loc[first, SERIES].reset_index(drop=True),
        weeks=pd.date_range(begin, periods=shape[1], freq="7D"),
        units=units,
        inputs={name: _dense(_both(weekly, outlook, name), code, week, shape) for name in INPUTS},
        shoppers={name: _both(weekly, outlook, name)[first].astype(np.float32) for name in SHOPPERS},
        event=_events(event, names_, (code, week), shape),
        event_names=names_ if "" in names_ else ("", *names_),
    )


def _refuse_outside(name: str, table: pd.DataFrame, week: Ints, span: tuple[pd.Timestamp, int]) -> None:
    """Raise ValueError where a week has no column: a negative index would write into the last ones."""
    begin, count = span
    outside = (week < 0) | (week >= count)
    if outside.any():
        last = begin + pd.Timedelta(weeks=count - 1)
        raise ValueError(
            f"{name}, column week: expected Mondays from {begin:%Y-%m-%d} to {last:%Y-%m-%d}; got "
            f"{outside.sum()} rows outside, the first {table['week'][outside].min():%Y-%m-%d}. Widen span."
        )


def begin_at(panel: Panel, begin: pd.Timestamp) -> Panel:
    """The panel with weeks from an earlier Monday on, or its own first; nothing is known of those it adds."""
    added = (panel.weeks[0] - begin).days // 7
    before = ((0, 0), (added, 0))
    return replace(
        panel,
        weeks=pd.date_range(begin, periods=len(panel.weeks) + added, freq="7D"),
        units=np.pad(panel.units, before, constant_values=np.nan),
        inputs={
            name: np.pad(values, before, constant_values=np.nan) for name, values in panel.inputs.items()
        },
        event=np.pad(panel.event, before),
    )


def _both(weekly: pd.DataFrame, outlook: pd.DataFrame, name: str) -> np.ndarray:
    return np.concatenate([weekly[name].to_numpy(), outlook[name].to_numpy()])


def _dense(values: np.ndarray, code: Ints, week: Ints, shape: tuple[int, int]) -> Floats:
    out = np.full(shape, np.nan, np.float32)
    out[code, week] = values
    return out


def _events(event: Ints, names: tuple[str, ...], at: tuple[Ints, Ints], shape: tuple[int, int]) -> Ints:
    """Codes in a grid, 0 for no event; weeks without a row take none."""
    out: Ints = np.zeros(shape, dtype=np.intp)
    out[at] = event if "" in names else event + 1
    return out
