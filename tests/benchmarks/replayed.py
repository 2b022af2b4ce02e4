"""Clean weeks of demo data, a model that ends before them, and what it would have forecast in each."""

import math
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd

from demand.conditioning import condition, unit_means
from demand.config import load_config
from demand.drift import DriftLimits, drift_table, weekly_errors
from demand.features import Panel, build_panel
from demand.scoring import Bundle, hindcast, read_bundle
from demand.segments import assign_segments
from demand.sources import RawTables, read_raw, write_raw
from demand.sources.synthetic import write
from level1_pipeline import store
from level1_pipeline.pipeline import train
from level1_pipeline.progress import Watch
from level1_pipeline.records import Order

WEEKS = 104
SETTINGS = {
    "network.epochs": "3",
    "network.min_steps": "600",
    "network.tune_epochs": "0",
    "training.stride": "2",
    "pipeline.workers": "1",
}
KEY = ["store_id", "product_id", "week"]
WEEK = pd.Timedelta(days=7)


@dataclass(frozen=True)
class Region:
    """One region of the clean data: raw tables, panel, and forecasts of the replayed weeks beside actuals."""

    raw: RawTables
    panel: Panel
    means: pd.DataFrame
    rows: pd.DataFrame


class World:
    """The clean data of a seed, a model that ends before the replayed weeks, and what it forecast."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.seed = seed
        raw, self.store = prepared(folder, seed)
        self.bundle = read_bundle(store.current_bundle(self.store))
        self.model_as_of = pd.Timestamp(self.bundle.meta.as_of)
        self.regions = {
            name: self._region(raw.region(name)) for name in sorted(raw.stores["region"].unique())
        }
        first = self.model_as_of + WEEK
        self.weeks = pd.date_range(first, pd.Timestamp(raw.as_of), freq="7D")

    def _region(self, raw: RawTables) -> Region:
        tables = condition(raw, unit_jump=math.inf)
        panel = build_panel(tables.weekly, tables.outlook)
        at = panel.column(self.model_as_of)
        rows = forecasts(self.bundle, panel, np.arange(at, panel.n_known - 1))
        return Region(raw, panel, unit_means(tables.weekly), rows)

    @cached_property
    def errors(self) -> pd.DataFrame:
        """Weekly errors of all regions: of the weeks that judged the model, then of the replayed ones."""
        judged = pd.read_parquet(self.store / store.BACKTEST).rename(columns={"ensemble": "forecast"})
        parts = [weekly_errors(judged), *(weekly_errors(each.rows) for each in self.regions.values())]
        return pd.concat(parts, ignore_index=True)

    @cached_property
    def mapes(self) -> pd.DataFrame:
        return pd.concat([mapes(each.rows) for each in self.regions.values()], ignore_index=True)

    def drift(self, panel: Panel, week: pd.Timestamp) -> pd.DataFrame:
        segments = assign_segments(panel.series, self.bundle.speeds)
        at, until = panel.column(week), panel.column(self.model_as_of)
        return drift_table(panel, segments, at, until, DriftLimits())


def prepared(folder: Path, seed: int) -> tuple[RawTables, Path]:
    """The demo data of a seed and a store with a model that knows all but the last 104 weeks; made once."""
    place = folder / f"seed-{seed}"
    if not (place / "data" / "manifest.json").is_file():
        write("demo", seed, place / "data")
    raw = read_raw(place / "data")
    if not (place / "store" / store.CURRENT).is_file():
        write_raw(raw.until(raw.as_of - timedelta(weeks=WEEKS)), place / "known")
        with Watch(quiet=True) as watch:
            train(Order(place / "known", place / "store", load_config(None, SETTINGS)), watch)
    return raw, place / "store"


def forecasts(bundle: Bundle, panel: Panel, origins: np.ndarray) -> pd.DataFrame:
    """Segment, keys, origin, forecast and actual of each row whose week is known."""
    rows = hindcast(bundle, [panel], origins, twins=False).rename(columns={"champion": "forecast"})
    segments = pd.DataFrame([vars(each) for each in assign_segments(panel.series, bundle.speeds)])
    average = bundle.baseline.predict(panel.series)
    series = panel.series[["store_id", "product_id"]].assign(
        **segments[["format", "speed"]], baseline=average
    )
    rows = rows.merge(series, on=["store_id", "product_id"])
    horizon = (rows["week"] - rows["origin"]).dt.days // 7
    return rows.assign(horizon=horizon).merge(actuals(panel), on=KEY)


def actuals(panel: Panel) -> pd.DataFrame:
    known = panel.units
    series, week = np.nonzero(~np.isnan(known))
    keys = panel.series[["store_id", "product_id"]].iloc[series].reset_index(drop=True)
    return keys.assign(week=panel.weeks[week], actual=known[series, week].astype(float))


def mapes(rows: pd.DataFrame) -> pd.DataFrame:
    """MAPE and rows of champion and baseline per segment and week: what the policy reads of `quality`."""
    sold = rows[rows["actual"] > 0]
    parts = [
        sold.assign(mape=100 * (sold[name] / sold["actual"] - 1).abs(), method=method)
        for method, name in (("champion", "forecast"), ("baseline", "baseline"))
    ]
    groups = pd.concat(parts).groupby(["region", "format", "speed", "week", "method"], as_index=False)
    return groups.agg(mape=("mape", "mean"), n=("mape", "size"))
