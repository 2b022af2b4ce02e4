"""Which model a segment is served by: its new one, else the one before, else the historical average."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from demand.bundle import Bundle, Manifest, read_manifest
from demand.errors import IntegrityError
from demand.export import Carried
from demand.features import Panel
from demand.gate import Verdict
from demand.scoring import hindcast, read_bundle
from demand.segments import Segment
from level1_pipeline import store
from level1_pipeline.errors import GateRefused
from level1_pipeline.work import Work

KEYS = ["region", "store_id", "product_id", "origin", "week"]
NONE = "none"


@dataclass(frozen=True)
class Failover:
    """What serves a segment instead of its new model: `previous` or `baseline`, and why."""

    source: str
    reason: str


@dataclass(frozen=True)
class Plan:
    """What goes into a bundle: segments whose new model is used, carried over, or left to the average."""

    passed: tuple[Segment, ...]
    carried: Mapping[Segment, Carried]
    failed: Mapping[Segment, str]

    @property
    def failovers(self) -> dict[Segment, Failover]:
        """What serves each segment that has not its new model."""
        carried = {segment: Failover("previous", each.reason) for segment, each in self.carried.items()}
        return carried | {segment: Failover("baseline", why) for segment, why in self.failed.items()}


def find_champion(folder: Path, work: Work, say: Callable[[str], None]) -> Bundle | None:
    """The bundle that was in use when work on this version began, so that a resumed run compares alike.

    None at first, and where the bundle in use can no longer be trusted, which is said.
    """
    name = work.find("champion") or _in_use(folder, say)
    if name == work.version:  # trained afresh: compared again with what this version was compared with
        name = read_manifest(store.bundle_folder(folder, name)).meta.previous or NONE
    work.keep("champion", name)
    if name == NONE:
        return None
    try:
        return read_bundle(store.bundle_folder(folder, name))
    except IntegrityError as error:
        say(f"The model in use cannot be compared with, and nothing is carried over from it: {error}")
        return None


def _in_use(folder: Path, say: Callable[[str], None]) -> str:
    if not (folder / store.CURRENT).is_file():
        return NONE
    try:
        return store.current_bundle(folder).name
    except IntegrityError as error:
        say(f"The pointer to the model in use is no good, so there is no champion: {error}")
        return NONE


def with_champion(
    table: pd.DataFrame, champion: Bundle | None, panels: Iterable[Panel], origins: NDArray[np.intp]
) -> pd.DataFrame:
    """Backtest rows with the column `champion`: units a week by the model in use, NaN where it has none.

    The champion is asked as far as it knows no week that judges: itself if it is old enough, else its
    evaluation twins. Raises GateRefused where its twins know such a week as well.
    """
    if champion is None:
        return table
    panels = list(panels)
    first = panels[0].weeks[int(origins.min())].date()
    known = {False: champion.meta.as_of, True: champion.meta.judged_as_of}
    fair = [twins for twins, last in known.items() if last is not None and last <= first]
    if not fair:
        raise GateRefused(
            f"gate: expected weeks to judge by that the model in use, {champion.meta.model_version}, has not "
            f"seen; it was trained up to {known[False]}, its evaluation twins up to {known[True]}, and these "
            f"data judge from {first} on. Deliver newer data, or train into another store."
        )
    found = hindcast(champion, panels, origins, twins=fair[0])
    return table.merge(found, on=KEYS, how="left", validate="1:1")


def plan(
    segments: Iterable[Segment],
    faults: Mapping[Segment, str],
    verdicts: Mapping[Segment, Verdict],
    champion: Bundle | None,
) -> Plan:
    """The plan for all segments of a report.

    faults: why a segment has no new model to judge. Raises GateRefused where no new model may be used.
    """
    reasons = {
        segment: faults.get(segment) or verdicts[segment].reason
        for segment in segments
        if segment in faults or not verdicts[segment].passed
    }
    passed = tuple(segment for segment in verdicts if segment not in reasons)
    if not passed:
        shown = "\n".join(f"- {segment.name}: {reason}" for segment, reason in sorted(reasons.items()))
        raise GateRefused(
            f"gate: expected at least one of {len(reasons)} segments to pass; none did, so what was in use "
            f"stays in use:\n{shown}"
        )
    entries = champion.entries if champion else {}
    carried = {s: Carried(champion, why) for s, why in reasons.items() if champion and s in entries}
    return Plan(passed, carried, {s: why for s, why in reasons.items() if s not in carried})


def failovers_of(manifest: Manifest) -> dict[Segment, Failover]:
    """What serves each segment of a bundle that has not a model of the bundle's own run."""
    own = manifest.meta.model_version
    carried = {s: Failover("previous", e.reason) for s, e in manifest.entries.items() if e.version != own}
    return carried | {segment: Failover("baseline", why) for segment, why in manifest.failed.items()}
