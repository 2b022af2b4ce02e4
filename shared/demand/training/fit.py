"""Choose on the validation window, then fit: two straight functions over all segments of a data set."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
import torch
from joblib import Parallel, delayed
from threadpoolctl import threadpool_limits

from demand.config import Config
from demand.models.baseline import HistoricalAverage, fit_baseline
from demand.models.blend import blend
from demand.models.encoding import Floats
from demand.models.intervals import Intervals
from demand.models.lasso import LassoMember
from demand.models.network import (
    Network,
    NetworkRows,
    predict_network,
    shifted_network,
    train_network,
    tune_network,
)
from demand.segments import Segment
from demand.splits import training_origins, window
from demand.training.choice import Choice, decide
from demand.training.linear import (
    RegionFit,
    fit_region,
    hot_codes,
    pick_by_validation,
    pick_chosen,
    region_design,
    row_weights,
)
from demand.training.rows import DataSet, Encoder, Ints, Rows, build_rows

# Told after each fitted segment: its name and its validation MAPE in percent, NaN where none is scored.
Progress = Callable[[str, float], None]


@dataclass(frozen=True)
class SegmentModel:
    """The ensemble of one segment."""

    lasso: LassoMember
    network: Network
    weight: float
    intervals: Intervals

    def members(self, rows: Rows) -> tuple[Floats, Floats]:
        """Log ratios of the linear member and the network, (n_rows,) each."""
        linear = self.lasso.predict(rows.values, hot_codes(rows.codes))
        return linear, predict_network(self.network, rows.values, rows.codes)

    def predict(self, rows: Rows) -> Floats:
        """Log ratios of the ensemble, (n_rows,)."""
        return blend(*self.members(rows), self.weight)


@dataclass(frozen=True)
class Ensemble:
    """Everything a forecast needs: the encoder, one model per segment, the baselines, and who belongs where.

    speeds: region, format, product_id, speed. origin: column of the last week that trained.
    """

    encoder: Encoder
    models: dict[Segment, SegmentModel]
    baseline: HistoricalAverage
    speeds: pd.DataFrame
    origin: int


@dataclass(frozen=True)
class Job:
    """A data set, how it is encoded and configured, and how many processes may work on it."""

    data: DataSet
    encoder: Encoder
    config: Config
    workers: int = 1


def choose(job: Job, origin: int, progress: Progress | None = None) -> dict[Segment, Choice]:
    """The choices of every segment, from models trained before the validation window that ends at `origin`.

    Raises DataError where there are too few weeks.
    """
    weeks = window(origin, job.config)
    segments, of_series, _ = job.data.segments(weeks.train)
    judged = build_rows(job.data, job.encoder, weeks.choosing(job.config.forecast.horizon)).known(origin)
    trained = _training_rows(job, weeks.train)
    parts, judges = _split(trained, of_series, len(segments)), _split(judged, of_series, len(segments))
    plan = _Plan(job.encoder.names, job.encoder.vocabulary.sizes, job.config, weeks.train)
    regions = _by_region(segments)
    network_job = (_shared_network, trained, plan)
    region_jobs = [(_choose_region, _pick(parts, own), _pick(judges, own), plan) for own in regions]
    network, *fits = _in_parallel([network_job, *region_jobs], job.workers)
    found = {}
    for own, fitted in zip(regions, fits, strict=True):
        for i, linear, alphas in zip(own, fitted.members, fitted.chosen, strict=True):
            found[segments[i]] = decide((linear, alphas), network, judges[i], job.config)
            if progress is not None:
                progress(segments[i].name, found[segments[i]].mape)
    return found


def fit(job: Job, origin: int, choices: dict[Segment, Choice], progress: Progress | None = None) -> Ensemble:
    """The ensemble trained on every target up to the column `origin`, as `choices` say."""
    segments, of_series, speeds = job.data.segments(origin)
    rows = _training_rows(job, origin)
    parts = _split(rows, of_series, len(segments))
    fallback = next(iter(choices.values()))
    picked = [choices.get(segment, fallback) for segment in segments]
    plan = _Plan(job.encoder.names, job.encoder.vocabulary.sizes, job.config, origin)
    regions = _by_region(segments)
    network_job = (_shared_network, rows, plan)
    region_jobs = [(_fit_linear, _pick(parts, own), _pick(picked, own), plan) for own in regions]
    network, *fits = _in_parallel([network_job, *region_jobs], job.workers)
    linear = {
        i: member
        for own, members in zip(regions, fits, strict=True)
        for i, member in zip(own, members, strict=True)
    }
    models = {}
    for i, tuned in enumerate(_in_parallel([(_tuned, network, part, plan) for part in parts], job.workers)):
        models[segments[i]] = _segment_model(linear[i], tuned, picked[i])
        if progress is not None:
            progress(segments[i].name, picked[i].mape)
    baseline = fit_baseline(job.data.series, job.data.mean_units(origin))
    return Ensemble(job.encoder, models, baseline, speeds, origin)


def _segment_model(linear: LassoMember, network: Network, choice: Choice) -> SegmentModel:
    """The ensemble of a segment, its shift folded into both members."""
    moved = replace(linear, intercept=linear.intercept + choice.shift)
    return SegmentModel(moved, shifted_network(network, choice.shift), choice.weight, choice.intervals)


@dataclass(frozen=True)
class _Plan:
    """What a fit needs beside its rows: feature names, codes per category, settings, column of the origin."""

    names: tuple[str, ...]
    sizes: tuple[int, ...]
    config: Config
    origin: int


def _training_rows(job: Job, last: int) -> Rows:
    at = training_origins(last, job.config)
    return build_rows(job.data, job.encoder, at, min_weeks=job.config.training.min_weeks).known(last)


def _split(rows: Rows, of_series: Ints, count: int) -> list[Rows]:
    """The rows of each segment."""
    own = of_series[rows.series]
    return [rows.take(np.flatnonzero(own == i)) for i in range(count)]


def _by_region(segments: tuple[Segment, ...]) -> list[list[int]]:
    """Indices of the segments of each region."""
    regions: dict[str, list[int]] = {}
    for i, segment in enumerate(segments):
        regions.setdefault(segment.region, []).append(i)
    return list(regions.values())


def _pick(items: list[Any], index: list[int]) -> list[Any]:
    return [items[i] for i in index]


def _choose_region(parts: list[Rows], judges: list[Rows], plan: _Plan) -> RegionFit:
    design = region_design(plan.names, parts, plan.sizes)
    pick = pick_by_validation(design, judges, plan.config)
    return fit_region(design, parts, plan.origin, pick, plan.config)


def _fit_linear(parts: list[Rows], picked: list[Choice], plan: _Plan) -> list[LassoMember]:
    design = region_design(plan.names, parts, plan.sizes)
    pick = pick_chosen([choice.alphas for choice in picked])
    return fit_region(design, parts, plan.origin, pick, plan.config).members


def _shared_network(rows: Rows, plan: _Plan) -> Network:
    return train_network(_network_rows(rows, plan), plan.sizes, plan.config)


def _tuned(network: Network, rows: Rows, plan: _Plan) -> Network:
    return tune_network(network, _network_rows(rows, plan), plan.config)


def _network_rows(rows: Rows, plan: _Plan) -> NetworkRows:
    weight = row_weights(rows, plan.origin, plan.config)
    weight = weight / weight.mean() if len(weight) else weight
    return NetworkRows(rows.values, rows.codes, rows.units, rows.level, rows.offset, weight)


def _in_parallel(jobs: list[tuple[Any, ...]], workers: int) -> Iterator[Any]:
    """The result of each (function, *arguments), in order; one thread each, whatever the workers."""
    found: Iterator[Any] = Parallel(n_jobs=workers, return_as="generator", mmap_mode="c")(
        delayed(_single_threaded)(*each) for each in jobs
    )
    return found


def _single_threaded(function: Callable[..., Any], *arguments: Any) -> Any:
    torch.set_num_threads(1)
    with threadpool_limits(1):
        return function(*arguments)
