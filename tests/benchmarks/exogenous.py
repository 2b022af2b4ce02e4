"""The peers' long table: one row per series and week with what a practitioner would hand to a library."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scenarios import stacked
from task import Task

from demand.features.windows import Windows

Floats = NDArray[np.float32]
STATIC = ["region", "store_id", "product_id", "category", "format"]


@dataclass(frozen=True)
class Long:
    """Weeks of life of every series begun by the origin, and the plan of the living ones after it.

    past: unique_id (index of the series), ds, y (unknown weeks carried forward), known (0 or 1), usual (mean
    of the 26 weeks before), the exogenous columns, the static ones. future: unique_id, ds, exogenous columns.
    """

    past: pd.DataFrame
    future: pd.DataFrame
    exogenous: list[str]
    static: list[str]


def build_long(task: Task) -> Long:
    """The table of a task; exogenous inputs that the data set lacks or that never vary are left out."""
    units = stacked(task.data)
    inputs = _inputs(task, task.origin + 1 + task.scenario.horizon)
    begun = np.cumsum(~np.isnan(units), axis=1) > 0
    life = ~np.isnan(_stack(task, "event_holiday"))
    known = task.origin + 1
    series, week = np.nonzero(begun & life[:, :known])
    past = _rows(task, series, week, inputs)
    carried = pd.DataFrame(units).ffill(axis=1).to_numpy()
    past["y"] = carried[series, week].astype(np.float64)
    past["known"] = (~np.isnan(units[series, week])).astype(np.float64)
    usual = Windows(units).mean(np.arange(-1, known - 1), 26)
    past["usual"] = np.fmax(usual[series, week], 0)
    living = np.flatnonzero(begun[:, -1] & life[:, task.origin])
    ahead = np.arange(known, known + task.scenario.horizon)
    future = _rows(task, np.repeat(living, len(ahead)), np.tile(ahead, len(living)), inputs)
    static = [name for name in STATIC if task.data.series[name].nunique() > 1]
    for name in static:
        values = task.data.series[name]
        past[name] = pd.Categorical(values, sorted(values.unique()))[series]
    return Long(past, future, list(inputs), static)


def _rows(
    task: Task, series: NDArray[np.intp], week: NDArray[np.intp], inputs: dict[str, Floats]
) -> pd.DataFrame:
    frame = pd.DataFrame({"unique_id": series, "ds": task.data.panels[0].weeks[week]})
    return frame.assign(**{name: values[series, week] for name, values in inputs.items()})


def _inputs(task: Task, end: int) -> dict[str, Floats]:
    """What is known ahead: prices against other weeks and other products, promotions, weather, events."""
    found: dict[str, Floats] = {}
    price = _stack(task, "price")
    if _varies(price):
        found |= _prices(np.log(price), task)
    for name in ("feature", "deal"):
        values = _stack(task, name)
        if _varies(values):
            found |= {name: values, f"{name}_before": _moved(values, 1), f"{name}_after": _moved(values, -1)}
    for name in (
        "temperature",
        "precipitation",
        "event_holiday",
        "event_promotion",
        "event_sport",
        "event_school",
    ):
        values = _stack(task, name)
        if _varies(values):
            found[name] = values
    names = sorted({name for panel in task.data.panels for name in panel.event_names})
    places = [np.array([names.index(name) for name in panel.event_names]) for panel in task.data.panels]
    event = np.concatenate(
        [place[panel.event] for place, panel in zip(places, task.data.panels, strict=True)]
    )
    if len(names) > 1:
        found |= {f"event{lead:+d}": _moved(event.astype(np.float32), -lead) for lead in (-1, 0, 1)}
    return {name: values[:, :end] for name, values in found.items()}


def _prices(price: Floats, task: Task) -> dict[str, Floats]:
    """Log prices against the series' own weeks before, and against the other products of the store."""
    rolling, at = Windows(price), np.arange(price.shape[1]) - 1
    stores = task.data.series["store_id"]
    shelf = pd.DataFrame(price).groupby(stores.to_numpy())
    return {
        "price": price,
        "price_step_8": price - rolling.mean(at, 8),
        "price_step_26": price - rolling.mean(at, 26),
        "price_before": _moved(price, 1),
        "price_on_shelf": price - shelf.transform("mean").to_numpy(dtype=np.float32),
        "price_above_lowest": price - shelf.transform("min").to_numpy(dtype=np.float32),
    }


def _stack(task: Task, name: str) -> Floats:
    return np.concatenate([panel.inputs[name] for panel in task.data.panels])


def _moved(values: Floats, weeks: int) -> Floats:
    """Values of `weeks` columns earlier; NaN where there is none."""
    out = np.full(values.shape, np.nan, np.float32)
    if weeks > 0:
        out[:, weeks:] = values[:, :-weeks]
    elif weeks < 0:
        out[:, :weeks] = values[:, -weeks:]
    else:
        out[:] = values
    return out


def _varies(values: Floats) -> bool:
    known = values[~np.isnan(values)]
    return bool(known.size) and bool(known.min() < known.max())
