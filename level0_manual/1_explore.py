# %% [markdown]
# # 1. Explore
#
# You are the data scientist of a pilot. A retailer wants to know how many units of each product its stores
# will need in each of the next four weeks. Before it pays for a system, it wants to see whether a forecast is
# possible at all: in one region, by hand, in notebooks.
#
# This is the first of five, to be run in order:
#
# | notebook | answers | leaves in `.store/level0` |
# |---|---|---|
# | **1 explore** | what is in the data? | six charts |
# | 2 condition | which one table can a model learn from? | `weekly.parquet`, `outlook.parquet` |
# | 3 train | how does it become a forecast? | `ensembles.pickle`, `judged.pickle` |
# | 4 evaluate | is it any good? | `backtest.csv`, `report.csv` |
# | 5 hand over and score | how does somebody else use it? | `handoff/`, `forecasts.csv` |
#
# Nothing here checks its input. A wrong file gives a wrong answer, not an error: that is what level 0 is.

# %%
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

REGION = "R01"  # the pilot's one region
DATA = Path("../shared/data/tiny")  # relative to this notebook's folder
STORE = Path("../.store/level0")
STORE.mkdir(parents=True, exist_ok=True)
plt.rcParams.update({"figure.dpi": 72, "font.size": 9, "date.converter": "concise"})
plt.rcParams.update({"axes.spines.top": False, "axes.spines.right": False, "legend.frameon": False})

# %% [markdown]
# ## The files
#
# Each system delivers in its own format: shipments as one CSV file a year, returns as a line of JSON each,
# stores as a workbook, prices and weather as Parquet. Read everything as text where a number would lose
# something: postal code `01000` is not 1000.

# %%
stores = pd.read_excel(DATA / "stores.xlsx", dtype=str)
stores = stores[stores["region"] == REGION]
shipments = pd.concat(
    [pd.read_csv(path, parse_dates=["week"]) for path in sorted(DATA.glob(f"shipments/{REGION}-*.csv"))]
)
returns = pd.read_json(DATA / "returns.jsonl", lines=True, dtype=False)
prices = pd.read_parquet(DATA / "prices.parquet")
weather = pd.read_parquet(DATA / "weather_history.parquet")
events = pd.read_csv(DATA / "events.csv", parse_dates=["start", "end"])

own = stores["store_id"]
returns = returns[returns["store_id"].isin(own)].assign(week=lambda table: pd.to_datetime(table["week"]))
prices = prices[prices["store_id"].isin(own)].assign(week=lambda table: pd.to_datetime(table["week"]))
weather = weather[weather["postal_code"].isin(stores["postal_code"])]
weather = weather.assign(date=lambda table: pd.to_datetime(table["date"]))
for name, table in {"shipments": shipments, "returns": returns, "prices": prices, "weather": weather}.items():
    print(f"{name:10} {len(table):6,} rows   {', '.join(table.columns)}")
print(stores.to_string(index=False))

# %% [markdown]
# One row of shipments is a store, a product and a week, named by its Monday. A store and a product together
# are a *series*. Laid out with the series below each other and the weeks side by side, the data show their
# holes.

# %%
shipped = shipments.pivot(index=["store_id", "product_id"], columns="week", values="units_shipped")
weeks = shipped.columns
print(f"{len(shipped)} series, {len(weeks)} weeks from {weeks[0]:%Y-%m-%d} to {weeks[-1]:%Y-%m-%d}")
print(f"rows with 0 units: {(shipments['units_shipped'] == 0).sum()}")
print(f"weeks without a row: {shipped.isna().sum().sum()}")

# %% [markdown]
# **The first trap.** No row ever says 0, yet hundreds of weeks have no row. This source does not write a line
# when nothing was shipped. So an absent week inside the life of a series *is* the zero, and whoever takes the
# mean over the rows that are there takes it too high. (In other data sets an absent week is a week nobody
# recorded. Only the person who delivers the data can tell; here we were told that it means zero.)
#
# ## Volume and intermittency
#
# How much does a series sell, and how often nothing at all? Both decide how far a forecast can go.

# %%
units = shipped.fillna(0)
volume, zero_share = units.mean(axis=1), (units == 0).mean(axis=1)
large = volume.index.get_level_values("store_id").isin(stores.loc[stores["format"] == "large", "store_id"])

fig, (left, right) = plt.subplots(1, 2, figsize=(9, 2.8))
for chosen, label, color in ((large, "large store", "C0"), (~large, "small store", "C1")):
    left.scatter(volume[chosen], 100 * zero_share[chosen], color=color, label=label, s=18)
left.set(
    xscale="log", xlabel="mean units a week", ylabel="weeks without a sale, %", title="Each dot is a series"
)
left.legend()
ends = {"sells the most": volume.idxmax(), "sells the least": volume.idxmin()}
for color, (label, series) in zip(("C0", "C1"), ends.items(), strict=True):
    right.plot(weeks, 1 + units.loc[series], color=color, label=f"{' '.join(series)} {label}")
right.set(yscale="log", ylim=(0.8, 60_000), ylabel="1 + units shipped", title="The two ends")
right.legend(ncols=2, loc="upper center", fontsize=8)
fig.tight_layout()
fig.savefig(STORE / "1_volume.png")

print(f"units a week: smallest {volume.min():.0f}, median {volume.median():.0f}, largest {volume.max():.0f}")
print(f"zero weeks: {100 * zero_share.mean():.1f} % of all; {(zero_share > 0.2).sum()} series above 20 %")

# %% [markdown]
# The largest series sells a hundred times the smallest. An error of ten units is nothing for one and
# everything for the other, so the pilot is judged by *relative* error, and the model will see every series
# relative to its own level. The fast and the slow behave so differently that they get models of their own:
# the region's large and small stores, each with its fast and its slow products, make the **four ensembles**
# of the pilot.
#
# ## Seasonality
#
# Divide each week by its series' mean, so that all series count alike, and look at the year.

# %%
relative = units.div(volume, axis=0).mean()  # one value a week
by_year = (
    relative.groupby([weeks.isocalendar().week.to_numpy(), weeks.isocalendar().year.to_numpy()])
    .mean()
    .unstack()
)

fig, (left, right) = plt.subplots(1, 2, figsize=(9, 2.6), width_ratios=[2, 1])
for year in by_year.columns:
    left.plot(by_year.index, by_year[year], label=str(year))
left.axhline(1, color="grey", linewidth=0.5)
left.set(xlabel="week of the year", ylabel="against the mean", title="All series together, a line per year")
left.legend(ncols=2)
lags = range(1, 61)
centred = (relative - relative.mean()).to_numpy()
right.bar(lags, [np.corrcoef(centred[lag:], centred[:-lag])[0, 1] for lag in lags], color="C7")
right.set(xlabel="weeks apart", ylabel="correlation", title="Does the past repeat?")
fig.tight_layout()
fig.savefig(STORE / "1_season.png")

print("the highest weeks against the mean:")
for week, height in relative.nlargest(5).items():
    touching = events[(events["start"] < week + pd.Timedelta(days=7)) & (events["end"] >= week)]
    print(f"  {week:%Y-%m-%d}  x{height:.2f}  {', '.join(touching['name'].unique())}")

# %% [markdown]
# One bar stands out on the right: a year later the picture repeats. The week of the Super Bowl is high every
# year, so are the last weeks before Christmas. So what sold 52 weeks ago will be an input of the model, and
# the calendar too. Other peaks come once and never again. And mind how little this is: a yearly peak was seen
# two or three times.
#
# ## Promotion
#
# The price file is a plan. It says for every week, *also for weeks to come*, what a product costs
# (`price_usd`), whether it is in the leaflet (`feature`) and whether it is reduced (`deal`). Compare like
# with like: each week against the median of its own series.

# %%
promoted = shipments.merge(prices, on=["store_id", "product_id", "week"])
pair = ["store_id", "product_id"]
promoted["sales"] = promoted["units_shipped"] / promoted.groupby(pair)["units_shipped"].transform("median")
promoted["price"] = promoted["price_usd"] / promoted.groupby(pair)["price_usd"].transform("median")
promoted["kind"] = np.select(
    [promoted["feature"] > 0, promoted["deal"] > 0], ["in the leaflet", "reduced only"], "neither"
)

fig, (left, right) = plt.subplots(1, 2, figsize=(9, 2.6))
order = ["neither", "reduced only", "in the leaflet"]
left.boxplot(
    [promoted.loc[promoted["kind"] == kind, "sales"] for kind in order], tick_labels=order, showfliers=False
)
left.axhline(1, color="grey", linewidth=0.5)
left.set(ylabel="sales against the median", title="What a promotion does")
steps = pd.cut(promoted["price"], np.arange(0.7, 1.25, 0.05))
quiet = (
    promoted[promoted["kind"] != "in the leaflet"]
    .groupby(steps, observed=True)["sales"]
    .agg(["median", "count"])
)
by_price = quiet.loc[quiet["count"] >= 50, "median"]  # fewer rows show chance
right.plot([step.mid for step in by_price.index], by_price, marker="o")
right.set(
    xlabel="price against the median", ylabel="sales against the median", title="Price, without the leaflet"
)
fig.tight_layout()
fig.savefig(STORE / "1_promotion.png")

print(promoted.groupby("kind")["sales"].agg(["count", "median"]).loc[order].round(2).to_string())
planned = prices["week"].max()
print(f"the plan reaches to {planned:%Y-%m-%d}, {(planned - weeks[-1]).days // 7} weeks ahead")

# %% [markdown]
# The leaflet more than doubles what the same product sells in a week without any promotion. Nothing else in
# the data moves demand as much, and it is known in advance. A forecast that does not read the plan is lost;
# so is one that was made before the plan was changed.
#
# ## Weather
#
# Does the region sell more on warm weeks? The season has warmth in it already, so take the yearly wave out of
# both before comparing.

# %%
middle = (weather["temp_min_c"] + weather["temp_max_c"]) / 2
temperature = middle.groupby(weather["date"].dt.to_period("W-SUN").dt.start_time).mean().reindex(weeks)
season = 2 * np.pi * np.arange(len(weeks)) / 52.18
waves = np.column_stack(
    [np.ones(len(weeks)), np.sin(season), np.cos(season), np.sin(2 * season), np.cos(2 * season)]
)


def without_season(values: pd.Series) -> np.ndarray:
    """What two yearly waves leave of a weekly series."""
    return values.to_numpy() - waves @ np.linalg.lstsq(waves, values.to_numpy(), rcond=None)[0]


warmth, sales = without_season(temperature), without_season(np.log(relative))
fig, (left, right) = plt.subplots(1, 2, figsize=(9, 2.6))
left.plot(weeks, temperature)
left.set(ylabel="deg C", title="Mean temperature of the week")
right.scatter(warmth, sales, s=10)
right.set(xlabel="deg C above the season", ylabel="log sales above the season", title="What is left of both")
fig.tight_layout()
fig.savefig(STORE / "1_weather.png")

slope = np.polyfit(warmth, sales, 1)[0]
print(f"ten degrees warmer than usual: {100 * (np.exp(10 * slope) - 1):+.1f} % sales")
print(f"correlation {np.corrcoef(warmth, sales)[0, 1]:+.2f} over {len(weeks)} weeks")

# %% [markdown]
# Hardly a trace for the region as a whole. Some products may still care; the model gets the weather and
# decides.
#
# ## Returns
#
# What comes back was not sold. Demand is what was shipped less what was returned.

# %%
back = returns.groupby("week")["units_returned"].sum().reindex(weeks, fill_value=0)
total = units.sum()
share = (
    returns.groupby("product_id")["units_returned"].sum()
    / shipments.groupby("product_id")["units_shipped"].sum()
)
in_week = returns.merge(shipments, on=[*pair, "week"], how="left")

fig, (left, right) = plt.subplots(1, 2, figsize=(9, 2.6))
left.plot(weeks, 100 * back / total)
left.set(ylabel="% of shipments", title="Returned, by week")
right.bar(share.index, 100 * share, color="C7")
right.set(ylabel="% of shipments", title="Returned, by product")
fig.tight_layout()
fig.savefig(STORE / "1_returns.png")

print(f"{len(returns):,} rows, {100 * back.sum() / total.sum():.1f} % of all units")
print(f"returns in a week without shipments: {in_week['units_shipped'].isna().sum()}")
print(f"returns above that week's shipments: {(in_week['units_returned'] > in_week['units_shipped']).sum()}")

# %% [markdown]
# ## What is missing
#
# Look at each table for holes before a join hides them.

# %%
first = shipments.groupby(pair)["week"].min()
absent = {
    "weeks without a shipments row": shipped.isna().to_numpy().mean(),
    "days without precipitation": weather["precipitation_mm"].isna().mean(),
    "days without temperature": middle.isna().mean(),
    "shipped weeks without a price": 1 - len(promoted) / len(shipments),
    "stores that closed": stores["closed"].notna().mean(),
}
for name, part in absent.items():
    print(f"{name:32} {100 * part:5.1f} %")
late = first[first > weeks[0]]
print(f"{len(late)} of {len(first)} series begin after the first week, the last in {first.max():%Y-%m-%d}")

last = shipments.groupby(pair)["week"].max()
for series, week in last[last < weeks[-9]].items():
    print(f"{' '.join(series)} has had no row since {week:%Y-%m-%d}, {(weeks[-1] - week).days // 7} weeks")

fig, ax = plt.subplots(figsize=(9, 2.8))
ax.imshow(shipped.isna(), aspect="auto", interpolation="none", cmap="Greys")
ax.set_yticks(range(0, len(shipped), 4), [" ".join(series) for series in shipped.index[::4]])
ax.set(xlabel="weeks since the first", title="Black: a week without a row")
fig.tight_layout()
fig.savefig(STORE / "1_missing.png")

# %% [markdown]
# Most holes are scattered over a few slow series. No column of black crosses the picture, as a lost delivery
# would leave one. But two black lines run to the right edge: these series went silent, and no table says that
# their product was taken out. Are they gone, or out of stock? We keep them, at zero, and the model will learn
# that they are dead.
#
# All of this is a glance at a picture. Next month somebody must look again, and nothing makes them.
#
# ## What a colleague would have to ask you
#
# - Who told you that an absent week means zero, and does it hold for the other regions?
# - Which files did you look at? They may have been delivered again since, under the same names.
# - Two series went silent. Whom did you ask, and what did they say?
# - You saw no lost delivery. How would I notice one next month?
# - Why this region? Is it like the others?
# - Where are the charts that you decided by, and are they still those of this data?
