"""The data of a replay as they would have stood in each week: conditioned once, then cut."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import cached_property
from pathlib import Path

import pandas as pd

from demand.bundle import Bundle
from demand.conditioning import OUTLOOK_WEEKS, Conditioned, unit_means
from demand.contracts import columns
from demand.drift import DriftLimits, drift_table
from demand.errors import DataError
from demand.features import Panel
from demand.segments import assign_segments
from demand.sources import RawTables, read_raw, write_raw
from demand.sources.manifest import MANIFEST
from level1_pipeline.deliveries import Delivery, open_delivery, read_public_set, recognise
from level1_pipeline.monitoring import actuals as arriving
from level1_pipeline.monitoring.run import Seen
from level1_pipeline.regions import condition_region, panel_of, unit_jumps
from level1_pipeline.replay.change import Change, changed

SERIES = ["region", "store_id", "product_id"]


@dataclass(frozen=True)
class Region:
    """A region conditioned with every week known.

    ahead: rows of `weekly` and `outlook` as plans have them, with `begin`, the first week of their series.
    """

    weekly: pd.DataFrame
    ahead: pd.DataFrame
    absent: tuple[str, ...]

    @classmethod
    def of(cls, conditioned: Conditioned) -> "Region":
        """The region of its conditioned tables."""
        plans = [conditioned.weekly[columns("outlook")], conditioned.outlook]
        ahead = pd.concat(plans).sort_values([*SERIES, "week"], ignore_index=True)
        begin = ahead.groupby(SERIES, observed=True)["week"].transform("min")
        return cls(conditioned.weekly, ahead.assign(begin=begin), conditioned.absent_regions)

    def until(self, as_of: date) -> Conditioned:
        """What conditioning leaves when `as_of` is the last known week; a test holds the two together."""
        last, ahead = pd.Timestamp(as_of), self.ahead
        weekly = self.weekly[self.weekly["week"] <= last].reset_index(drop=True)
        near = (ahead["week"] > last) & (ahead["week"] <= last + pd.Timedelta(weeks=OUTLOOK_WEEKS))
        outlook = ahead.loc[near & (ahead["begin"] <= last), columns("outlook")].reset_index(drop=True)
        return Conditioned(weekly, outlook, self.absent)


@dataclass(frozen=True)
class World:
    """The data of a replay. raw: the change is in them. folder: where they lie, and what is cut from them."""

    raw: RawTables
    folder: Path
    unit_jump: float

    @cached_property
    def delivery(self) -> Delivery:
        """All weeks, opened."""
        return open_delivery(self.folder / "data")

    @cached_property
    def regions(self) -> Mapping[str, Region]:
        """The conditioned regions; raises DataError for one that cannot be used."""
        return {name: Region.of(condition_region(self.delivery, name)[0]) for name in self.delivery.regions}

    def at(self, as_of: date) -> "Moment":
        """The data as they stood when `as_of` was the last known week."""
        cuts = {name: region.until(as_of) for name, region in self.regions.items()}
        delivery = replace(self.delivery, as_of=as_of)
        means = {name: unit_means(cut.weekly) for name, cut in cuts.items()}
        refused = unit_jumps(means, f"{delivery.name}/shipments", self.unit_jump)
        return Moment(delivery, cuts, refused)

    def known(self, as_of: date) -> Path:
        """A raw folder with the weeks up to `as_of`, written if it is not there: what a training reads."""
        folder = self.folder / "known" / str(as_of)
        if not (folder / MANIFEST).is_file():
            write_raw(self.raw.until(as_of), folder, stores_format="csv")
        return folder

    @property
    def actuals(self) -> pd.DataFrame:
        """Region, store_id, product_id, week, units of every known week."""
        rows = pd.concat([each.weekly[[*SERIES, "week", "units"]] for each in self.regions.values()])
        return rows[rows["units"].notna()]

    def check(self, as_of: date) -> None:
        """Raises DataError where cutting does not give what conditioning as of that week does."""
        delivery = open_delivery(self.folder / "data", as_of)
        for name, region in self.regions.items():
            real, _ = condition_region(delivery, name)
            cut = region.until(as_of)
            if not (cut.weekly.equals(real.weekly) and cut.outlook.equals(real.outlook)):
                raise DataError(
                    f"{delivery.name}, region {name}: expected the weeks up to {as_of} to stand as they did "
                    f"then; got others, since a later delivery decides over them (shipments after a store "
                    f"closed, or weather with gaps). Mend that, or replay other data."
                )


@dataclass(frozen=True)
class Moment:
    """The data as of one week. refused: regions whose units jumped, and why."""

    delivery: Delivery
    cuts: Mapping[str, Conditioned]
    refused: Mapping[str, str]

    @cached_property
    def panels(self) -> dict[str, Panel]:
        """The panels of the regions that are not refused, each from its own first week."""
        kept = {name: cut for name, cut in self.cuts.items() if name not in self.refused}
        return {name: panel_of(cut, self.delivery) for name, cut in kept.items()}

    def seen(self, bundle: Bundle) -> Seen:
        """What monitoring sees in the delivery; a test holds it against `monitoring.run.look`."""
        now = pd.Timestamp(self.delivery.as_of)
        rows = [arriving.observed(self.cuts[name].weekly, now) for name in self.panels]
        missing = [each[each["units"].isna()].groupby(["region", "week"]).size() for each in rows]
        frames = [each.rename("missing").reset_index() for each in missing]
        drift = [_drift(panel, bundle) for panel in self.panels.values()]
        return Seen(_stacked(rows), _stacked(frames), _stacked(drift), self.refused)


def _stacked(frames: list[pd.DataFrame]) -> pd.DataFrame:
    return pd.concat(frames, ignore_index=True)


def _drift(panel: Panel, bundle: Bundle) -> pd.DataFrame:
    at = panel.n_known - 1
    trained = pd.Timestamp(bundle.meta.as_of or panel.weeks[at])
    until = min(at, max(-1, (trained - panel.weeks[0]).days // 7))
    return drift_table(panel, assign_segments(panel.series, bundle.speeds), at, until, DriftLimits())


def make_world(data: Path, folder: Path, change: Change, unit_jump: float) -> World:
    """The world of a replay, its changed data written to `folder` if they are not there yet."""
    raw = changed(read_raw(data) if recognise(data) is None else read_public_set(data, None), change)
    if not (folder / "data" / MANIFEST).is_file():
        write_raw(raw, folder / "data", stores_format="csv")
    return World(raw, folder, unit_jump)


def mondays(last: date, weeks: int) -> list[date]:
    """`weeks` + 1 Mondays up to `last`: the week before the replay, then those that are replayed."""
    return [last - timedelta(weeks=back) for back in range(weeks, -1, -1)]
