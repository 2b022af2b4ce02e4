"""What all regions share: products, the year of each category, holidays and the promotion calendar."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

import numpy as np
import pandas as pd
from scipy.stats import norm

from demand.sources.synthetic.sizes import AHEAD, Array, Floats, Size, autoregressive, stream
from demand.sources.us_calendar import us_events

YEAR = 365.25 / 7  # weeks


@dataclass(frozen=True)
class Category:
    """A group of fresh food; amplitudes are logs, peaks are weeks of the year."""

    name: str
    swing: float  # amplitude of the yearly wave
    peak: float
    second_swing: float  # amplitude of the half-yearly wave
    second_peak: float
    warmth: float  # log demand per 10 degrees Fahrenheit above the region's mean
    feast: float  # how strongly holidays act, 1 = the average of all sales
    price_usd: float


CATEGORIES = (
    Category("berries", 0.95, 25, 0.15, 22, 0.07, 0.7, 4.0),
    Category("bread", 0.25, 48, 0.15, 46, -0.02, 1.0, 2.8),
    Category("citrus", 0.85, 4, 0.15, 8, -0.03, 0.8, 3.2),
    Category("dairy", 0.30, 50, 0.15, 12, 0.00, 1.0, 3.5),
    Category("salad", 0.55, 27, 0.15, 19, 0.06, 0.0, 2.4),
    Category("roasts", 0.50, 51, 0.25, 50, -0.02, 1.7, 9.0),
)
# Log effect on all sales of a week that lies wholly inside the event.
EVENT_EFFECTS = {
    "Second week before Christmas": 0.22,
    "Week before Christmas": 0.60,
    "Week after Christmas": -0.25,
    "Christmas": -0.30,
    "Thanksgiving": 2.3,
    "Week before Easter": 0.30,
    "Easter": -0.20,
    "Super Bowl": 1.3,
    "Independence Day": 0.3,
    "Labor Day": 0.2,
    "Memorial Day": 0.2,
    "Valentine's Day": 0.2,
    "Mother's Day": 0.2,
    "Fresh food week": 0.10,
}
FEATURED, DEAL_ONLY = 0.20, 0.27  # shares of weeks planned; stores carry out 0.96 of them
DEAL_CUTS, FEATURE_CUTS = (0.05, 0.10, 0.15), (0.05, 0.10, 0.20)  # shares of the price
COMMON_SWING, COMMON_PEAK = 0.12, 48  # the yearly wave of all sales; log, week of the year
GROWTH = 0.02  # log units a year, all products
REPEATED = 0.8  # share of promotion weeks that repeat the week of the year before
SHARED = 0.95  # share of products that follow the calendar of their category


@dataclass(frozen=True)
class World:
    """National state: one row per product, one column per calendar week unless said otherwise."""

    products: pd.DataFrame  # product_id, category, pack_size, launched, delisted
    category: Array  # index into CATEGORIES per product
    level: Floats  # log units against the average product
    trend: Floats  # log units a year
    elasticity: Floats
    lift: Floats  # log lift of a feature
    price: Floats  # regular price in USD at the start
    rhythm: Floats  # log effect of season, events and category shocks; (products, weeks)
    feature: Array  # bool (products, weeks)
    deal: Array  # bool (products, weeks); every feature is a deal
    depth: Floats  # share of the price taken off; (products, weeks)
    events: pd.DataFrame  # region, start, end, name, kind


def make_world(size: Size, seed: int) -> World:
    """The national state of a size and seed."""
    rng = stream(size, seed, 0)
    count = size.products
    category = np.arange(count) % min(len(CATEGORIES), count // 2)
    quantiles = norm.ppf((np.arange(count) + 0.5) / count)
    events = _events(size)
    feature, deal, depth = promotions(rng, category, len(size.calendar))
    return World(
        products=_products(rng, category),
        category=category,
        level=0.95 * rng.permutation(quantiles),
        trend=GROWTH + 0.12 * rng.permutation(quantiles),
        elasticity=-np.clip(rng.normal(2.4, 0.4, count), 1.2, 3.8),
        lift=np.clip(rng.normal(0.64, 0.17, count), 0.25, 1.2),
        price=np.array([CATEGORIES[c].price_usd for c in category]) * np.exp(rng.normal(0, 0.3, count)),
        rhythm=_seasons(rng, size, category) + _event_effects(rng, size, category, events),
        feature=feature,
        deal=deal,
        depth=depth,
        events=events,
    )


def promotions(rng: np.random.Generator, category: Array, weeks: int) -> tuple[Array, Array, Floats]:
    """Feature and deal flags and the depth of the price cut, each of shape (products, weeks)."""
    shared = _repeating(rng, int(category.max()) + 1, weeks)[category]
    own = _repeating(rng, len(category), weeks)
    draw = np.where(rng.random(own.shape) < SHARED, shared, own)
    feature, deal = draw < FEATURED, draw < FEATURED + DEAL_ONLY
    cuts = rng.choice(DEAL_CUTS, own.shape), rng.choice(FEATURE_CUTS, own.shape)
    return feature, deal, np.where(feature, cuts[1], np.where(deal, cuts[0], 0.0))


def _repeating(rng: np.random.Generator, rows: int, weeks: int) -> Floats:
    """Uniform numbers of which a share repeats the same week of the year before; (rows, weeks)."""
    draw = rng.random((rows, weeks))
    again = rng.random((rows, weeks)) < REPEATED
    for week in range(52, weeks):
        draw[:, week] = np.where(again[:, week], draw[:, week - 52], draw[:, week])
    return draw


def _products(rng: np.random.Generator, category: Array) -> pd.DataFrame:
    count = len(category)
    never = pd.Series(pd.NaT, index=range(count), dtype="datetime64[us]")
    return pd.DataFrame(
        {
            "product_id": [f"P{number:02d}" for number in range(1, count + 1)],
            "category": [CATEGORIES[c].name for c in category],
            "pack_size": rng.choice([1.0, 2.0, 4.0, 6.0], count),
            "launched": never,
            "delisted": never,
        }
    )


def _seasons(rng: np.random.Generator, size: Size, category: Array) -> Floats:
    """Yearly waves of each product and the shocks of its category; (products, weeks)."""
    week = pd.DatetimeIndex(size.calendar).day_of_year.to_numpy() / 7
    shape = np.array([(g.swing, g.peak, g.second_swing, g.second_peak) for g in CATEGORIES])[category]
    swing = shape[:, 0] * rng.uniform(0.85, 1.15, len(category))
    late = rng.normal(0, 1.5, len(category))
    first = np.cos(2 * np.pi * (week - (shape[:, 1] + late)[:, None]) / YEAR)
    second = np.cos(4 * np.pi * (week - (shape[:, 3] + late)[:, None]) / YEAR)
    shocks = autoregressive(rng.normal(0, 0.015, (int(category.max()) + 1, len(week))), 0.7)
    common = COMMON_SWING * np.cos(2 * np.pi * (week - COMMON_PEAK) / YEAR)
    rhythm: Floats = common + swing[:, None] * first + shape[:, 2, None] * second + shocks[category]
    return rhythm


def _event_effects(rng: np.random.Generator, size: Size, category: Array, events: pd.DataFrame) -> Floats:
    """Log effect of national events: the share of a week's days times the product's own strength."""
    effect = np.zeros((len(category), len(size.calendar)))
    feast = np.array([group.feast for group in CATEGORIES])[category]
    own = {name: feast + rng.normal(0, 0.3, len(category)) for name in EVENT_EFFECTS}
    for name, share in event_weeks(size, events, "*"):
        effect = effect + EVENT_EFFECTS[name] * own[name][:, None] * share
    return effect


def event_weeks(size: Size, events: pd.DataFrame, region: str) -> Iterator[tuple[str, Floats]]:
    """Name of each event of a region that moves sales, and the share of each week's days in it; (weeks,)."""
    monday = size.calendar.astype("datetime64[D]").astype(np.int64)
    moving = events[(events["region"] == region) & events["name"].isin(list(EVENT_EFFECTS))]
    first, last = (
        moving[side].to_numpy().astype("datetime64[D]").astype(np.int64) for side in ("start", "end")
    )
    for name, start, end in zip(moving["name"], first, last, strict=True):
        days = np.minimum(monday + 6, end) - np.maximum(monday, start) + 1
        yield str(name), np.clip(days, 0, 7) / 7


def _events(size: Size) -> pd.DataFrame:
    """The national calendar, and one fresh food week in spring and autumn, a different one per region."""
    final = pd.Timestamp(size.calendar[-1]).date() + timedelta(days=6)
    national = us_events(size.first_week, final)
    rows = []
    for number, region in enumerate(size.region_names):
        for week in range((13 + number) % 26, size.weeks + AHEAD, 26):
            monday = pd.Timestamp(size.calendar[week])
            rows.append((region, monday, monday + pd.Timedelta(days=6), "Fresh food week", "promotion"))
    regional = pd.DataFrame(rows, columns=["region", "start", "end", "name", "kind"])
    regional = regional.astype({"start": "datetime64[us]", "end": "datetime64[us]"})
    return pd.concat([national, regional], ignore_index=True)
