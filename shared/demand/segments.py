"""Segments: region x store format x product speed. One ensemble each; one baseline per region x format."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:  # serving names segments and does without pandas
    import pandas as pd

KEYS = ["region", "format", "product_id"]
FAST, SLOW = "fast", "slow"


@dataclass(frozen=True, order=True)
class Segment:
    """What one ensemble forecasts."""

    region: str
    format: str
    speed: str

    @property
    def name(self) -> str:
        """Name for files, runs and tables, as in R01-large-fast."""
        return f"{self.region}-{self.format}-{self.speed}"


def learn_speeds(series: "pd.DataFrame", mean_units: NDArray[np.floating]) -> "pd.DataFrame":
    """One row per region, format and product with its speed; `mean_units` per series a week, (n_series,).

    A product is fast where its mean weekly units per store lie above the median of the products of the same
    region and format. Series without a known week (NaN) do not count; a product without any is slow.
    """
    table = series[KEYS].assign(units=mean_units).groupby(KEYS, as_index=False, observed=True)["units"].mean()
    middle = table.groupby(KEYS[:2], observed=True)["units"].transform("median")
    speeds: pd.DataFrame = table[KEYS].assign(speed=np.where(table["units"] > middle, FAST, SLOW))
    return speeds


def assign_segments(series: "pd.DataFrame", speeds: "pd.DataFrame") -> list[Segment]:
    """The segment of each series; a product that has no speed yet is slow."""
    speed = series[KEYS].merge(speeds, on=KEYS, how="left")["speed"].fillna(SLOW)
    return [Segment(*row) for row in zip(series["region"], series["format"], speed, strict=True)]


def every_segment(series: "pd.DataFrame") -> list[Segment]:
    """All segments of the regions and formats that occur, sorted; those without a series as well."""
    pairs = series[["region", "format"]].drop_duplicates().itertuples(index=False)
    return sorted(Segment(region, fmt, speed) for region, fmt in pairs for speed in (FAST, SLOW))
