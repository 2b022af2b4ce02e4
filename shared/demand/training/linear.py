"""Fit the linear members of a region's segments: reweighted passes over Gram matrices they share."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from demand.config import Config
from demand.features import CATEGORIES
from demand.metrics import mape, wape
from demand.models.design import ONE_HOT, Design, build_design
from demand.models.encoding import Codes, Floats
from demand.models.lasso import (
    LassoMember,
    early_weights,
    error_weights,
    gram,
    member,
    path,
    pooled,
    relative_denominator,
)
from demand.models.scale import least_sale, to_units
from demand.training.attempt import Failed, attempt
from demand.training.rows import Rows

Doubles = NDArray[np.float64]
EARLY_POWER = 1.0  # of exp(-p z) before there is a forecast to weigh by
# Chooses the index of the alpha, given segment, pass and the path's coefficients and intercepts.
Pick = Callable[[int, int, Doubles, Doubles], int]


@dataclass(frozen=True)
class Linear:
    """A segment's linear member, and the index of the alpha of each pass."""

    member: LassoMember
    alphas: tuple[int, ...]


def alphas(config: Config) -> Doubles:
    """The path's alphas, descending, in log ratio a standard deviation of a column."""
    return np.geomspace(config.lasso.highest_alpha, config.lasso.lowest_alpha, config.lasso.alphas)


def region_design(names: tuple[str, ...], parts: list[Rows], sizes: tuple[int, ...]) -> Design:
    """The design of the rows of a region's segments."""
    return build_design(names, np.concatenate([rows.codes for rows in parts]), sizes)


def hot_codes(codes: Codes) -> Codes:
    """The columns of the categories that have one-hot columns."""
    return codes[:, [CATEGORIES.index(name) for name in ONE_HOT]]


def fit_region(
    design: Design, parts: list[Rows], origin: int, pick: Pick, config: Config
) -> list[Linear | Failed]:
    """Members of the segments whose known training rows are `parts`; a segment without rows borrows all.

    One that fails, or takes longer than pipeline.segment_seconds for a pass, neither stops nor feeds others.
    """
    found: list[Linear | Failed | None] = [None] * len(parts)
    ages = [row_weights(rows, origin, config) for rows in parts]
    seconds = config.pipeline.segment_seconds
    for step in range(1 + config.lasso.passes):
        grams = [
            before
            if isinstance(before, Failed)
            else attempt(seconds, _gram, design, rows, age, before, config)
            for before, rows, age in zip(found, parts, ages, strict=True)
        ]
        sound = [total for total in grams if not isinstance(total, Failed)]
        totals = iter(pooled(sound, config.lasso.pool) if sound else [])
        for i, total in enumerate(grams):
            if isinstance(total, Failed):
                found[i] = total
            else:
                chosen = partial(pick, i, step)
                found[i] = attempt(seconds, _pass, design, next(totals), chosen, found[i], config)
    return [each for each in found if each is not None]


def _gram(design: Design, rows: Rows, age: Floats, before: Linear | None, config: Config) -> Doubles:
    """A segment's Gram, weighted by age and by the error of the pass before."""
    forecast = None if before is None else before.member.predict(rows.values, hot_codes(rows.codes))
    total = gram(design, rows.values, rows.codes, rows.ratio, age * _weights(rows, forecast, config))
    if not np.isfinite(total).all():  # it would spoil the others through their pool
        raise ValueError("rows: expected finite inputs, targets and weights; got some that are not.")
    return total


def _pass(
    design: Design,
    total: Doubles,
    chosen: Callable[[Doubles, Doubles], int],
    before: Linear | Failed | None,
    config: Config,
) -> Linear:
    """The member of one pass on a segment's pooled Gram."""
    coefficients, intercepts = path(total, alphas(config))
    index = chosen(coefficients, intercepts)
    earlier = before.alphas if isinstance(before, Linear) else ()
    return Linear(member(design, coefficients[:, index], float(intercepts[index])), (*earlier, index))


def pick_by_validation(design: Design, parts: list[Rows], least: list[float], config: Config) -> Pick:
    """Picks the alpha with the least error on each segment's validation rows; the middle one without rows.

    least: of each segment, units that no forecast is below.
    """
    columns = [design.matrix(rows.values, rows.codes) for rows in parts]
    error = mape if config.forecast.objective == "mape" else wape

    def pick(segment: int, _step: int, coefficients: Doubles, intercepts: Doubles) -> int:
        rows = parts[segment]
        ratios = (columns[segment] @ coefficients + intercepts).astype(np.float32)  # (n_rows, n_alphas)
        forecasts = [to_units(ratio, rows.level, rows.offset, least[segment]) for ratio in ratios.T]
        errors = np.array([error(rows.units, forecast) for forecast in forecasts])
        return len(errors) // 2 if np.isnan(errors).all() else int(np.nanargmin(errors))

    return pick


def pick_chosen(chosen: list[tuple[int, ...]]) -> Pick:
    """Picks what an earlier fit chose."""
    return lambda segment, step, _coefficients, _intercepts: chosen[segment][step] if chosen[segment] else 0


def least_forecast(rows: Rows, config: Config) -> float:
    """Units that no forecast of a segment is below, by its training rows: what counts is the objective.

    For `mape` the fewest that a week with sales can have, else 0: weeks without sales count there.
    """
    return least_sale(rows.units) if config.forecast.objective == "mape" else 0.0


def row_weights(rows: Rows, origin: int, config: Config) -> Floats:
    """Weight of each row, (n_rows,): halved every half-life before the origin.

    For the objective balanced times the row's scale S + k against the mean, so that an error counts in units.
    """
    weight = np.exp2(-(origin - rows.target) / config.training.half_life).astype(np.float32)
    if config.forecast.objective == "balanced" and len(rows):
        scale = rows.level + rows.offset
        weight = weight * scale / scale.mean()
    return weight


def _weights(rows: Rows, forecast: Floats | None, config: Config) -> Floats:
    """Weights that lean squared log error towards the objective's error; see `lasso`."""
    relative, training = config.forecast.objective == "mape", config.training
    if forecast is None:
        return early_weights(rows.ratio, EARLY_POWER if relative else 0.0)
    scale = rows.level + rows.offset
    if relative:
        denominator = relative_denominator(rows.units, scale, training.floor, training.zero_weight)
    else:
        denominator = np.ones(len(rows), np.float32)
    return error_weights(forecast, rows.ratio, denominator)
