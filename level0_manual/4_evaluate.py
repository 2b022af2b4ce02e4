# %% [markdown]
# # 4. Evaluate
#
# Is the forecast any good? Take the ensembles that have seen nothing of the last eight weeks, forecast these
# weeks as if they were still to come, and compare. The metrics are typed here, each in a line or two.

# %%
import pickle
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from demand.config import load_config
from demand.features import build_panel
from demand.training import build_data_set, build_rows

REGION = "R01"
STORE = Path("../.store/level0")
config = load_config(Path("settings.toml"), {})
plt.rcParams.update({"figure.dpi": 72, "font.size": 9, "date.converter": "concise"})
plt.rcParams.update({"axes.spines.top": False, "axes.spines.right": False, "legend.frameon": False})

panel = build_panel(pd.read_parquet(STORE / "weekly.parquet"), pd.read_parquet(STORE / "outlook.parquet"))
data = build_data_set([panel])
judged = pickle.loads((STORE / "judged.pickle").read_bytes())
last, horizon = panel.n_known - 1, config.forecast.horizon

# %% [markdown]
# ## Forecast the weeks that judge
#
# Two origins, four weeks apart, four weeks ahead from each: every one of the eight weeks is forecast once.
# Nothing but your own care makes sure that `judged.pickle` is of the same data and the same split.

# %%
origins = np.arange(last - config.training.holdout_weeks, last - horizon + 1, horizon)
rows = build_rows(data, judged["encoder"], origins).known(last)
series = judged["series"].iloc[rows.series].reset_index(drop=True)

table = pd.DataFrame(
    {
        "region": REGION,
        "format": series["format"],
        "speed": series["speed"],
        "store_id": series["store_id"],
        "product_id": series["product_id"],
        "origin": panel.weeks[rows.origin],
        "week": panel.weeks[rows.target],
        "horizon": rows.horizon,
        "actual": rows.units.astype(float),
    }
)
names = ["ensemble", "lower", "upper", "lasso", "network", "baseline"]
table[names] = np.nan

for segment, ensemble in judged["ensembles"].items():
    own = ((table["format"] == segment.format) & (table["speed"] == segment.speed)).to_numpy()
    part = rows.take(np.flatnonzero(own))
    for name, units in ensemble.forecasts(part).items():
        table.loc[own, name] = units.astype(float)

for store, average in judged["baselines"].items():
    own = table["format"] == store
    table.loc[own, "baseline"] = average.loc[
        pd.MultiIndex.from_frame(table.loc[own, ["store_id", "product_id"]])
    ].to_numpy()

table = table.sort_values(["region", "store_id", "product_id", "origin", "week"], ignore_index=True)
table.to_csv(STORE / "backtest.csv", index=False)
print(f"{len(table)} forecasts of {table['week'].nunique()} weeks and {len(panel.series)} series")

# %% [markdown]
# ## The metrics
#
# The case is judged by **MAPE**, the mean of the errors in percent of what was sold. It has a blind spot and
# a lean:
#
# - A week without sales has no percentage, so MAPE leaves it out: `actual > 0`. An error there shows only in
#   **RMSE 0**.
# - Forecasting double costs 100 %, forecasting nothing costs 100 % as well and never more. So a forecast that
#   is best by MAPE leans low. **Bias** shows how much, and **WAPE**, all errors over all sales, what it costs
#   in units.


# %%
def mape(actual: np.ndarray, forecast: np.ndarray) -> float:
    """Mean error in percent of the units sold, over the rows with sales."""
    sold = actual > 0
    return float(100 * np.mean(np.abs(forecast[sold] - actual[sold]) / actual[sold]))


def wape(actual: np.ndarray, forecast: np.ndarray) -> float:
    """All errors in percent of all units sold."""
    return float(100 * np.abs(forecast - actual).sum() / actual.sum())


def rmse(actual: np.ndarray, forecast: np.ndarray) -> float:
    """Root of the mean squared error, in units."""
    return float(np.sqrt(np.mean((forecast - actual) ** 2)))


def rmse_zero(actual: np.ndarray, forecast: np.ndarray) -> float:
    """The same over the rows without sales."""
    unsold = actual == 0
    return rmse(actual[unsold], forecast[unsold]) if unsold.any() else float("nan")


def bias(actual: np.ndarray, forecast: np.ndarray) -> float:
    """What was forecast too much, in percent of the units sold; below 0 it was too little."""
    return float(100 * (forecast - actual).sum() / actual.sum())


def coverage(actual: np.ndarray, lower: np.ndarray, upper: np.ndarray) -> float:
    """Percent of the rows whose actual lies in the interval."""
    return float(100 * np.mean((lower <= actual) & (actual <= upper)))


# %% [markdown]
# ## The report
#
# One line per segment. The case calls a segment good if its MAPE is at most 45 % and at least 40 % below the
# baseline's.

# %%
lines = []
for segment in judged["ensembles"]:
    own = table[(table["format"] == segment.format) & (table["speed"] == segment.speed)]
    actual, forecast = own["actual"].to_numpy(), own["ensemble"].to_numpy()
    error, plain = mape(actual, forecast), mape(actual, own["baseline"].to_numpy())
    gain = 100 * (1 - error / plain)
    lines.append(
        {
            "region": REGION,
            "format": segment.format,
            "speed": segment.speed,
            "mape": error,
            "baseline_mape": plain,
            "rmse": rmse(actual, forecast),
            "rmse0": rmse_zero(actual, forecast),
            "wape": wape(actual, forecast),
            "bias": bias(actual, forecast),
            "coverage": coverage(actual, own["lower"].to_numpy(), own["upper"].to_numpy()),
            "gain": gain,
            "n": len(own),
            "verdict": "meets" if error <= 45 and gain >= 40 else "misses",
        }
    )
report = pd.DataFrame(lines)
report.to_csv(STORE / "report.csv", index=False)
print(report.drop(columns="region").round(1).to_string(index=False))

# %% [markdown]
# ## Look at it
#
# A mean hides what a picture shows: where the forecast is too low, which weeks it missed, how wide it had to
# be.

# %%
fig, axes = plt.subplots(2, 2, figsize=(9, 4.6))
for ax, segment in zip(axes.flat, judged["ensembles"], strict=True):
    own = table[(table["format"] == segment.format) & (table["speed"] == segment.speed)]
    by_week = own.groupby("week")[["actual", "ensemble", "baseline"]].sum()
    ax.plot(by_week.index, by_week["actual"], color="black", marker="o", markersize=3, label="actual")
    ax.plot(by_week.index, by_week["ensemble"], label="ensemble")
    ax.plot(by_week.index, by_week["baseline"], color="grey", linestyle=":", label="baseline")
    ax.set(title=f"{segment.format} stores, {segment.speed} products", ylim=(0, None))
axes[0, 0].set_ylabel("units")
axes[1, 0].set_ylabel("units")
axes[0, 0].legend()
fig.tight_layout()
fig.savefig(STORE / "4_weeks.png")

# %%
example = table.groupby(["store_id", "product_id"])["actual"].sum().nlargest(9).index[[0, 4, 8]]
fig, axes = plt.subplots(1, 3, figsize=(9, 2.5))
for ax, (store, product) in zip(axes, example, strict=True):
    own = table[(table["store_id"] == store) & (table["product_id"] == product)]
    row = ((panel.series["store_id"] == store) & (panel.series["product_id"] == product)).to_numpy()
    past = panel.units[row][0, -26:]
    ax.plot(panel.weeks[last - 25 : last + 1], past, color="black", label="actual")
    ax.plot(own["week"], own["ensemble"], label="ensemble")
    ax.fill_between(own["week"], own["lower"], own["upper"], alpha=0.2, label="90 % interval")
    ax.set(title=f"{store} {product}", ylim=(0, 1.6 * np.nanmax(past)))
axes[0].set_ylabel("units")
axes[0].legend(fontsize=8)
fig.tight_layout()
fig.savefig(STORE / "4_series.png")

# %% [markdown]
# ## Write it down
#
# Experiments are tracked by hand: copy the line below into `EXPERIMENTS.md` and fill in who, when and why. If
# you forget, this run never happened; if you mistype, nobody will know.

# %%
actual, forecast = table["actual"].to_numpy(), table["ensemble"].to_numpy()
print("| date | who | what was changed | MAPE % | WAPE % | bias % | segments that meet | kept? |")
print(
    f"| | | | {mape(actual, forecast):.1f} | {wape(actual, forecast):.1f} | {bias(actual, forecast):.1f} "
    f"| {(report['verdict'] == 'meets').sum()} of {len(report)} | |"
)

# %% [markdown]
# ## What a colleague would have to ask you
#
# - Which model is this the report of? `report.csv` does not name one.
# - How often did you look at these eight weeks before you settled? Each look makes them less of a judge.
# - Would it hold in autumn? Eight weeks of spring say nothing of Christmas.
# - Is this better than last month, or is it chance? There is no interval around the MAPE, and last month's
#   model is gone.
# - Your `mape` is typed here. Is it the same as in the other team's notebook?
