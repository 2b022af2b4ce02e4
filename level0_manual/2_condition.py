# %% [markdown]
# # 2. Condition
#
# A model learns from one table, not from nine files. This notebook types the table out: `weekly` has one row
# per series and week up to the last one delivered, `outlook` the same columns for the eight weeks after it,
# without the sales that nobody knows yet. Every rule below was decided by somebody, for a reason. It is
# written here and nowhere else.

# %%
import json
from pathlib import Path

import numpy as np
import pandas as pd

REGION = "R01"
DATA = Path("../shared/data/tiny")
STORE = Path("../.store/level0")
STORE.mkdir(parents=True, exist_ok=True)
SERIES = ["store_id", "product_id"]
WEEKS_AHEAD = 8

# %% [markdown]
# ## Read the region's rows
#
# The same reading as in the first notebook, copied from there. If one of the two is ever corrected, so must
# the other be.

# %%
stores = pd.read_excel(DATA / "stores.xlsx", dtype=str)
stores = stores[stores["region"] == REGION]
products = pd.read_csv(DATA / "products.csv")
shoppers = pd.DataFrame(json.loads((DATA / "shopper_demographics.json").read_text()))
shipments = pd.concat(
    [pd.read_csv(path, parse_dates=["week"]) for path in sorted(DATA.glob(f"shipments/{REGION}-*.csv"))]
)
returns = pd.read_json(DATA / "returns.jsonl", lines=True, dtype=False)
returns["week"] = pd.to_datetime(returns["week"])
prices = pd.read_parquet(DATA / "prices.parquet")
prices["week"] = pd.to_datetime(prices["week"])
weather = pd.concat([pd.read_parquet(DATA / f"weather_{part}.parquet") for part in ("history", "forecast")])
weather["date"] = pd.to_datetime(weather["date"])
events = pd.read_csv(DATA / "events.csv", parse_dates=["start", "end"])
events = events[events["region"].isin(["*", REGION])]  # "*" is an event of all regions
last_week = shipments["week"].max()
print(f"{len(shipments):,} rows of shipments, the last week is {last_week:%Y-%m-%d}")

# %% [markdown]
# ## A row for every week
#
# A series lives from the first week in which it was shipped. From then on it gets a row every week, whether
# the file has one or not, and on to the end of the outlook. (No store of the region ever closed and no
# product was taken out. Where one was, its rows would have to end; this notebook does not know that.)

# %%
begins = shipments.groupby(SERIES)["week"].min()
end = last_week + pd.Timedelta(weeks=WEEKS_AHEAD)
table = pd.DataFrame(
    [(*series, week) for series, begin in begins.items() for week in pd.date_range(begin, end, freq="7D")],
    columns=[*SERIES, "week"],
)
known = table["week"] <= last_week
print(f"{len(begins)} series, {known.sum():,} known rows and {(~known).sum()} ahead")

# %% [markdown]
# ## Units
#
# Rule 1: an absent week is a week of zero, because the source writes no zeros. Rule 2: what came back was not
# sold, so units = shipped - returned.

# %%
table = table.merge(shipments, on=[*SERIES, "week"], how="left")
table = table.merge(returns, on=[*SERIES, "week"], how="left")
table["shipped"] = table["units_shipped"].fillna(0.0)
table["returned"] = table["units_returned"].fillna(0.0)
table["units"] = table["shipped"] - table["returned"]
print(table.loc[known, ["shipped", "returned", "units"]].sum().map("{:,.0f}".format).to_string())
print(f"known weeks at zero: {100 * (table.loc[known, 'units'] == 0).mean():.1f} %")

# %% [markdown]
# ## Weather of the week
#
# Rule 3: the temperature of a day is the middle of its lowest and highest, that of a week the mean of its
# days. Rule 4: rain is summed over the week; where days are missing, the mean of the others stands in for
# them. The weeks ahead take the weather forecast, which here happens to cover all eight.

# %%
weather["middle"] = (weather["temp_min_c"] + weather["temp_max_c"]) / 2
weather["week"] = weather["date"] - pd.to_timedelta(weather["date"].dt.day_of_week, unit="D")
weekly_weather = weather.groupby(["postal_code", "week"], as_index=False).agg(
    temperature=("middle", "mean"), precipitation=("precipitation_mm", "mean")
)
weekly_weather["precipitation"] *= 7
table = table.merge(stores[["store_id", "region", "format", "postal_code"]], on="store_id")
table = table.merge(weekly_weather, on=["postal_code", "week"], how="left")
print(table[["temperature", "precipitation"]].describe().loc[["min", "mean", "max"]].round(1).to_string())

# %% [markdown]
# ## Events of the week
#
# Rule 5: each kind of event counts by the share of the week's days it covers, so Christmas Day is 1/7 and a
# week of school holidays 1. Rule 6: a week also takes the name of its holiday or sports event: the one with
# the most days in it, then a holiday before a sport, then the one that began earlier, then by the alphabet.

# %%
DAY = np.timedelta64(1, "D")


def share_of_days(week: np.datetime64, kind: str) -> float:
    """Share of the week's days, 0 to 1, on which an event of this kind takes place."""
    of_kind = events[events["kind"] == kind]
    start, end = of_kind["start"].to_numpy(), of_kind["end"].to_numpy()
    return float(
        np.mean([((start <= week + day * DAY) & (week + day * DAY <= end)).any() for day in range(7)])
    )


def name_of(week: np.datetime64) -> str:
    """The holiday or sports event that names the week, empty if there is none."""
    named = events[events["kind"].isin(["holiday", "sport"])]
    until, since = named["end"].clip(upper=week + 6 * DAY), named["start"].clip(lower=week)
    named = named.assign(days=(until - since).dt.days + 1)
    named = named[named["days"] > 0].sort_values(
        ["days", "kind", "start", "name"], ascending=[False, True, True, True]
    )
    return named["name"].iloc[0] if len(named) else ""


calendar = pd.DataFrame({"week": table["week"].unique()})
for kind in ("holiday", "promotion", "sport", "school"):
    calendar[f"event_{kind}"] = [share_of_days(week, kind) for week in calendar["week"].to_numpy()]
calendar["event_name"] = [name_of(week) for week in calendar["week"].to_numpy()]
table = table.merge(calendar, on="week")
print(calendar[calendar["event_name"] != ""].tail(5).to_string(index=False))

# %% [markdown]
# ## Prices, products and shoppers
#
# Rule 7: a week the price plan is silent about keeps the last price and has no promotion. Category and store
# format are the same in every week, and so is who shops there.

# %%
table = table.merge(prices, on=[*SERIES, "week"], how="left")
table["price"] = table.groupby(SERIES)["price_usd"].ffill()
table[["feature", "deal"]] = table[["feature", "deal"]].fillna(0.0)
table = table.merge(products[["product_id", "category"]], on="product_id")
shoppers[shoppers.columns[1:]] = shoppers[shoppers.columns[1:]].astype(float)
table = table.merge(shoppers, on="store_id", how="left")
table = table.sort_values([*SERIES, "week"], ignore_index=True)

# %% [markdown]
# ## Two tables
#
# The columns in the order that the features expect. One row, upright, to see what a model will learn from:

# %%
ahead = ["format", "category", "price", "feature", "deal", "temperature", "precipitation"]
ahead += [f"event_{kind}" for kind in ("holiday", "promotion", "sport", "school")] + ["event_name"]
ahead += list(shoppers.columns[1:])
keys = ["region", *SERIES, "week"]
known = table["week"] <= last_week  # once more: the merges have renumbered the rows
weekly = table.loc[known, [*keys, "units", "shipped", "returned", *ahead]].reset_index(drop=True)
outlook = table.loc[~known, [*keys, *ahead]].reset_index(drop=True)
weekly.to_parquet(STORE / "weekly.parquet")
outlook.to_parquet(STORE / "outlook.parquet")
print(f"weekly {weekly.shape}, outlook {outlook.shape}\n")
print(weekly.iloc[-1].to_string())

# %% [markdown]
# The line `known = ...` stands there twice: the merges and the sorting have renumbered the rows since, and
# the older mask could pick the wrong ones without a word.
#
# ## What a colleague would have to ask you
#
# - You decided seven rules. Who agreed to them, and which would be different in another region?
# - What happens to a store that closes, or to a week that the weather forecast does not reach?
# - Last week's files were delivered again with corrections. Was this table made before or after?
# - How do you know that no row was lost or doubled in one of the eight merges?
# - May I use this table for something else? Where does it say what the columns mean?
