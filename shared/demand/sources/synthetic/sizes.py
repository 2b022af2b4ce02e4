"""The three sizes of synthetic data, their calendars, and the seeded streams of random numbers."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from demand.errors import UsageError

Weeks = npt.NDArray[np.datetime64]
Array = npt.NDArray[Any]
Floats = npt.NDArray[Any]  # float64; numpy types the results of most arithmetic as Any

AHEAD = 8  # weeks of plan, weather forecast and oracle past the last known week


@dataclass(frozen=True)
class Size:
    """How much to generate; `weeks` counts the known weeks, the last of which is the as-of date."""

    name: str
    code: int  # part of every seed, so that sizes share no random numbers
    regions: int
    stores: int  # over all regions
    products: int
    first_week: date  # a Monday
    weeks: int

    @property
    def as_of(self) -> date:
        """Monday of the last known week."""
        last: date = pd.Timestamp(self.calendar[self.weeks - 1]).date()
        return last

    @property
    def calendar(self) -> Weeks:
        """Mondays of the known weeks and the AHEAD weeks after them; shape (weeks + AHEAD,)."""
        first = np.datetime64(self.first_week, "D")
        return (first + 7 * np.arange(self.weeks + AHEAD)).astype("datetime64[us]")

    @property
    def region_names(self) -> list[str]:
        """R01, R02, ... in order."""
        return [f"R{number:02d}" for number in range(1, self.regions + 1)]

    def stores_in(self, region: str) -> int:
        """Number of stores of a region: the total shared out evenly, the first regions taking the rest.

        Raises UsageError for a region that the size does not have.
        """
        if region not in self.region_names:
            raise UsageError(f"size {self.name!r} has the regions {self.region_names}, got {region!r}")
        share, rest = divmod(self.stores, self.regions)
        return share + (self.region_names.index(region) < rest)


SIZES = {
    size.name: size
    for size in (
        Size("tiny", 1, regions=2, stores=8, products=8, first_week=date(2023, 8, 7), weeks=150),
        Size("demo", 2, regions=14, stores=140, products=12, first_week=date(2017, 1, 2), weeks=232),
        Size("full", 3, regions=14, stores=3000, products=15, first_week=date(2017, 1, 2), weeks=232),
    )
}


def size_named(name: str) -> Size:
    """The size of that name; raises UsageError for a name that is none."""
    if name not in SIZES:
        raise UsageError(f"size must be one of {sorted(SIZES)}, got {name!r}")
    return SIZES[name]


def stream(size: Size, seed: int, *keys: int) -> np.random.Generator:
    """Random numbers of their own for every (size, seed, keys): no draw moves any other stream."""
    entropy: Sequence[int] = (seed, size.code, *keys)
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(entropy)))


def autoregressive(noise: Floats, persistence: float) -> Floats:
    """AR(1) paths along the last axis driven by `noise`; same shape."""
    path = np.empty_like(noise)
    state = np.zeros(noise.shape[:-1])
    for step in range(noise.shape[-1]):
        state = persistence * state + noise[..., step]
        path[..., step] = state
    return path
