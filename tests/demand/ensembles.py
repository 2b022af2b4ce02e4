"""Ensembles by hand, every weight drawn, none zero: export and scoring are tested on them without a fit."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from builders import raw_tables

from demand.bundle import BundleMeta
from demand.conditioning import Conditioned, condition
from demand.config import Config, ForecastConfig, NetworkConfig
from demand.export import Release, write_bundle
from demand.features import CATEGORIES, build_panel
from demand.models.baseline import fit_baseline
from demand.models.design import ONE_HOT
from demand.models.encoding import Scaler, Vocabulary
from demand.models.intervals import Intervals
from demand.models.lasso import LassoMember
from demand.models.network import Network
from demand.sources import RawTables
from demand.training import DataSet, Encoder, Ensemble, SegmentModel, build_data_set, learn_encoder

META = BundleMeta("v7", datetime(2024, 5, 6, 7, 8, 9), "c0ffee", {"forecast": {"horizon": 4}})
HORIZONS = 4


def data_set(raw: RawTables) -> DataSet:
    """One panel per region of raw tables, all of the same weeks."""
    tables = condition(raw)
    span = (tables.weekly["week"].min(), tables.weekly["week"].max())
    return build_data_set([build_panel(*parts, span) for parts in _by_region(tables)])


def _by_region(tables: Conditioned) -> Iterator[tuple[pd.DataFrame, pd.DataFrame]]:
    for region, weekly in tables.weekly.groupby("region"):
        yield weekly, tables.outlook[tables.outlook["region"] == region]


@cache
def built_data() -> DataSet:
    """The data set of `builders.raw_tables`."""
    return data_set(raw_tables())


@cache
def drawn_ensemble() -> Ensemble:
    """An ensemble of drawn weights on `built_data`: 8 segments, horizon 4, hidden layers of 8 and 4."""
    data = built_data()
    config = Config(forecast=ForecastConfig(horizon=HORIZONS))
    encoder = learn_encoder(data, np.array([20, 30, 40, 50]), config)
    segments, _, speeds = data.segments(data.last_week)
    models = {segment: drawn_model(encoder, (8, 4), seed) for seed, segment in enumerate(segments)}
    baseline = fit_baseline(data.series, data.mean_units(data.last_week))
    return Ensemble(encoder, models, baseline, speeds, data.last_week)


def drawn_encoder(n_features: int, n_stores: int, n_products: int) -> Encoder:
    """An encoder of made-up features and vocabulary; its FeatureSpec is that of `built_data`."""
    counts = dict(zip(CATEGORIES, (14, n_stores, n_products, 5, 2), strict=True))
    vocabulary = Vocabulary(tuple(tuple(f"{name} {i}" for i in range(n)) for name, n in counts.items()))
    random = np.random.default_rng(1)
    center = random.normal(size=n_features).astype(np.float32)
    scaler = Scaler(center, random.uniform(0.5, 2, n_features).astype(np.float32), 8.0)
    names = tuple(f"feature_{i}" for i in range(n_features))
    return Encoder(drawn_ensemble().encoder.spec, names, vocabulary, scaler)


def drawn_model(encoder: Encoder, hidden: tuple[int, ...], seed: int) -> SegmentModel:
    """A segment's model whose every weight is drawn; 30 products of two features, a square among them."""
    random = np.random.default_rng(seed)
    n_features, sizes = len(encoder.names), encoder.vocabulary.sizes

    def draw(*shape: int) -> np.ndarray:
        return random.normal(0, 0.02, shape).astype(np.float32)

    # One in three features moves the others; the pairs are the same for every seed, as for every segment.
    pairs = np.array([(mover, mover + step) for mover in (0, 3, 6) for step in range(10)], dtype=np.intp)
    one_hot = tuple(draw(sizes[CATEGORIES.index(name)]) for name in ONE_HOT)
    lasso = LassoMember(draw(n_features), draw(len(pairs)), pairs, one_hot, 0.1)
    torch.manual_seed(seed)
    network = Network(n_features, sizes, NetworkConfig(hidden=hidden)).eval()
    for layer in (network.out, network.skip):
        torch.nn.init.normal_(layer.weight, 0, 0.05)
        torch.nn.init.normal_(layer.bias, 0, 0.05)
    width = np.sort(np.abs(draw(2, 3, HORIZONS)) * 20, axis=1)
    intervals = Intervals(np.array([9.5, 21.25], np.float32), -width[0], width[1])
    return SegmentModel(lasso, network, 0.3 + 0.05 * seed, intervals, least=0.5)


def redrawn(ensemble: Ensemble, seed: int) -> Ensemble:
    """The same ensemble with other weights, all drawn."""
    encoder, models = ensemble.encoder, ensemble.models
    drawn = {segment: drawn_model(encoder, (8, 4), seed + i) for i, segment in enumerate(models)}
    return replace(ensemble, models=drawn)


@cache
def judged_ensemble() -> Ensemble:
    """What `drawn_ensemble` might have been 8 weeks before: the same encoder, other weights."""
    return replace(redrawn(drawn_ensemble(), 100), origin=built_data().last_week - 8)


@cache
def eventless_ensemble() -> Ensemble:
    """An ensemble that reads another form: it was drawn on a data set without events."""
    data, base = data_set(raw_tables(events=None)), drawn_ensemble()
    encoder = learn_encoder(
        data, np.array([20, 30, 40, 50]), Config(forecast=ForecastConfig(horizon=HORIZONS))
    )
    return redrawn(replace(base, encoder=encoder), 200)


def write(folder: Path, ensemble: Ensemble | None = None, version: str = "v7", **release: Any) -> Path:
    """A bundle of an ensemble, of the drawn one without any; gives the folder. release: of Release."""
    meta = replace(META, model_version=version)
    write_bundle(ensemble or drawn_ensemble(), built_data(), folder, meta=meta, release=Release(**release))
    return folder
