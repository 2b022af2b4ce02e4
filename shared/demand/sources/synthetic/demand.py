"""The generating process: the true distribution of every series and week, and one draw from it."""

from dataclasses import dataclass

import numpy as np
from scipy.special import expit, logit
from scipy.stats import norm

from demand.sources.synthetic.region import Region
from demand.sources.synthetic.sizes import Array, Floats, Size, autoregressive, stream
from demand.sources.synthetic.world import CATEGORIES, EVENT_EFFECTS, World, event_weeks

TYPICAL = 4.2  # log units a week of the median series
SPREAD = 1.3  # standard deviation of the log mean over series
DEAD = 0.055  # share of series taken off the shelf within the last two years
FADING = 0.02  # share of series that sell out now, to be gone within 40 weeks
BORN = 0.012  # share of series put on the shelf within the last year
CALLS, UNSOLD = 0.25, 0.08  # share of weeks with returns, and of the units in them
IDLE_SLOPE = 0.3  # a week of high demand is seldom idle
TEN_FAHRENHEIT = 10 / 1.8  # degrees Celsius


@dataclass(frozen=True)
class Distribution:
    """Zero with probability `idle`, else negative binomial with variance mean + alpha mean^2."""

    mean: Floats  # (series, weeks) mean where not idle
    alpha: Floats  # (series,)
    idle: Floats  # (series, weeks)
    first: Array  # (series,) week index of the first week on the shelf
    last: Array  # (series,) week index of the last week that has a row


def distribution(size: Size, seed: int, world: World, region: str, state: Region) -> Distribution:
    """The true distribution of a region's series, ordered by store, then product."""
    rng = stream(size, seed, 2, size.region_names.index(region))
    stores, products, weeks = state.price.shape
    level = TYPICAL + state.level[:, None] + world.level + rng.normal(0, 0.55, (stores, products))
    level = level + rng.normal(0, 0.1)
    path = _drift(rng, size, world, state) + _drivers(rng, size, world, region, state)
    first, log_life = _life(rng, size, stores, products, state.opened)
    idle, alpha = _noise(rng, level)
    mean = np.exp(level[:, :, None] + path + log_life) / (1 - idle[:, :, None])
    idle_weeks = expit(logit(idle)[:, :, None] - IDLE_SLOPE * path)
    last = np.minimum(state.closed, weeks)[:, None] - 1 + np.zeros((1, products), dtype=np.int64)
    # Rounded, so that no difference in the last bit between machines can move a draw.
    return Distribution(
        mean=np.round(mean, 4).reshape(stores * products, weeks),
        alpha=np.round(alpha, 6).ravel(),
        idle=np.round(idle_weeks, 6).reshape(stores * products, weeks),
        first=first.ravel(),
        last=last.ravel(),
    )


def draw(size: Size, seed: int, region: str, truth: Distribution) -> tuple[Array, Array]:
    """Net units and returned units of every series and week; both (series, weeks), integers."""
    rng = stream(size, seed, 3, size.region_names.index(region))
    shape = 1 / truth.alpha[:, None]
    units = rng.poisson(rng.gamma(shape, truth.mean / shape))
    units = np.where(rng.random(units.shape) < truth.idle, 0, units)
    returned = np.zeros_like(units)
    # What a week leaves unsold comes back a week later, where the carrier calls for it.
    called = rng.random(returned[:, 1:].shape) < CALLS
    returned[:, 1:] = np.where(called, rng.binomial(units[:, :-1], UNSOLD), 0)
    return units, returned


def _drift(rng: np.random.Generator, size: Size, world: World, state: Region) -> Floats:
    """Growth and slow wandering of each series; log, (stores, products, weeks)."""
    stores, products, weeks = state.price.shape
    years = (np.arange(weeks) - size.weeks / 2) / 52.18
    growth = world.trend + rng.normal(0, 0.03) + rng.normal(0, 0.06, (stores, 1))
    growth = growth + rng.normal(0, 0.08, (stores, products))
    wander = autoregressive(rng.normal(0, 0.004, (stores, products, weeks)), 0.99)
    return growth[:, :, None] * years + wander


def _drivers(rng: np.random.Generator, size: Size, world: World, region: str, state: Region) -> Floats:
    """Season, events, weather, price and promotion; log, (stores, products, weeks)."""
    stores, products, weeks = state.price.shape
    rhythm = world.rhythm * rng.uniform(0.9, 1.1) + autoregressive(rng.normal(0, 0.01, (weeks,)), 0.7)
    for name, share in event_weeks(size, world.events, region):
        rhythm = rhythm + EVENT_EFFECTS[name] * share
    warmth = np.array([group.warmth for group in CATEGORIES])[world.category] / TEN_FAHRENHEIT
    elasticity = world.elasticity + rng.normal(0, 0.06, (stores, products))
    lift = world.lift + rng.normal(0, 0.03, (stores, products))
    return (
        rhythm
        + warmth[:, None] * state.temperature[:, None, :]
        + elasticity[:, :, None] * state.discount
        + lift[:, :, None] * state.feature
        + 0.05 * state.deal
    )


def _life(
    rng: np.random.Generator, size: Size, stores: int, products: int, opened: Array
) -> tuple[Array, Floats]:
    """First week, and the log path of new series that build up and of old ones that fade."""
    shape, week = (stores, products), np.arange(len(size.calendar))
    born = (rng.random(shape) < BORN) & (opened[:, None] == 0)
    first = np.where(born, rng.integers(size.weeks - 50, size.weeks - 14, shape), opened[:, None])
    dies = (rng.random(shape) < DEAD) & (first == 0)
    end = np.where(dies, rng.integers(size.weeks - 104, size.weeks - 13, shape), 10_000)
    fading = (rng.random(shape) < FADING) & (first == 0) & ~dies
    end = np.where(fading, rng.integers(size.weeks + 9, size.weeks + 40, shape), end)
    before = np.clip(end[:, :, None] - week, 0, 40)
    age = np.where(first > 0, 1, 0)[:, :, None] * np.clip(10 - (week - first[:, :, None]), 0, 10)
    off_shelf = (week < first[:, :, None]) | (week >= end[:, :, None])
    return first, np.where(off_shelf, -50.0, -1.6 * (1 - before / 40) - 0.1 * age)


def _noise(rng: np.random.Generator, level: Floats) -> tuple[Floats, Floats]:
    """Probability of an idle week and dispersion of each series, by its place among all series."""
    place = norm.cdf((level - TYPICAL) / SPREAD)
    idle = np.interp(place, [0, 0.10, 0.20, 0.30, 1], [0.78, 0.48, 0.18, 0.02, 0.0])
    alpha = np.interp(place, [0, 1], [0.125, 0.06]) * np.exp(rng.normal(0, 0.15, level.shape))
    return np.clip(idle * rng.uniform(0.85, 1.1, level.shape), 0.0005, 0.8), np.clip(alpha, 0.02, 0.15)
