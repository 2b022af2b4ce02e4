"""Synthetic raw tables of any size, region by region, and the truth that they were drawn from."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from demand.sources.synthetic.demand import Distribution, distribution, draw
from demand.sources.synthetic.oracle import mape_best
from demand.sources.synthetic.region import Region, make_region
from demand.sources.synthetic.sizes import Array, Size, size_named
from demand.sources.synthetic.world import make_world
from demand.sources.tables import RawTables
from demand.sources.writer import RawWriter, write_raw, writing_raw

DEFAULT_SEED = 2023
# One file per region where a data set is streamed: what a region reads does not grow with the others.
PER_REGION = ("returns", "prices", "weather_history", "weather_forecast")
NATIONAL = ("products",)


@dataclass(frozen=True)
class Synthetic:
    """Raw tables, and the oracle: store_id, product_id, week, mean_units, mape_best_units, units.

    The oracle has the true mean, the point of least MAPE of the true distribution, and the drawn units of
    every week on the shelf, up to 8 weeks past the as-of date. It is no input of a model.
    """

    tables: RawTables
    oracle: pd.DataFrame


def generate(size: str, seed: int = DEFAULT_SEED) -> Synthetic:
    """All regions of a size at once; the same size and seed give the same values, whatever the machine.

    Raises UsageError for an unknown size. For `full`, `write` needs far less memory.
    """
    return _joined([generate_region(size, seed, region) for region in size_named(size).region_names])


def generate_region(size: str, seed: int, region: str) -> Synthetic:
    """One region of a size; no other region has a part in it.

    Raises UsageError for an unknown size or region.
    """
    scale = size_named(size)
    world = make_world(scale, seed)
    state = make_region(scale, seed, world, region)
    truth = distribution(scale, seed, world, region, state)
    units, returned = draw(scale, seed, region, truth)
    grid = _Grid(scale, state.stores["store_id"].to_numpy(), world.products["product_id"].to_numpy(), truth)
    tables = RawTables(
        name=f"synthetic-{size}",
        as_of=scale.as_of,
        shipments=grid.rows(grid.known & (units + returned > 0), units_shipped=units + returned),
        returns=grid.rows(grid.known & (returned > 0), units_returned=returned),
        stores=state.stores,
        products=world.products,
        shopper_demographics=state.demographics,
        weather_history=state.weather_history,
        weather_forecast=state.weather_forecast,
        events=world.events[world.events["region"].isin(["*", region])].reset_index(drop=True),
        prices=_prices(grid, state),
    )
    return Synthetic(tables, _oracle(grid, truth, units))


def write(size: str, seed: int, folder: Path) -> None:
    """Writes a size as a raw folder with manifest and oracle; beyond `tiny`, one region at a time.

    Raises UsageError for an unknown size or a folder that holds other files.
    """
    if size == "tiny":
        data = generate(size, seed)
        write_raw(data.tables, folder, oracle=data.oracle)
        return
    scale = size_named(size)
    with writing_raw(folder, name=f"synthetic-{size}", as_of=scale.as_of) as writer:
        small = [_write_region(writer, size, seed, region) for region in scale.region_names]
        for table, frame in _joined(small).tables.tables():
            if table != "shipments":
                writer.table(table, frame)


def _write_region(writer: RawWriter, size: str, seed: int, region: str) -> Synthetic:
    """Writes the large tables of a region; returns its small ones, the large ones emptied."""
    data = generate_region(size, seed, region)
    large = {table: frame for table, frame in data.tables.tables() if table in PER_REGION}
    writer.shipments(region, data.tables.shipments)
    writer.table("oracle", data.oracle, f"oracle/{region}.parquet")
    for table, frame in large.items():
        writer.table(table, frame, f"{table}/{region}.{'jsonl' if table == 'returns' else 'parquet'}")
    gone: dict[str, Any] = dict.fromkeys(PER_REGION)
    small = replace(data.tables, shipments=data.tables.shipments.iloc[:0].copy(), **gone)
    return Synthetic(small, data.oracle.iloc[:0].copy())


def _joined(parts: list[Synthetic]) -> Synthetic:
    """The regions' tables one below the other; what is national is kept once."""
    frames = [dict(part.tables.tables()) for part in parts]
    joined: dict[str, Any] = {
        table: frames[0][table]
        if table in NATIONAL
        else pd.concat([f[table] for f in frames], ignore_index=True)
        for table in frames[0]
    }
    joined["events"] = joined["events"].drop_duplicates(ignore_index=True)
    oracle = pd.concat([part.oracle for part in parts], ignore_index=True)
    return Synthetic(replace(parts[0].tables, **joined), oracle)


class _Grid:
    """Rows (store, product) by calendar weeks of one region, and the cells that are on the shelf."""

    def __init__(self, size: Size, stores: Array, products: Array, truth: Distribution) -> None:
        self.week, self.products = size.calendar, products
        self.store, self.product = np.repeat(stores, len(products)), np.tile(products, len(stores))
        position = np.arange(len(self.week))
        self.on_shelf = (position >= truth.first[:, None]) & (position <= truth.last[:, None])
        self.known = self.on_shelf & (position < size.weeks)

    def rows(self, where: Array, **values: Array) -> pd.DataFrame:
        """One row per cell: store_id, product_id, week, then the named values as float64."""
        series, week = np.nonzero(where)
        keys = {"store_id": self.store[series], "product_id": self.product[series], "week": self.week[week]}
        return pd.DataFrame({**keys, **{name: value[where].astype(float) for name, value in values.items()}})


def _prices(grid: _Grid, state: Region) -> pd.DataFrame:
    flat = (-1, len(grid.week))
    price, feature, deal = (part.reshape(flat) for part in (state.price, state.feature, state.deal))
    return grid.rows(grid.on_shelf, price_usd=price, feature=feature, deal=deal)


def _oracle(grid: _Grid, truth: Distribution, units: Array) -> pd.DataFrame:
    mean = np.round((1 - truth.idle) * truth.mean, 3)
    best = np.round(mape_best(truth.mean, truth.alpha[:, None]), 2)
    return grid.rows(grid.on_shelf, mean_units=mean, mape_best_units=best, units=units)
