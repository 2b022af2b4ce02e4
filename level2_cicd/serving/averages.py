"""The historical averages and the products' speeds of a release, looked up by name."""

import math
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

SLOW = "slow"  # a product without a speed
WIDEST = 3.0  # log ratio to either side of an average, of whose errors nothing is known


@dataclass(frozen=True)
class Averages:
    """Mean units a week of each series, and of each region and format; the speed of each product."""

    series: dict[tuple[str, str, str, str], float]
    groups: dict[tuple[str, str], float]
    speeds: dict[tuple[str, str, str], str]

    def speed(self, region: str, kind: str, product: str) -> str:
        """Fast or slow, by region, store format and product."""
        return self.speeds.get((region, kind, product), SLOW)

    def of(self, names: tuple[str, str, str, str, str]) -> tuple[float, float, float] | None:
        """Units, lower and upper of a series; None where neither it nor its region and format is known."""
        region, store, product, _, kind = names
        units = self.series.get((region, kind, store, product), math.nan)
        if math.isnan(units):
            units = self.groups.get((region, kind), math.nan)
        return None if math.isnan(units) else widest(units)


def learn_averages(
    keys: Iterable[tuple[str, str, str, str]],
    units: Iterable[float],
    speeds: Iterable[tuple[str, str, str, str]],
) -> Averages:
    """The averages of rows of region, format, store, product, and their units a week, NaN where not known.

    speeds: region, format, product and speed.
    """
    series = dict(zip(keys, units, strict=True))
    parts: defaultdict[tuple[str, str], list[float]] = defaultdict(list)
    for (region, kind, _, _), mean in series.items():
        if not math.isnan(mean):
            parts[region, kind].append(mean)
    groups = {key: math.fsum(each) / len(each) for key, each in parts.items()}
    return Averages(
        series, groups, {(region, kind, product): speed for region, kind, product, speed in speeds}
    )


def widest(units: float) -> tuple[float, float, float]:
    """An average with the widest interval: 3 to either side in log ratio, with the offset max(1, S/10)."""
    level = np.float32(units)
    offset = max(np.float32(1), np.float32(0.1) * level)
    ends = (max(float(np.exp(np.float32(z)) * (level + offset) - offset), 0.0) for z in (-WIDEST, WIDEST))
    lower, upper = ends
    return units, lower, upper
