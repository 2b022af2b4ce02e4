# %% [markdown]
# # 3. Train
#
# Four ensembles, one per segment: large or small store, fast or slow product. Each holds two models that read
# the same inputs, a LASSO (a straight line that drops inputs it does not need) and a neural network, and
# forecasts a mixture of both. Inputs, LASSO and network come from the shared package `demand`, so that every
# level has the same ones. What is typed here is what a data scientist usually types: which weeks train, which
# choose, which judge, and the loop.

# %%
import pickle
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from threadpoolctl import threadpool_limits

from demand.config import load_config
from demand.features import build_panel
from demand.models.network import Network, NetworkRows, train_network, tune_network
from demand.segments import Segment
from demand.training import Job, Rows, SegmentModel, build_data_set, build_rows, choose, learn_encoder
from demand.training.linear import fit_region, pick_chosen, region_design, row_weights
from demand.training.segment import segment_model

REGION = "R01"
STORE = Path("../.store/level0")
config = load_config(Path("settings.toml"), {})
horizon, training = config.forecast.horizon, config.training

# One thread: with more, sums are added in another order, and the last digits differ from run to run.
torch.set_num_threads(1)
limits = threadpool_limits(1)
print(
    f"seed {config.forecast.seed}, {config.network.epochs} epochs, at least {config.network.min_steps} steps"
)

# %% [markdown]
# ## Weeks as columns
#
# The panel lays `weekly` out as a grid, a row per series and a column per week. From here on a week is a
# column number.
#
# ## Who may see which weeks
#
# Time only runs forward. A forecast made in week *t*, its **origin**, knows the weeks up to *t* and is
# compared with the four after it. The last weeks are set aside twice:
#
# ```
# first week ............... chosen_from ......... judged_from ......... last
#     trains the candidates       |  choose among them  |  judge the choice
# ```
#
# - 8 weeks *judge*. No part of the model may have seen them, or the report praises a model for remembering.
# - The 8 weeks before *choose*: how strict the LASSO is, how much of the mixture is the network's, how wide
#   an interval.
# - All earlier weeks train.
#
# When all is chosen, the ensembles are trained again: once up to the judging weeks, for the report, and once
# on every week, for the forecast.

# %%
weekly = pd.read_parquet(STORE / "weekly.parquet")
outlook = pd.read_parquet(STORE / "outlook.parquet")
panel = build_panel(weekly, outlook)
data = build_data_set([panel])

last = panel.n_known - 1
judged_from = last - training.holdout_weeks
chosen_from = judged_from - training.validation_weeks


def origins_up_to(column: int) -> np.ndarray:
    """The origins to train on when targets up to this column are known; columns, ascending."""
    return np.arange(column - 1, training.min_weeks - 2, -training.stride)[::-1]


for name, column in (("chosen_from", chosen_from), ("judged_from", judged_from), ("last", last)):
    print(f"{name:12} column {column:4}  week of {panel.weeks[column]:%Y-%m-%d}")

# %% [markdown]
# ## Segments
#
# The store's format is given. A product is *fast* in a format if its mean units a week lie above the median
# product's. That is learned from the data too, so it may look only at weeks that train: a product is not fast
# because of the weeks we are about to forecast.

# %%
SEGMENTS = [Segment(REGION, store, speed) for store in ("large", "small") for speed in ("fast", "slow")]


def segments_at(column: int) -> pd.DataFrame:
    """Store, product, format, speed and mean units a week of each series, as known at this column."""
    series = panel.series.assign(units=np.nanmean(panel.units[:, : column + 1].astype(float), axis=1))
    product = series.groupby(["format", "product_id"])["units"].transform("mean")
    by_product = series.groupby(["format", "product_id"])["units"].mean()
    middle = series["format"].map(by_product.groupby("format").median())
    return series.assign(speed=np.where(product > middle, "fast", "slow"))


print(segments_at(judged_from).groupby(["format", "speed"])["product_id"].unique().map(" ".join).to_string())

# %% [markdown]
# ## Rows to learn from
#
# One row is a series, an origin and a horizon: its inputs as they were known at the origin, its target the
# units that came. The scale of the inputs is learned on weeks that train the candidates, for the same reason
# as above.

# %%
encoder = learn_encoder(data, origins_up_to(chosen_from)[::-4][::-1], config)  # every fourth origin is enough


def rows_up_to(column: int) -> Rows:
    """The training rows whose target is known at this column."""
    return build_rows(data, encoder, origins_up_to(column), min_weeks=training.min_weeks).known(column)


def split(rows: Rows, series: pd.DataFrame) -> list[Rows]:
    """The rows of each segment, in the order of SEGMENTS."""
    parts = []
    for segment in SEGMENTS:
        own = ((series["format"] == segment.format) & (series["speed"] == segment.speed)).to_numpy()
        parts.append(rows.take(np.flatnonzero(own[rows.series])))
    return parts


def for_network(rows: Rows, column: int) -> NetworkRows:
    """The same rows as the network wants them; recent weeks weigh more, the mean weight is 1."""
    weight = row_weights(rows, column, config)
    return NetworkRows(rows.values, rows.codes, rows.units, rows.level, rows.offset, weight / weight.mean())


rows = rows_up_to(judged_from)
print(f"{len(rows):,} rows with {len(encoder.names)} inputs each; the first ten inputs are")
print("  " + ", ".join(encoder.names[:10]))

# %% [markdown]
# ## Choose
#
# `choose` trains candidates on the weeks before `chosen_from` and lets each segment's next eight weeks choose
# among them. The MAPE it prints is the mean error in percent of those weeks. It flatters: the choice was made
# by them.

# %%
choices = choose(Job(data, encoder, config), judged_from)
for segment, choice in choices.items():
    print(f"{segment.name:15} MAPE {choice.mape:5.1f} %, network's share of the mixture {choice.weight:.2f}")

# %% [markdown]
# ## Train
#
# Now the loop over the segments. The LASSO of each is as strict as chosen and borrows a little from the other
# segments' rows. The network learns from all segments together, since one alone has too few rows for it, and
# is then tuned on the segment's own. Both are mixed as chosen.
#
# The **two baselines**, one per store format, are the plainest forecast there is: the mean of what each
# series sold so far. A model that does not beat them is not worth its trouble.


# %%
def train_up_to(column: int) -> dict[str, object]:
    """Everything a forecast needs, trained on every target up to this column."""
    rows, series = rows_up_to(column), segments_at(column)
    parts = split(rows, series)
    design = region_design(encoder.names, parts, encoder.vocabulary.sizes)
    strictness = pick_chosen([choices[segment].alphas for segment in SEGMENTS])
    linear = fit_region(design, parts, column, strictness, config)
    network: Network = train_network(for_network(rows, column), encoder.vocabulary.sizes, config)
    ensembles: dict[Segment, SegmentModel] = {}
    for i, segment in enumerate(SEGMENTS):
        tuned = tune_network(network, for_network(parts[i], column), config)
        ensembles[segment] = segment_model(linear[i].member, tuned, choices[segment])
        print(f"  {segment.name:15} {len(parts[i]):6,} rows")
    baselines = {
        store: own.set_index(["store_id", "product_id"])["units"] for store, own in series.groupby("format")
    }
    return {"encoder": encoder, "ensembles": ensembles, "baselines": baselines, "series": series}


print("for the report:")
judged = train_up_to(judged_from)
print("for the forecast:")
final = train_up_to(last)

# %% [markdown]
# ## Keep them
#
# As everyone does: pickled, under a name that says little, over whatever lay there before.

# %%
(STORE / "judged.pickle").write_bytes(pickle.dumps(judged))
(STORE / "ensembles.pickle").write_bytes(pickle.dumps(final))
print("judged.pickle, ensembles.pickle")

# %% [markdown]
# ## What a colleague would have to ask you
#
# - Which data is this pickle of? It does not say, and `weekly.parquet` has been written again since.
# - Which version of `demand` do I need to open it? A pickle holds names of code, not the code.
# - What was in `settings.toml` when you trained? And which seed, which machine, how many threads?
# - You ran the cells in order, did you? A cell that is run twice, or one that is changed afterwards, leaves
#   no trace.
# - How many settings did you try on the judging weeks before this one?
# - Where is the model of last month, the one that worked?
