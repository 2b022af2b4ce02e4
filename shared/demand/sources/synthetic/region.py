"""One region: its stores, who shops there, the weather, and the price and promotion plan."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from demand.sources.synthetic.sizes import AHEAD, Array, Floats, Size, autoregressive, stream
from demand.sources.synthetic.world import World, promotions

OWN_CALENDAR = 0.08  # share of promotion weeks in which a region leaves the national calendar
COMPLIANCE = 0.96  # share of store weeks that carry out the plan


@dataclass(frozen=True)
class Region:
    """State of a region: arrays over stores (s), products (p), calendar weeks (w)."""

    stores: pd.DataFrame
    demographics: pd.DataFrame
    weather_history: pd.DataFrame
    weather_forecast: pd.DataFrame
    level: Floats  # (s,) log units against the average store
    temperature: Floats  # (s, w) degrees Celsius above the region's mean
    price: Floats  # (s, p, w) USD
    discount: Floats  # (s, p, w) log of the price over the regular price, <= 0
    feature: Array  # (s, p, w) bool
    deal: Array  # (s, p, w) bool
    opened: Array  # (s,) first week index
    closed: Array  # (s,) first week index without sales; len(calendar) if open


def make_region(size: Size, seed: int, world: World, region: str) -> Region:
    """The state of one region; it depends on no other region."""
    count = size.stores_in(region)
    number = size.region_names.index(region)
    rng = stream(size, seed, 1, number)
    opened, closed = _lives(rng, size, count)
    postal = np.arange(count) // 2
    codes = np.array([f"{(number + 1) * 1000 + code:05d}" for code in range(postal.max() + 1)])
    stores = _stores(size, region, codes[postal], opened, closed)
    people, pull = _people(rng, stores["store_id"])
    history, forecast, warm = _weather(rng, size, codes)
    price, discount, feature, deal = _plan(rng, size, world, count)
    large = (stores["format"] == "large").to_numpy()
    return Region(
        stores=stores,
        demographics=people,
        weather_history=history,
        weather_forecast=forecast,
        level=np.where(large, 0.35, -0.35) + pull + rng.normal(0, 0.25, count),
        temperature=warm[postal],
        price=price,
        discount=discount,
        feature=feature,
        deal=deal,
        opened=opened,
        closed=closed,
    )


def _lives(rng: np.random.Generator, size: Size, count: int) -> tuple[Array, Array]:
    """First week of sales and first week without, as week indices; 0.5 % open late, 1 % close."""
    weeks = len(size.calendar)
    late, gone = rng.random(count) < 0.005, rng.random(count) < 0.01
    opened = np.where(late, rng.integers(size.weeks - 52, size.weeks - 20, count), 0)
    closed = np.where(gone & ~late, rng.integers(size.weeks - 104, size.weeks - 4, count), weeks)
    return opened, closed


def _stores(size: Size, region: str, postal: Array, opened: Array, closed: Array) -> pd.DataFrame:
    count = len(postal)
    known = closed < len(size.calendar)
    last_day = size.calendar[np.minimum(closed, len(size.calendar) - 1)] - np.timedelta64(1, "D")
    since = np.where(opened > 0, size.calendar[opened], np.datetime64("2009-03-02", "us"))
    return pd.DataFrame(
        {
            "store_id": [f"{region}S{number:03d}" for number in range(1, count + 1)],
            "region": region,
            "format": np.where(np.arange(count) % 2 == 0, "large", "small"),
            "postal_code": postal,
            "opened": since.astype("datetime64[us]"),
            "closed": np.where(known, last_day, np.datetime64("NaT")).astype("datetime64[us]"),
        }
    )


def _people(rng: np.random.Generator, store_id: pd.Series) -> tuple[pd.DataFrame, Floats]:
    """Shopper demographics per store, and what they do to its log level."""
    count = len(store_id)
    crowd, wealth = rng.normal(0, 1, (2, count))
    shares = rng.dirichlet([22, 23, 33, 22], count).round(3)
    people = pd.DataFrame(
        {
            "store_id": store_id,
            "population": np.round(20_000 * np.exp(0.5 * crowd), -2),
            "median_income_usd": np.round(62_000 * np.exp(0.22 * wealth), -2),
            "household_size": rng.normal(2.5, 0.2, count).round(2),
            "share_age_0_17": shares[:, 0],
            "share_age_18_34": shares[:, 1],
            "share_age_35_59": shares[:, 2],
            "share_age_60_plus": (1 - shares[:, :3].sum(axis=1)).round(3),
        }
    )
    return people, 0.30 * crowd + 0.10 * wealth


def _weather(rng: np.random.Generator, size: Size, codes: Array) -> tuple[pd.DataFrame, pd.DataFrame, Floats]:
    """Daily weather up to the last known week, its forecast after, weekly warmth (postal codes, weeks)."""
    days = size.calendar[0] + np.arange(7 * len(size.calendar)) * np.timedelta64(1, "D")
    mean, swing = rng.uniform(8, 20), rng.uniform(7, 13)
    year = swing * np.cos(2 * np.pi * (pd.DatetimeIndex(days).day_of_year.to_numpy() - 200) / 365.25)
    spell = autoregressive(rng.normal(0, 2.2, len(days)), 0.8)
    local = rng.normal(0, 1, (len(codes), 1)) + rng.normal(0, 0.6, (len(codes), len(days)))
    middle = mean + year + spell + local
    half = rng.uniform(3, 6, middle.shape)
    low, high = np.round(middle - half, 1), np.round(middle + half, 1)
    rain = np.round(np.where(rng.random(middle.shape) < 0.3, rng.gamma(0.8, 7, middle.shape), 0), 1)
    known = 7 * size.weeks
    rain = np.where(rng.random(rain.shape) < 0.01, np.nan, rain)  # a gauge fails now and then
    miss = rng.normal(0, 1, (len(codes), 7 * AHEAD)) * np.minimum(0.8 + 0.1 * np.arange(7 * AHEAD), 3)
    history = _daily(codes, days[:known], (low[:, :known], high[:, :known], rain[:, :known]))
    ahead = low[:, known:] + miss, high[:, known:] + miss, np.nan_to_num(rain[:, known:])
    weekly = ((low + high) / 2).reshape(len(codes), -1, 7).mean(axis=2)
    return history, _daily(codes, days[known:], ahead), weekly - mean


def _daily(codes: Array, days: Array, values: tuple[Floats, Floats, Floats]) -> pd.DataFrame:
    low, high, rain = (np.round(value, 1).ravel() for value in values)
    return pd.DataFrame(
        {
            "postal_code": np.repeat(codes, len(days)),
            "date": np.tile(days, len(codes)),
            "temp_min_c": low,
            "temp_max_c": high,
            "precipitation_mm": rain,
        }
    )


def _plan(
    rng: np.random.Generator, size: Size, world: World, count: int
) -> tuple[Floats, Floats, Array, Array]:
    """Price, log discount, feature and deal of every store, product and week; each (s, p, w)."""
    weeks = len(size.calendar)
    own = promotions(rng, world.category, weeks)
    apart = rng.random((size.products, weeks)) < OWN_CALENDAR
    national = world.feature, world.deal, world.depth
    feature, deal, depth = (np.where(apart, mine, all_) for mine, all_ in zip(own, national, strict=True))
    obeys = rng.random((count, size.products, weeks)) < COMPLIANCE
    inflation = 1.02 ** (np.arange(weeks) // 52)  # list prices move once a year
    zone = np.exp(rng.normal(0, 0.04, (count, 1)))
    regular = np.round((zone * world.price)[:, :, None] * inflation, 2)
    price = np.round(regular * (1 - depth * obeys), 2)
    return price, np.log(price / regular), feature & obeys, deal & obeys
