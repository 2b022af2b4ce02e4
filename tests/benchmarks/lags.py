"""Lag and rolling features for many rows: this project's against mlforecast on polars and pandas' groupby.

Lags of 1 to 4 weeks and means of 4, 8, 13, 26 and 52. A row's window here ends with the row's own week, where
mlforecast's ends the week before; values are compared after moving one of them by a week.
"""

import json
import os
import statistics
import subprocess
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from time import process_time
from typing import Any

import numpy as np
import pandas as pd
from memory import MemoryMeter
from numpy.typing import NDArray

from demand.features.windows import lag_features

LAGS, MEANS = (1, 2, 3, 4), (4, 8, 13, 26, 52)
NAMES = [
    *(f"lag{lag}" for lag in LAGS),
    *(f"rolling_mean_lag1_window_size{weeks}_min_samples1" for weeks in MEANS),
]
SERIES, WEEKS = 43_104, 232  # 10,000,128 rows
BLOCK = 2048
RUNS = {"demand": 5, "mlforecast-polars": 5, "pandas-groupby": 3}
SAMPLE = 97  # every so many series are compared
Floats = NDArray[np.float32]


def drawn_units(n_series: int) -> Floats:
    """Whole units, shape (n_series, WEEKS); each series around a mean of its own."""
    random = np.random.default_rng(2017)
    means = np.exp(random.normal(3, 1.5, (n_series, 1))).astype(np.float32)
    return np.rint(means * random.standard_gamma(2, (n_series, WEEKS), dtype=np.float32) / 2)


def demand(units: Floats) -> tuple[Callable[[], Any], Callable[[Any], Floats]]:
    """Dense blocks of 2,048 series into one array, shape (n_features, n_series, WEEKS)."""

    def compute() -> Floats:
        out = np.empty((len(LAGS) + len(MEANS), *units.shape), np.float32)
        for start in range(0, len(units), BLOCK):
            out[:, start : start + BLOCK] = lag_features(units[start : start + BLOCK], LAGS, MEANS)
        return out

    return compute, lambda out: out


def mlforecast_polars(units: Floats) -> tuple[Callable[[], Any], Callable[[Any], Floats]]:
    """The same columns on a long polars table."""
    import polars as pl
    from mlforecast import MLForecast
    from mlforecast.lag_transforms import RollingMean

    table = pl.DataFrame(_long(units))
    means = [RollingMean(weeks, min_samples=1) for weeks in MEANS]
    forecaster = MLForecast([], freq=1, lags=list(LAGS), lag_transforms={1: means}, num_threads=1)

    def values(found: Any) -> Floats:
        out = np.stack([found[name].to_numpy().reshape(units.shape) for name in NAMES])
        ends = np.full((len(MEANS), len(units), 1), np.nan, np.float32)
        out[len(LAGS) :] = np.concatenate([out[len(LAGS) :, :, 1:], ends], axis=2)
        return out

    return lambda: forecaster.preprocess(table, static_features=[], dropna=False), values


def pandas_groupby(units: Floats) -> tuple[Callable[[], Any], Callable[[Any], Floats]]:
    """The same columns by shift and rolling on groups of a long pandas table."""
    table = pd.DataFrame(_long(units))

    def compute() -> pd.DataFrame:
        grouped = table.groupby("unique_id", sort=False)["y"]
        found = {f"lag{lag}": grouped.shift(lag) for lag in LAGS}
        for weeks, name in zip(MEANS, NAMES[len(LAGS) :], strict=True):
            found[name] = grouped.rolling(weeks, min_periods=1).mean().to_numpy()
        return table.assign(**found)

    return compute, lambda found: np.stack([found[name].to_numpy().reshape(units.shape) for name in NAMES])


CONTENDERS = {
    "demand": demand,
    "mlforecast-polars": mlforecast_polars,
    "pandas-groupby": pandas_groupby,
}


def _long(units: Floats) -> dict[str, NDArray[Any]]:
    n_series, weeks = units.shape
    ids = np.repeat(np.arange(n_series, dtype=np.int32), weeks)
    return {"unique_id": ids, "ds": np.tile(np.arange(weeks, dtype=np.int32), n_series), "y": units.ravel()}


def measure(cache: Path, environment: dict[str, str], n_series: int = SERIES) -> list[dict[str, Any]]:
    """One object per contender: method, rows, seconds (median), peak_mb above the input, same (as ours)."""
    found = []
    for name in CONTENDERS:
        order = json.dumps({"name": name, "n_series": n_series, "to": str(cache / f"lags-{name}")})
        cache.mkdir(parents=True, exist_ok=True)
        subprocess.run([sys.executable, __file__, order], check=True, env=os.environ | environment)
        found.append(json.loads((cache / f"lags-{name}.json").read_text(encoding="utf-8")))
    ours = np.load(cache / "lags-demand.npy")
    for line in found:
        theirs = np.load(cache / f"lags-{line['method']}.npy")
        # The last week's window is outside mlforecast's table.
        line["same"] = bool(np.allclose(ours[:, :, :-1], theirs[:, :, :-1], rtol=1e-4, equal_nan=True))
    return found


def run(order: dict[str, Any]) -> None:
    """What a contender's process does: memory in one run, then the median CPU seconds of its thread."""
    units = drawn_units(order["n_series"])
    for library in ("polars", "mlforecast"):
        import_module(library)
    compute, values = CONTENDERS[order["name"]](units)
    compute_few, _ = CONTENDERS[order["name"]](units[:BLOCK])
    compute_few()  # what is compiled or imported on first use is not the contest
    meter = MemoryMeter()
    result = compute()
    peak = meter.peak_mb()
    np.save(Path(order["to"]).with_suffix(".npy"), values(result)[:, ::SAMPLE])
    del result
    seconds = []
    for _ in range(RUNS[order["name"]]):
        start = process_time()
        compute()
        seconds.append(process_time() - start)
    line = {
        "method": order["name"],
        "rows": units.size,
        "seconds": statistics.median(seconds),
        "peak_mb": peak,
    }
    Path(order["to"]).with_suffix(".json").write_text(json.dumps(line), encoding="utf-8")


if __name__ == "__main__":
    run(json.loads(sys.argv[1]))
