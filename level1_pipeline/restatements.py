"""Was history restated since the last run: compares the hashes of the weeks that both runs know."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from demand.conditioning import restated, year_of


@dataclass(frozen=True)
class Known:
    """What a run knew of its data, as its record keeps it.

    partitions: content hashes by "region/year". regions: all that were delivered, refused ones as well.
    components: versions of the code that reads and conditions; other code may give other hashes.
    """

    run_id: str
    name: str
    as_of: date
    partitions: Mapping[str, str]
    regions: frozenset[str]
    components: Mapping[str, str]


@dataclass(frozen=True)
class Changes:
    """What became of the weeks that a run knew.

    restated: "region/year" of weeks that are not what they were. vanished, appeared: regions.
    not_compared: why nothing could be told, empty where it was. run_id, until: the run, and its last week.
    """

    run_id: str = ""
    until: date | None = None
    restated: tuple[str, ...] = ()
    vanished: tuple[str, ...] = ()
    appeared: tuple[str, ...] = ()
    not_compared: str = ""

    def sentences(self) -> list[str]:
        """What there is to report; nothing where history stayed as it was."""
        since = f"since run {self.run_id}, which knew the weeks up to {self.until}"
        found = [
            (self.restated, f"History was restated {since}: {', '.join(self.restated)}."),
            (self.vanished, f"Regions that are gone {since}: {', '.join(self.vanished)}."),
            (self.appeared, f"Regions that are new {since}: {', '.join(self.appeared)}."),
            (self.not_compared, f"History was not compared: {self.not_compared}."),
        ]
        return [sentence for there, sentence in found if there]


@dataclass(frozen=True)
class Delivered:
    """What this run's delivery holds.

    then: hashes of the weeks up to the last one that the earlier run knew (conditioning.hashes_until).
    regions: all that were delivered. refused: those that could not be conditioned.
    """

    name: str
    as_of: date
    then: Mapping[str, str]
    regions: frozenset[str]
    refused: frozenset[str]
    components: Mapping[str, str] = field(default_factory=dict)


def known_of(record: Mapping[str, Any] | None) -> Known | None:
    """What the run of a record knew of its data; None where it does not say, or there is no record."""
    data = (record or {}).get("data")
    if record is None or not data or "partitions" not in data:
        return None
    regions = {_region(name) for name in data["partitions"]} | set(record.get("refused_regions") or ())
    components = record.get("versions", {}).get("components", {})
    return Known(
        run_id=str(record["run_id"]),
        name=str(data["name"]),
        as_of=date.fromisoformat(data["as_of"]),
        partitions=dict(data["partitions"]),
        regions=frozenset(regions),
        components=reading(components),
    )


def reading(components: Mapping[str, str]) -> dict[str, str]:
    """Versions of the components that content hashes depend on."""
    return {name: components[name] for name in ("ingest", "condition") if name in components}


def changes(known: Known | None, now: Delivered) -> Changes:
    """What was restated since the run that `known` is of; nothing where there was none.

    A new week is no restatement. Regions that one of both runs had to refuse are not compared.
    """
    if known is None:
        return Changes()
    reason = _incomparable(known, now)
    if reason:
        return Changes(known.run_id, known.as_of, not_compared=reason)
    both = {_region(name) for name in known.partitions} & (now.regions - now.refused)
    # A year that the delivery holds in part only cannot be held against the whole of it.
    last = known.as_of.year if now.as_of >= known.as_of else now.as_of.year - 1
    before, then = (_of(hashes, both, last) for hashes in (known.partitions, now.then))
    return Changes(
        known.run_id,
        known.as_of,
        restated=tuple(restated(before, then)),
        vanished=tuple(sorted(known.regions - now.regions)),
        appeared=tuple(sorted(now.regions - known.regions)),
    )


def _incomparable(known: Known, now: Delivered) -> str:
    if known.name != now.name:
        return f"run {known.run_id} had the data set {known.name}, this one is {now.name}"
    if known.components != reading(now.components):
        return f"the code that reads or conditions is not that of run {known.run_id}"
    return ""


def _of(hashes: Mapping[str, str], regions: Iterable[str], last_year: int) -> dict[str, str]:
    wanted = set(regions)
    return {n: sha for n, sha in hashes.items() if _region(n) in wanted and year_of(n) <= last_year}


def _region(partition: str) -> str:
    return partition.rpartition("/")[0]
