# %% [markdown]
# # 5. Hand over and score
#
# You have a model. Somebody else is to use it, every week. At this level the hand-over is a file, a form and
# a conversation.

# %%
import pickle
import shutil
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from demand.features import build_panel
from demand.training import build_data_set, build_rows

STORE = Path("../.store/level0")
HANDOFF = STORE / "handoff"

# %% [markdown]
# ## Hand over
#
# Three things go into the folder: the pickle, the form and the operator's checklist. The form is blank. Open
# it and answer its questions now, while you still know; tomorrow you will not.

# %%
HANDOFF.mkdir(exist_ok=True)
shutil.copyfile(STORE / "ensembles.pickle", HANDOFF / "ensembles.pickle")
for name in ("FORM.md", "CHECKLIST.md"):
    shutil.copyfile(Path("handoff") / name, HANDOFF / name)
print((HANDOFF / "FORM.md").read_text())

# %% [markdown]
# ## Score
#
# From here on you are the operator: a week later, on another machine, with what was handed over. New files
# have come and notebook 2 was run on them. Load the pickle and forecast the next four weeks of every series.
#
# A pickle runs whatever its maker put into it. You open it because you know who sent it, or because you do
# not think of it.

# %%
handed = pickle.loads((HANDOFF / "ensembles.pickle").read_bytes())
outlook = pd.read_parquet(STORE / "outlook.parquet")
panel = build_panel(pd.read_parquet(STORE / "weekly.parquet"), outlook)
last = panel.n_known - 1
rows = build_rows(build_data_set([panel]), handed["encoder"], np.array([last]))
series = handed["series"].iloc[rows.series].reset_index(drop=True)

forecasts = series[["region", "store_id", "product_id"]].assign(
    week=panel.weeks[rows.target], horizon=rows.horizon, units=np.nan, lower=np.nan, upper=np.nan
)
for segment, ensemble in handed["ensembles"].items():
    own = ((series["format"] == segment.format) & (series["speed"] == segment.speed)).to_numpy()
    part = rows.take(np.flatnonzero(own))
    found = ensemble.forecasts(part)
    for name, each in (("units", "ensemble"), ("lower", "lower"), ("upper", "upper")):
        forecasts.loc[own, name] = found[each].astype(float)

forecasts = forecasts.sort_values(["region", "store_id", "product_id", "week"], ignore_index=True)
forecasts.to_csv(STORE / "forecasts.csv", index=False)
print(f"known up to the week of {panel.weeks[last]:%Y-%m-%d}\n")
print(forecasts.groupby("week")[["units", "lower", "upper"]].sum().round(0).to_string())

# %% [markdown]
# The line `handed["series"].iloc[rows.series]` takes for granted that the new table has the same series in
# the same order as the one that trained. Let one store open, and every forecast after it belongs to its
# neighbour. Nothing would say so.
#
# ## Look at it
#
# The last thing an operator can do: hold the forecast beside the past and see whether it is absurd.

# %%
plt.rcParams.update({"figure.dpi": 72, "font.size": 9, "date.converter": "concise"})
plt.rcParams.update({"axes.spines.top": False, "axes.spines.right": False, "legend.frameon": False})
fig, ax = plt.subplots(figsize=(9, 2.6))
ahead = forecasts.groupby("week")["units"].sum()
ax.plot(
    panel.weeks[last - 77 : last + 1], np.nansum(panel.units[:, -78:], axis=0), color="black", label="sold"
)
ax.plot(
    panel.weeks[last - 51 : last - 47],
    np.nansum(panel.units[:, -52:-48], axis=0),
    "C1o",
    label="same weeks last year",
)
ax.plot(ahead.index, ahead, "C0o-", label="forecast")
ax.set(ylabel="units, all series", ylim=(0, None))
ax.legend(ncols=3, loc="upper center")
fig.tight_layout()
fig.savefig(STORE / "5_forecast.png")

print("forecasts:", STORE / "forecasts.csv")
print("form:     ", HANDOFF / "FORM.md")
print("checklist:", HANDOFF / "CHECKLIST.md")

# %% [markdown]
# ## What a colleague would have to ask you
#
# - Which model made this forecast? A row of `forecasts.csv` does not say, and the pickle has no version.
# - Who said that it may be used, and until when?
# - The forecast looks odd this week. What was served before, and how do I go back to it?
# - You are on holiday next week. Who runs notebook 2 before I run this one?
# - I cannot open the pickle: `demand` has changed since. Which commit do I need?
