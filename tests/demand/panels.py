"""Small panels by hand: units as lists, every input given or left unknown."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from demand.features import Panel
from demand.features.block import Block
from demand.features.panel import INPUTS, OUTLOOK_WEEKS, SHOPPERS

NAN = float("nan")
SHARED = {"region": "R", "product_id": "P", "format": "large", "category": "bread"}
ZERO_INPUTS = [name for name in INPUTS if name not in ("price", "temperature", "precipitation")]


def hand_panel(
    units: Sequence[Sequence[float]],
    *,
    series: dict[str, Sequence[str]] | None = None,
    inputs: dict[str, Any] | None = None,
    shoppers: dict[str, Sequence[float]] | None = None,
    events: tuple[tuple[str, ...], Any] = ((), 0),
) -> Panel:
    """A panel that begins on 6 January 2020 with one store S0, S1, ... per row of `units`.

    series: columns that differ from one product of one region. inputs: by series and week, or for all series.
    Without them shares are 0 and the rest unknown. events: names, and their codes from 1 by series and week.
    """
    values = np.array(units, dtype=np.float32)
    shape = (values.shape[0], values.shape[1] + OUTLOOK_WEEKS)
    keys = {"store_id": [f"S{i}" for i in range(len(values))], **SHARED, **(series or {})}
    names, codes = events
    return Panel(
        series=pd.DataFrame(keys, index=range(len(values))),
        weeks=pd.date_range("2020-01-06", periods=shape[1], freq="7D"),
        units=values,
        inputs={name: _input(name, inputs or {}, shape) for name in INPUTS},
        shoppers={
            name: np.array((shoppers or {}).get(name, [NAN] * len(values)), dtype=np.float32)
            for name in SHOPPERS
        },
        event=np.broadcast_to(np.asarray(codes, dtype=np.intp), shape).copy(),
        event_names=("", *names),
    )


def block_of(panel: Panel, *at: int) -> Block:
    """All series of a panel at the origins `at`."""
    return Block(panel, slice(0, len(panel.series)), np.array(at, dtype=np.intp))


def _input(name: str, given: dict[str, Any], shape: tuple[int, int]) -> np.ndarray:
    unknown = 0.0 if name in ZERO_INPUTS else NAN
    return np.broadcast_to(np.asarray(given.get(name, unknown), dtype=np.float32), shape).copy()
