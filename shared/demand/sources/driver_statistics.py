"""What moves weekly series, in figures: holidays, price and promotion, warmth."""

import numpy as np
import pandas as pd

from demand.sources.series_statistics import Array, Figures, Panel, make_panel, percentiles, series_figures
from demand.sources.tables import RawTables

# Name of the figure -> name of the event whose main week it is about.
EVENTS = {
    "two weeks before Christmas": "Second week before Christmas",
    "week before Christmas": "Week before Christmas",
    "week after Christmas": "Week after Christmas",
    "Thanksgiving": "Thanksgiving",
    "Super Bowl": "Super Bowl",
    "week before Easter": "Week before Easter",
}
AROUND = (3, 4, 5, 6)  # weeks away, on both sides, that an event week is held against
PROMOTION = (
    "price elasticity",
    "log lift of a feature",
    "variance promotion explains",
    "residual deviation in log",
)
TEN_FAHRENHEIT = 10 / 1.8  # degrees Celsius
LEAST_WEEKS = 60  # of sales, for a regression of one series


def event_figures(raw: RawTables, panel: Panel) -> Figures:
    """Sales of an event's week over the weeks around, in total, and over products in percentiles."""
    if raw.events is None:
        return {}
    units = np.nan_to_num(panel.units)
    products = pd.DataFrame(units).groupby(panel.keys["product_id"].to_numpy()).sum().to_numpy()
    figures: Figures = {}
    for name, event in EVENTS.items():
        weeks = _main_weeks(raw.events[raw.events["name"] == event], panel.weeks)
        if weeks:
            figures[f"{name}: all sales"] = float(np.mean(_over_around(units.sum(axis=0)[None], weeks)))
            own = np.nanmean(_over_around(products[products.mean(axis=1) >= 1], weeks), axis=1)
            figures |= percentiles(f"{name}: by product", own, (10, 90))
    return figures


def _main_weeks(events: pd.DataFrame, weeks: Array) -> list[int]:
    """Index of the week with most days of each event, where the weeks around it are known."""
    middle = events["start"] + (events["end"] - events["start"]) / 2
    found = np.searchsorted(weeks, middle.to_numpy(), side="right") - 1
    far = max(AROUND)
    return [int(week) for week in found if far <= week < len(weeks) - far]


def _over_around(units: Array, weeks: list[int]) -> Array:
    """Units in each event week over the mean of the weeks around; (rows, events)."""
    away = np.array([sign * step for step in AROUND for sign in (-1, 1)])
    around = np.stack([units[:, week + away].mean(axis=1) for week in weeks], axis=1)
    return np.where(around > 0, units[:, weeks] / np.where(around > 0, around, 1), np.nan)


def promotion_figures(raw: RawTables, panel: Panel) -> Figures:
    """Log units of each series on log price, feature and deal, once trend and season are out of all four."""
    if raw.prices is None or panel.units.shape[1] < LEAST_WEEKS:
        return {}
    plan = {name: _aligned(raw.prices, name, panel) for name in ("price_usd", "feature", "deal")}
    season = _season(panel.weeks)
    rows = range(len(panel.units))
    fits = [
        _promotion_fit(panel.units[row], {name: plan[name][row] for name in plan}, season) for row in rows
    ]
    found = np.array([fit for fit in fits if fit])
    if not len(found):
        return {}
    figures: Figures = {}
    for column, name in enumerate(PROMOTION):
        figures |= percentiles(name, found[:, column])
    on_sale = ~np.isnan(plan["price_usd"])
    return {
        **figures,
        "weeks with a feature": float((plan["feature"][on_sale] > 0).mean()),
        "weeks on deal": float((plan["deal"][on_sale] > 0).mean()),
    }


def _aligned(table: pd.DataFrame, name: str, panel: Panel) -> Array:
    """One column of a store-product-week table in the shape of the panel."""
    wide = table.pivot(index=["store_id", "product_id"], columns="week", values=name)
    keys = pd.MultiIndex.from_frame(panel.keys[["store_id", "product_id"]])
    aligned: Array = wide.reindex(index=keys, columns=panel.weeks).to_numpy()
    return aligned


def _season(weeks: Array) -> Array:
    """Constant, trend and two waves of the year; (6, weeks)."""
    day = (weeks - weeks[0]) / np.timedelta64(1, "D")
    angles = [2 * np.pi * wave * day / 365.25 for wave in (1, 2)]
    return np.stack([np.ones(len(day)), day / 365.25, *(f(a) for a in angles for f in (np.sin, np.cos))])


def _promotion_fit(units: Array, plan: dict[str, Array], season: Array) -> tuple[float, ...] | None:
    """The figures named PROMOTION of one series; None with too few weeks of sales."""
    use = (units > 0) & (plan["price_usd"] > 0)
    if use.sum() < LEAST_WEEKS or plan["feature"][use].std() == 0:
        return None
    columns = np.stack(
        [np.log(units[use]), np.log(plan["price_usd"][use]), plan["feature"][use], plan["deal"][use]]
    )
    base = season[:, use].T
    within = columns.T - base @ np.linalg.lstsq(base, columns.T, rcond=None)[0]
    effects = np.linalg.lstsq(within[:, 1:], within[:, 0], rcond=None)[0]
    rest = within[:, 0] - within[:, 1:] @ effects
    return float(effects[0]), float(effects[1]), float(1 - rest.var() / within[:, 0].var()), float(rest.std())


def warmth_figures(raw: RawTables, panel: Panel) -> Figures:
    """Log sales per 10 degrees Fahrenheit: stores held against each other in the same product and week."""
    if raw.weather_history is None:
        return {}
    daily = raw.weather_history
    monday = daily["date"] - pd.to_timedelta(daily["date"].dt.day_of_week, unit="D")
    warm = daily.assign(week=monday, warm=(daily["temp_min_c"] + daily["temp_max_c"]) / 2)
    weekly = warm.pivot_table(index="postal_code", columns="week", values="warm")
    degrees = weekly.reindex(index=panel.keys["postal_code"], columns=panel.weeks).to_numpy() / TEN_FAHRENHEIT
    log = np.where(panel.units > 0, np.log(np.where(panel.units > 0, panel.units, 1)), np.nan)
    degrees = np.where(np.isnan(log), np.nan, degrees)
    product = panel.keys["product_id"].to_numpy()
    degrees, log = (_within(part, product) for part in (degrees, log))
    cells = pd.DataFrame(
        {"product": product, "cross": np.nansum(degrees * log, 1), "square": np.nansum(degrees**2, 1)}
    )
    sums = cells.groupby("product").sum()
    return {
        "warmth: all sales": float(cells["cross"].sum() / cells["square"].sum()),
        **percentiles("warmth: by product", (sums["cross"] / sums["square"]).to_numpy(), (10, 90)),
    }


def _within(values: Array, product: Array) -> Array:
    """Values less the mean of their series, then less the mean of their product and week."""
    centred = pd.DataFrame(values - np.nanmean(values, axis=1, keepdims=True))
    out: Array = (centred - centred.groupby(product).transform("mean")).to_numpy()
    return out


def all_figures(raw: RawTables, group: str, last_weeks: int | None = None) -> Figures:
    """Every figure of a data set over its last weeks; `group`: the column whose weeks may move together."""
    panel = make_panel(raw, last_weeks)
    return {
        **series_figures(panel, group),
        **event_figures(raw, panel),
        **promotion_figures(raw, panel),
        **warmth_figures(raw, panel),
    }
