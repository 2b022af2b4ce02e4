"""A store whose forecasts of the last weeks are issued and not compared with anything yet."""

import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path

import pandas as pd
import pytest

from demand.scoring import read_bundle, score_all
from demand.sources import RawTables, read_raw, write_raw
from level1_pipeline import store as files
from level1_pipeline.deliveries import open_delivery
from level1_pipeline.monitoring.issued import append_forecasts, with_baseline
from level1_pipeline.monitoring.run import Monitored, Order, monitor
from level1_pipeline.progress import Watch
from level1_pipeline.regions import condition_region, panel_of

LAST = date(2026, 6, 15)
ISSUED_WEEKS = 6


@dataclass(frozen=True)
class Place:
    """A store, and the data that arrive."""

    store: Path
    data: Path

    def monitor(self, as_of: date = LAST, **options: float) -> Monitored:
        with Watch(quiet=True) as watch:
            return monitor(Order(self.data, self.store, as_of, **options), watch)

    def deliver(self, change: Callable[[RawTables], RawTables]) -> None:
        """Delivers the data again, changed."""
        raw = change(read_raw(self.data))
        shutil.rmtree(self.data)
        write_raw(raw, self.data)


def units(raw: RawTables, week: date, change: Callable[[pd.DataFrame], pd.DataFrame]) -> RawTables:
    """The tables with the shipments of one week changed."""
    own = raw.shipments["week"] == pd.Timestamp(week)
    parts = [raw.shipments[~own], change(raw.shipments[own])]
    return replace(raw, shipments=pd.concat(parts, ignore_index=True))


@pytest.fixture(scope="session")
def issued_store(trained_store, tiny_raw_folder, tmp_path_factory) -> Path:
    """The trained store with the forecasts of six scoring runs before the last week."""
    store = tmp_path_factory.mktemp("issued") / "store"
    names = shutil.ignore_patterns("mlflow.db", "mlartifacts")
    shutil.copytree(trained_store, store, ignore=names)
    bundle, delivery = read_bundle(files.current_bundle(store)), open_delivery(tiny_raw_folder)
    panels = [panel_of(condition_region(delivery, region)[0], delivery) for region in delivery.regions]
    for weeks in range(ISSUED_WEEKS, 0, -1):
        forecasts = score_all(bundle, panels, delivery.as_of - timedelta(weeks=weeks)).forecasts
        append_forecasts(store, with_baseline(bundle, delivery.stores, forecasts))
    return store


@pytest.fixture(scope="session")
def monitored_store(issued_store, tiny_raw_folder, tmp_path_factory) -> Path:
    """The same, after the monitoring runs of the two weeks before the last one."""
    store = tmp_path_factory.mktemp("monitored") / "store"
    shutil.copytree(issued_store, store)
    for weeks in (2, 1):
        Place(store, tiny_raw_folder).monitor(LAST - timedelta(weeks=weeks))
    return store


@pytest.fixture
def place(monitored_store, tiny_raw_folder, tmp_path) -> Place:
    """A copy of that store, and of the data, to go on from."""
    store = shutil.copytree(monitored_store, tmp_path / "store")
    return Place(Path(store), Path(shutil.copytree(tiny_raw_folder, tmp_path / "data")))
