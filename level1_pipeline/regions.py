"""Conditions a delivery region by region: one that is refused is named, and the others go on without it."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import pandas as pd

from demand.conditioning import check_units, condition, partition_hashes, unit_means
from demand.errors import DataError, UnitJumpError
from demand.features import Panel, begin_at, build_panel
from demand.segments import Segment, every_segment
from level1_pipeline.deliveries import Delivery


@dataclass(frozen=True)
class Part:
    """One conditioned region.

    partitions: content hash of `weekly` by "region/year". means: what the check of units compares.
    """

    panel: Panel
    partitions: dict[str, str]
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


def condition_regions(delivery: Delivery, on_region: Callable[[str], None]) -> Regions:
    """The regions of a delivery, those refused as well; `on_region` is told each one that is done.

    Raises DataError where no region is left.
    """
    parts, refused = {}, {}
    for region in delivery.regions:
        try:
            parts[region] = _condition(delivery, region)
        except DataError as error:
            refused[region] = str(error)
        on_region(region)
    return _unless_empty(Regions(parts, refused))


def validate(regions: Regions, origin: str, unit_jump: float) -> Regions:
    """The regions whose units moved with the others'; a jump shows only beside the other regions.

    Raises DataError where no region is left.
    """
    kept = regions
    while kept.parts:
        try:
            check_units(pd.concat([part.means for part in kept.parts.values()]), origin, unit_jump)
            break
        except UnitJumpError as error:
            rest = {name: part for name, part in kept.parts.items() if name != error.region}
            kept = Regions(rest, kept.refused | {error.region: str(error)})
    return _unless_empty(kept)


def refused_segments(delivery: Delivery, regions: Regions) -> list[Segment]:
    """The segments that a delivery's refused regions have stores for."""
    return every_segment(delivery.stores[delivery.stores["region"].isin(regions.refused)])


def _condition(delivery: Delivery, region: str) -> Part:
    raw = delivery.read(region)
    if raw.shipments.empty:
        raise DataError(
            f"{delivery.name}/shipments, region {region}: expected at least one row up to {raw.as_of}; got "
            f"none. Deliver the region's shipments, or take its stores out."
        )
    conditioned = condition(raw, unit_jump=math.inf)  # validate() looks at all regions together
    weekly = conditioned.weekly
    span = (weekly["week"].min(), pd.Timestamp(raw.as_of))
    panel = build_panel(weekly, conditioned.outlook, span)
    return Part(panel, partition_hashes(weekly), unit_means(weekly), len(raw.shipments), len(weekly))


def _unless_empty(regions: Regions) -> Regions:
    if regions.parts:
        return regions
    reasons = list(dict.fromkeys(regions.refused.values()))
    if len(reasons) == 1:
        raise DataError(reasons[0])
    shown = "\n".join(f"- {name}: {reason}" for name, reason in regions.refused.items())
    raise DataError(f"expected at least one region that can be used; every one was refused:\n{shown}")
