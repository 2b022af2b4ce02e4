"""Choose on the validation window, then fit: two straight functions over all regions of a data set."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import pandas as pd
import torch
from joblib import Parallel, delayed
from threadpoolctl import threadpool_limits

from demand.errors import DataError
from demand.models.baseline import HistoricalAverage, fit_baseline
from demand.models.blend import pooled_curve
from demand.models.network import Network
from demand.segments import Segment
from demand.splits import window
from demand.training.attempt import Failed, attempt
from demand.training.choice import Choice, Judged, decide
from demand.training.job import Job, Part, parts_of
from demand.training.regions import fit_part, judge_region, shared_network
from demand.training.rows import Encoder
from demand.training.segment import SegmentModel

# Told after each segment: its name and its validation MAPE in percent, NaN where none is scored.
Progress = Callable[[str, float], None]
Choices = Mapping[Segment, Choice | Failed]


@dataclass(frozen=True)
class Ensemble:
    """Everything a forecast needs: the encoder, one model per segment, the baselines, and who belongs where.

    speeds: region, format, product_id, speed. origin: column of the last week that trained. failed: why a
    segment has no model.
    """

    encoder: Encoder
    models: dict[Segment, SegmentModel]
    baseline: HistoricalAverage
    speeds: pd.DataFrame
    origin: int
    failed: Mapping[Segment, str] = field(default_factory=dict)


def train_networks(job: Job, origins: Iterable[int], told: Progress | None = None) -> None:
    """Trains the networks that `choose` and `fit` will find in the job's memo, side by side.

    origins: columns of the last week that trains, see `choosing_origin` for those of `choose`.
    """
    tasks = [(shared_network, parts_of(job, origin), origin) for origin in dict.fromkeys(origins)]
    for _ in _in_parallel(tasks, job.workers):
        if told is not None:
            told("network", float("nan"))


def choosing_origin(job: Job, origin: int) -> int:
    """The column up to which `choose` at `origin` trains."""
    return window(origin, job.config).train


def choose(job: Job, origin: int, progress: Progress | None = None) -> dict[Segment, Choice | Failed]:
    """The choices of every segment, from models trained before the validation window that ends at `origin`.

    Raises DataError where there are too few weeks.
    """
    weeks = window(origin, job.config)
    parts = parts_of(job, weeks.train)
    network = _network(job, parts, weeks.train)
    tasks = [(judge_region, part, weeks, network) for part in parts]
    judged = dict(_by_segment(parts, _in_parallel(tasks, job.workers)))
    objective = job.config.forecast.objective
    prior = pooled_curve([each.curve(objective) for each in judged.values() if isinstance(each, Judged)])
    found: dict[Segment, Choice | Failed] = {}
    for segment, each in judged.items():
        if isinstance(each, Judged):
            found[segment] = attempt(0, decide, each, prior, job.config)
        else:
            found[segment] = each
        _tell(progress, segment, found[segment])
    return found


def fit(job: Job, origin: int, choices: Choices, progress: Progress | None = None) -> Ensemble:
    """The ensemble trained on every target up to the column `origin`, as `choices` say.

    A segment that nothing was chosen for is fitted as the first one that has a choice; one whose choice
    failed has no model. Raises DataError where there is no choice at all.
    """
    parts = parts_of(job, origin)
    fallback = next((choice for choice in choices.values() if isinstance(choice, Choice)), None)
    if fallback is None:
        reason = next((each.reason for each in choices.values() if isinstance(each, Failed)), "no segment")
        raise DataError(
            f"choices: expected one for at least one segment; got none, the first reason is: {reason}. "
            "Mend what it names."
        )
    network = _network(job, parts, origin)
    picked = [[choices.get(segment, fallback) for segment in part.segments] for part in parts]
    tasks = [(fit_part, part, origin, own, network) for part, own in zip(parts, picked, strict=True)]
    models, failed = {}, {}
    for segment, model in _by_segment(parts, _in_parallel(tasks, job.workers)):
        if isinstance(model, Failed):
            failed[segment] = model.reason
        else:
            models[segment] = model
        _tell(progress, segment, choices.get(segment, fallback))
    baseline = fit_baseline(job.data.series, job.data.mean_units(origin))
    return Ensemble(job.encoder, models, baseline, job.data.segments(origin)[2], origin, failed)


def _network(job: Job, parts: list[Part], origin: int) -> Network:
    network: Network = next(_in_parallel([(shared_network, parts, origin)], job.workers))
    return network


def _by_segment(parts: list[Part], found: Iterator[list[Any]]) -> Iterator[tuple[Segment, Any]]:
    for part, of_part in zip(parts, found, strict=True):
        yield from zip(part.segments, of_part, strict=True)


def _tell(progress: Progress | None, segment: Segment, choice: Choice | Failed) -> None:
    if progress is not None:
        progress(segment.name, choice.mape if isinstance(choice, Choice) else float("nan"))


def _in_parallel(tasks: list[tuple[Any, ...]], workers: int) -> Iterator[Any]:
    """The result of each (function, *arguments), in order; one thread each, whatever the workers."""
    parallel = Parallel(
        n_jobs=min(workers, len(tasks)),
        return_as="generator",
        mmap_mode="c",
        batch_size=1,  # tasks are few and long
        pre_dispatch="all",
    )
    found: Iterator[Any] = parallel(delayed(_single_threaded)(*each) for each in tasks)
    return found


def _single_threaded(function: Callable[..., Any], *arguments: Any) -> Any:
    torch.set_num_threads(1)
    with threadpool_limits(1):
        return function(*arguments)
