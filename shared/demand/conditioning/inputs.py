"""What is known in advance of each row: weather, events and prices, brought onto the grid."""

import numpy as np
import pandas as pd

from demand.conditioning.grid import Floats, Grid, codes
from demand.conditioning.weeks import FIRST_MONDAY, Ints, day_numbers, fiscal_weeks, week_numbers
from demand.contracts import EVENT_KINDS
from demand.sources import RawTables
from demand.sources.tables import EVERY_REGION

# A week ahead is taken from the forecast if it covers this many of its days, else from the climate.
FORECAST_DAYS = 4
NAMED_KINDS = ("holiday", "sport")


def weather_columns(raw: RawTables, grid: Grid) -> dict[str, Floats]:
    """Temperature (mean deg C) and precipitation (mm a week) on the rows of the grid; NaN where not known.

    A day's temperature is the middle of its minimum and maximum; a week's is the mean of its known days,
    its precipitation 7 times the mean of the days with a known one. Weeks up to as_of come from the history.
    Weeks after it come from the forecast if that covers at least 4 days of the week, else from the climate:
    the mean of the same fiscal week in the history of the same postal code.
    """
    if raw.weather_history is None and raw.weather_forecast is None:
        nowhere = np.full(len(grid.week), np.nan)
        return {"temperature": nowhere, "precipitation": nowhere}
    weeks = np.arange(grid.week.min(), grid.week.max() + 1)
    places = pd.Index(raw.stores["postal_code"].unique())
    at = codes(grid.series["postal_code"], places)[grid.of_series], grid.week - weeks[0]
    known = weeks <= grid.as_of
    columns = {}
    for name, scale in (("temperature", 1.0), ("precipitation", 7.0)):
        past, _ = _weekly_mean(raw.weather_history, name, places, weeks)
        ahead, days = _weekly_mean(raw.weather_forecast, name, places, weeks)
        future = np.where(days >= FORECAST_DAYS, ahead, _climate(np.where(known, past, np.nan), weeks))
        columns[name] = (np.where(known, past, future) * scale)[at]
    return columns


def _weekly_mean(
    daily: pd.DataFrame | None, name: str, places: "pd.Index[str]", weeks: Ints
) -> tuple[Floats, Floats]:
    """Mean of the known days, NaN without one, and the number of them; shape (n_places, n_weeks)."""
    shape = (len(places), len(weeks))
    if daily is None:
        return np.full(shape, np.nan), np.zeros(shape)
    middle = (daily["temp_min_c"] + daily["temp_max_c"]) / 2
    values = (middle if name == "temperature" else daily["precipitation_mm"]).to_numpy()
    week = week_numbers(daily["date"]) - weeks[0]
    used = (week >= 0) & (week < len(weeks)) & ~np.isnan(values)
    cell = (codes(daily["postal_code"], places) * len(weeks) + week)[used]
    sums = np.bincount(cell, values[used], minlength=shape[0] * shape[1]).reshape(shape)
    days = np.bincount(cell, minlength=shape[0] * shape[1]).reshape(shape).astype(np.float64)
    return np.divide(sums, days, out=np.full(shape, np.nan), where=days > 0), days


def _climate(past: Floats, weeks: Ints) -> Floats:
    """Mean of the same fiscal week over the known years, NaN without one; shape (n_places, n_weeks)."""
    fiscal = fiscal_weeks(weeks)
    same = (fiscal[:, None] == np.arange(1, 53)).astype(np.float64)  # (n_weeks, 52)
    sums, years = np.nan_to_num(past) @ same, (~np.isnan(past)).astype(np.float64) @ same
    mean = np.divide(sums, years, out=np.full(sums.shape, np.nan), where=years > 0)
    return np.take(mean, fiscal - 1, axis=1)


def event_columns(raw: RawTables, grid: Grid) -> dict[str, object]:
    """event_<kind>: share of the week's days, 0 to 1; event_name: its holiday or sport, "" without one.

    Of several named events in a week the one with the most days in it gives the name; then a holiday before
    a sport, the earlier start, the alphabet.
    """
    weeks = np.arange(grid.week.min(), grid.week.max() + 1)
    names = pd.Index(sorted(grid.series["region"].unique()))
    days = np.zeros((len(EVENT_KINDS), len(names), len(weeks) * 7), dtype=bool)
    titles = np.full((len(names), len(weeks)), "", dtype=object)
    if raw.events is not None:
        for region, low, high, kind in _spans(raw.events, names, weeks):
            days[kind, region, low:high] = True
        titles = _titles(raw.events, names, weeks)
    shares = days.reshape(len(EVENT_KINDS), len(names), len(weeks), 7).mean(axis=3)
    at = codes(grid.series["region"], names)[grid.of_series], grid.week - weeks[0]
    columns: dict[str, object] = {f"event_{kind}": shares[i][at] for i, kind in enumerate(EVENT_KINDS)}
    found, distinct = pd.factorize(titles.ravel())
    columns["event_name"] = pd.array(distinct, dtype="str").take(found.reshape(titles.shape)[at])
    return columns


def _spans(
    events: pd.DataFrame, names: "pd.Index[str]", weeks: Ints
) -> list[tuple[slice | int, int, int, int]]:
    """Region (all for "*"), first day, day after the last, and kind of every event; days from weeks[0] on."""
    origin, end = weeks[0] * 7 + FIRST_MONDAY, len(weeks) * 7
    lows = np.clip(day_numbers(events["start"]) - origin, 0, end)
    highs = np.clip(day_numbers(events["end"]) + 1 - origin, 0, end)
    spans = []
    for region, low, high, kind in zip(events["region"], lows, highs, events["kind"], strict=True):
        if region == EVERY_REGION or region in names:
            where = slice(None) if region == EVERY_REGION else list(names).index(region)
            spans.append((where, int(low), int(high), EVENT_KINDS.index(kind)))
    return spans


def _titles(events: pd.DataFrame, names: "pd.Index[str]", weeks: Ints) -> np.ndarray:
    """Name of the event that names each week, "" without one; shape (n_regions, n_weeks), object."""
    titles = np.full((len(names), len(weeks)), "", dtype=object)
    best = np.zeros(titles.shape)
    rank = events["kind"].map({kind: i for i, kind in enumerate(NAMED_KINDS)})
    order = events.assign(rank=rank).dropna(subset="rank").sort_values(["rank", "start", "name", "end"])
    for (region, low, high, _), name in zip(_spans(order, names, weeks), _own(order, names), strict=True):
        covered = np.zeros(len(weeks) * 7)
        covered[low:high] = 1.0
        count = covered.reshape(-1, 7).sum(axis=1)
        # Strictly more: on a tie the event that comes first in the order keeps the week.
        longer = count > best[region]
        titles[region] = np.where(longer, name, titles[region])
        best[region] = np.where(longer, count, best[region])
    return titles


def _own(events: pd.DataFrame, names: "pd.Index[str]") -> "pd.Series[str]":
    return events.loc[events["region"].isin([EVERY_REGION, *names]), "name"]


def price_columns(raw: RawTables, grid: Grid) -> dict[str, Floats]:
    """Price (USD), feature and deal (0 to 1) on the rows of the grid; all NaN without a prices table.

    A week without a prices row keeps the price of the last week that has one, and has no feature and no deal.
    Weeks before a series' first price stay NaN: no price is carried backwards. Prices outside a series' life
    have no row to stand on.
    """
    if raw.prices is None:
        nowhere = np.full(len(grid.week), np.nan)
        return {"price": nowhere, "feature": nowhere, "deal": nowhere}
    price = grid.values_of(raw.prices, "price_usd", np.nan)
    # The position of the last known price; a series' first row keeps it from reaching into the one before.
    stops = ~np.isnan(price)
    stops[grid.start] = True
    last = np.maximum.accumulate(np.where(stops, np.arange(len(price)), 0))
    return {
        "price": price[last],
        "feature": grid.values_of(raw.prices, "feature", 0.0),
        "deal": grid.values_of(raw.prices, "deal", 0.0),
    }
