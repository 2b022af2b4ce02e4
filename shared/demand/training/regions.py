"""What a worker does for one region: build its rows, fit its linear members, judge or tune its segments."""

from dataclasses import dataclass

import numpy as np

from demand.models.network import Network, NetworkRows, predict_network, train_network, tune_network
from demand.splits import Window, training_origins
from demand.training.attempt import Failed, attempt
from demand.training.choice import Choice, Judged
from demand.training.job import Part, drawn_rows
from demand.training.linear import (
    Linear,
    fit_region,
    hot_codes,
    least_forecast,
    pick_by_validation,
    pick_chosen,
    region_design,
    row_weights,
)
from demand.training.memo import remembered
from demand.training.rows import Rows
from demand.training.segment import SegmentModel, segment_model

CHECKED = 1000  # rows on which a new model must give numbers


def shared_network(parts: list[Part], origin: int) -> Network:
    """The network of all segments, trained on targets up to the column `origin`."""
    config = parts[0].config
    name = f"network-{origin}"

    def train() -> Network:
        rows = drawn_rows(parts, training_origins(origin, config), origin)
        return train_network(_network_rows(rows, origin, parts[0]), parts[0].encoder.vocabulary.sizes, config)

    return remembered(parts[0].memo, name, train)


def judge_region(part: Part, window: Window, network: Network) -> list[Judged | Failed]:
    """For each segment of a region the members' forecasts of its validation rows, and the alphas that won."""
    name = f"judged-{window.origin}-{part.segments[0].region}"

    def judge() -> list[Judged | Failed]:
        at = training_origins(window.train, part.config)
        rows = part.split(part.training_rows(at, window.train))
        judges = part.split(part.judging_rows(window.choosing(part.config.forecast.horizon), window.origin))
        design = region_design(part.encoder.names, rows, part.encoder.vocabulary.sizes)
        least = [least_forecast(own, part.config) for own in rows]
        pick = pick_by_validation(design, judges, least, part.config)
        fitted = fit_region(design, rows, window.train, pick, part.config)
        return [
            _judged(part, own, _Trial(rows[i], judges[i], window.train, least[i]), network)
            for i, own in enumerate(fitted)
        ]

    return remembered(part.memo, name, judge)


def fit_part(
    part: Part, origin: int, choices: list[Choice | Failed], network: Network
) -> list[SegmentModel | Failed]:
    """The ensemble of each segment of a region, trained on targets up to the column `origin`."""
    names = [f"model-{origin}-{segment.name}" for segment in part.segments]
    found: list[SegmentModel | Failed | None] = [part.memo.find(name) for name in names]
    if all(found):
        return [model for model in found if model is not None]
    rows = part.split(part.training_rows(training_origins(origin, part.config), origin))
    linear = remembered(
        part.memo, f"linear-{origin}-{part.segments[0].region}", _linear, part, rows, origin, choices
    )
    return [
        model or remembered(part.memo, name, _model, part, (own, rows[i], choices[i]), origin, network)
        for i, (model, name, own) in enumerate(zip(found, names, linear, strict=True))
    ]


def _linear(
    part: Part, rows: list[Rows], origin: int, choices: list[Choice | Failed]
) -> list[Linear | Failed]:
    design = region_design(part.encoder.names, rows, part.encoder.vocabulary.sizes)
    pick = pick_chosen([() if isinstance(choice, Failed) else choice.alphas for choice in choices])
    fitted = fit_region(design, rows, origin, pick, part.config)
    return [
        choice if isinstance(choice, Failed) else own for own, choice in zip(fitted, choices, strict=True)
    ]


def _model(
    part: Part, own: tuple[Linear | Failed, Rows, Choice | Failed], origin: int, network: Network
) -> SegmentModel | Failed:
    """The ensemble of a segment, its network tuned on the segment's rows."""
    linear, rows, choice = own
    if isinstance(linear, Failed):
        return linear
    if isinstance(choice, Failed):
        return choice
    return attempt(
        part.config.pipeline.segment_seconds, _tuned, part, (linear, rows, choice), origin, network
    )


def _tuned(part: Part, own: tuple[Linear, Rows, Choice], origin: int, network: Network) -> SegmentModel:
    linear, rows, choice = own
    tuned = tune_network(network, _network_rows(rows, origin, part), part.config)
    model = segment_model(linear.member, tuned, choice)
    _refuse_nonsense(model.predict(rows.take(slice(CHECKED))))
    return model


@dataclass(frozen=True)
class _Trial:
    """A segment's rows that train and those that judge, the last week that trains, and the least forecast."""

    trained: Rows
    judged: Rows
    last: int
    least: float


def _judged(part: Part, own: Linear | Failed, trial: _Trial, network: Network) -> Judged | Failed:
    if isinstance(own, Failed):
        return own
    return attempt(part.config.pipeline.segment_seconds, _forecast, part, own, trial, network)


def _forecast(part: Part, own: Linear, trial: _Trial, network: Network) -> Judged:
    """What the members say of the rows that judge, the network tuned as the one that will serve."""
    rows = trial.judged
    tuned = tune_network(network, _network_rows(trial.trained, trial.last, part), part.config)
    linear = own.member.predict(rows.values, hot_codes(rows.codes))
    members = linear, predict_network(tuned, rows.values, rows.codes)
    _refuse_nonsense(np.concatenate(members))
    return Judged(own.alphas, members, rows.without_inputs(), trial.last, trial.least)


def _refuse_nonsense(ratio: np.ndarray) -> None:
    bad = np.count_nonzero(~np.isfinite(ratio))
    if bad:
        raise ValueError(f"forecasts: expected finite numbers; got {bad} of {len(ratio)} that are not.")


def _network_rows(rows: Rows, origin: int, part: Part) -> NetworkRows:
    weight = row_weights(rows, origin, part.config)
    weight = weight / weight.mean() if len(weight) else weight
    return NetworkRows(rows.values, rows.codes, rows.units, rows.level, rows.offset, weight)
