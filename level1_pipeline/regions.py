"""Conditions a delivery region by region: one that is refused is named, and the others go on without it."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date

import pandas as pd

from demand.conditioning import (
    Conditioned,
    check_units,
    condition,
    hashes_until,
    partition_hashes,
    unit_means,
)
from demand.errors import DataError, UnitJumpError
from demand.features import Panel, begin_at, build_panel
from demand.segments import Segment, every_segment
from level1_pipeline.deliveries import Delivery


@dataclass(frozen=True)
class Part:
    """One conditioned region.

    partitions: content hash of `weekly` by "region/year"; then: the same of the weeks up to a date. means:
    what the check of units compares.
    """

    panel: Panel
    partitions: dict[str, str]
    then: dict[str, str]
    means: pd.DataFrame
    rows_raw: int
    rows_weekly: int


@dataclass(frozen=True)
class Regions:
    """The conditioned regions by name, and why each of the others was refused."""

    parts: dict[str, Part]
    refused: dict[str, str]

    @property
    def partitions(self) -> dict[str, str]:
        """Content hashes of all regions, by "region/year"."""
        return {name: sha for part in self.parts.values() for name, sha in part.partitions.items()}

    @property
    def then(self) -> dict[str, str]:
        """Content hashes of the weeks up to the date that was asked for."""
        return {name: sha for part in self.parts.values() for name, sha in part.then.items()}

    @property
    def rows_raw(self) -> int:
        """Shipments rows of all regions."""
        return sum(part.rows_raw for part in self.parts.values())

    @property
    def rows_weekly(self) -> int:
        """Rows of `weekly` of all regions."""
        return sum(part.rows_weekly for part in self.parts.values())

    def panels(self) -> list[Panel]:
        """The panels, all beginning in the same week."""
        begin = min(part.panel.weeks[0] for part in self.parts.values())
        return [begin_at(part.panel, begin) for part in self.parts.values()]


def condition_regions(
    delivery: Delivery, on_region: Callable[[str], None], until: date | None = None
) -> Regions:
    """The regions of a delivery, those refused as well; `on_region` is told each one that is done.

    until: the last week that an earlier run knew, up to which contents are hashed as well.
    Raises DataError where no region is left.
    """
    parts, refused = {}, {}
    for region in delivery.regions:
        try:
            parts[region] = _part(delivery, region, until)
        except DataError as error:
            refused[region] = str(error)
        on_region(region)
    expect_some(parts, refused)
    return Regions(parts, refused)


def condition_region(delivery: Delivery, region: str) -> tuple[Conditioned, int]:
    """One region's conditioned tables, not held against other regions' yet, and its shipments rows.

    Raises DataError where it cannot be used.
    """
    raw = delivery.read(region)
    if raw.shipments.empty:
        raise DataError(
            f"{delivery.name}/shipments, region {region}: expected at least one row up to {raw.as_of}; got "
            f"none. Deliver the region's shipments, or take its stores out."
        )
    return condition(raw, unit_jump=math.inf), len(raw.shipments)


def panel_of(conditioned: Conditioned, delivery: Delivery) -> Panel:
    """The panel of a region, from its own first week to the last one that counts as known."""
    span = (conditioned.weekly["week"].min(), pd.Timestamp(delivery.as_of))
    return build_panel(conditioned.weekly, conditioned.outlook, span)


def validate(regions: Regions, origin: str, unit_jump: float) -> Regions:
    """The regions whose units moved with the others'; a jump shows only beside the other regions.

    Raises DataError where no region is left.
    """
    jumps = unit_jumps({name: part.means for name, part in regions.parts.items()}, origin, unit_jump)
    parts = {name: part for name, part in regions.parts.items() if name not in jumps}
    expect_some(parts, regions.refused | jumps)
    return Regions(parts, regions.refused | jumps)


def unit_jumps(means: Mapping[str, pd.DataFrame], origin: str, unit_jump: float) -> dict[str, str]:
    """Why regions are refused whose units do not move with the others', by name; `means` by region."""
    kept, found = dict(means), {}
    while kept:
        try:
            check_units(pd.concat(kept.values()), origin, unit_jump)
            break
        except UnitJumpError as error:
            found[error.region] = str(error)
            del kept[error.region]
    return found


def expect_some(kept: Mapping[str, object], refused: Mapping[str, str]) -> None:
    """Raises DataError, with every reason, where no region is left."""
    if kept:
        return
    reasons = list(dict.fromkeys(refused.values()))
    if len(reasons) == 1:
        raise DataError(reasons[0])
    shown = "\n".join(f"- {name}: {reason}" for name, reason in refused.items())
    raise DataError(f"expected at least one region that can be used; every one was refused:\n{shown}")


def refused_segments(delivery: Delivery, regions: Regions) -> dict[Segment, str]:
    """Why the segments that a delivery's refused regions have stores for are not trained."""
    stores = delivery.stores[delivery.stores["region"].isin(regions.refused)]
    return {
        segment: f"region {segment.region} was refused: {' '.join(regions.refused[segment.region].split())}"
        for segment in every_segment(stores)
    }


def _part(delivery: Delivery, region: str, until: date | None) -> Part:
    conditioned, rows_raw = condition_region(delivery, region)
    weekly = conditioned.weekly
    panel = panel_of(conditioned, delivery)
    hashes = partition_hashes(weekly)
    then = {} if until is None else hashes_until(weekly, hashes, until)
    return Part(panel, hashes, then, unit_means(weekly), rows_raw, len(weekly))
