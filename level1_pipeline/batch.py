"""Batch scoring, region by region: the bundle in use and a folder of data become forecasts."""

import platform
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from functools import lru_cache
from pathlib import Path

import pandas as pd

from demand.bundle import MANIFEST, to_parquet
from demand.conditioning import UNIT_JUMP, unit_means
from demand.errors import DataError
from demand.scoring import Bundle, read_bundle, score_all
from level1_pipeline import store
from level1_pipeline.connection import DependencyError
from level1_pipeline.deliveries import Delivery, open_delivery
from level1_pipeline.executor import Executor, each, executing
from level1_pipeline.monitoring.issued import append_scored
from level1_pipeline.pieces import pieces_beside
from level1_pipeline.progress import Watch
from level1_pipeline.regions import condition_region, expect_some, panel_of, unit_jumps


@dataclass(frozen=True)
class Batch:
    """What is to be scored, and where the work is done.

    as_of: the last week that counts as known, the data's own where it is None. monitored: keep the forecasts
    in the store, for the day on which the actuals come.
    """

    data: Path
    store: Path
    out: Path
    as_of: date | None = None
    unit_jump: float = UNIT_JUMP
    executor: Executor = Executor()  # noqa: RUF009 - frozen, so it can be shared
    monitored: bool = False


@dataclass(frozen=True)
class Scored:
    """What scoring left at `out`, and why regions are not in it.

    totals: region, source, rows, weeks, units; one row per region and source.
    absent: region, store_id, product_id, week, horizon, reason of what has no forecast at all.
    rows_weekly: conditioned rows of all regions that could be read.
    """

    out: Path
    totals: pd.DataFrame
    absent: pd.DataFrame
    rows_weekly: int
    delivery: Delivery
    refused: dict[str, str]

    @property
    def rows(self) -> int:
        """How many forecasts there are."""
        return int(self.totals["rows"].sum())


@dataclass(frozen=True)
class Source:
    """Where a worker finds the data and the bundle, and by which hashes it knows that they are the same."""

    data: Path
    as_of: date | None
    data_hash: str
    bundle: Path
    bundle_hash: str


@dataclass(frozen=True)
class RegionForecasts:
    """One scored region: forecasts as Parquet, their totals, what is absent, what units are checked by."""

    table: bytes
    totals: pd.DataFrame
    absent: pd.DataFrame
    means: pd.DataFrame
    rows_weekly: int


def score_batch(batch: Batch, watch: Watch) -> Scored:
    """What scoring every living series left at `out`; one region at a time is in memory, per process.

    Raises UsageError where nothing was trained, IntegrityError for a bundle that was changed, DataError where
    no region can be used, DependencyError where a cluster does not do its work.
    """
    folder = store.current_bundle(batch.store)
    bundle = read_bundle(folder)
    delivery = open_delivery(batch.data, batch.as_of)
    watch.stage("score")
    watch.expect(len(delivery.regions))
    done: dict[str, RegionForecasts] = {}
    refused: dict[str, str] = {}
    with pieces_beside(batch.out) as pieces, executing(batch.executor):
        for region, found in _every_region(batch, delivery, bundle, folder):
            if isinstance(found, str):
                refused[region] = found
            else:
                pieces.keep(region, found.table)
                done[region] = replace(found, table=b"")
            watch.step(region)
        # Only with the means of all regions at hand it shows whose units jumped: nothing is published before.
        means = {region: done[region].means for region in sorted(done)}
        refused |= unit_jumps(means, f"{delivery.name}/shipments", batch.unit_jump)
        kept = [region for region in means if region not in refused]
        expect_some(dict.fromkeys(kept), refused)
        pieces.publish(kept, batch.out)
    if batch.monitored:
        append_scored(batch.store, batch.out, bundle, (delivery.as_of, delivery.stores))
    return Scored(
        out=batch.out,
        totals=pd.concat([done[region].totals for region in kept], ignore_index=True),
        absent=pd.concat([done[region].absent for region in kept], ignore_index=True),
        rows_weekly=sum(part.rows_weekly for part in done.values()),
        delivery=delivery,
        refused={region: refused[region] for region in sorted(refused)},
    )


def _every_region(
    batch: Batch, delivery: Delivery, bundle: Bundle, folder: Path
) -> Iterator[tuple[str, RegionForecasts | str]]:
    """Each region's name and its forecasts, or why it is refused; in any order."""
    if batch.executor.is_this_process:
        return (_score_region(delivery, bundle, region) for region in delivery.regions)
    source = Source(
        batch.data.resolve(),
        batch.as_of,
        delivery.data_hash,
        folder.resolve(),
        store.sha256_of(folder / MANIFEST),
    )
    return each(batch.executor, _score_elsewhere, [(source, region) for region in delivery.regions])


def _score_region(delivery: Delivery, bundle: Bundle, region: str) -> tuple[str, RegionForecasts | str]:
    try:
        conditioned, _ = condition_region(delivery, region)
    except DataError as error:
        return region, str(error)
    means, panel = unit_means(conditioned.weekly), panel_of(conditioned, delivery)
    rows_weekly = len(conditioned.weekly)
    del conditioned  # as large as all that scoring needs
    scored = score_all(bundle, [panel], delivery.as_of)
    totals = _totals(scored.forecasts)
    return region, RegionForecasts(to_parquet(scored.forecasts), totals, scored.absent, means, rows_weekly)


def _totals(forecasts: pd.DataFrame) -> pd.DataFrame:
    return forecasts.groupby(["region", "source"], as_index=False).agg(
        rows=("week", "size"), weeks=("week", "nunique"), units=("units", "sum")
    )


def _score_elsewhere(source: Source, region: str) -> tuple[str, RegionForecasts | str]:
    """The same in another process, which opens data and bundle itself: only names and results travel."""
    return _score_region(*_open(source), region)


@lru_cache(maxsize=1)
def _open(source: Source) -> tuple[Delivery, Bundle]:
    """The data and the bundle, opened once per process; raises DependencyError where they are others."""
    for path in (source.data, source.bundle):
        if not path.is_dir():
            raise DependencyError(
                f"{platform.node()}: expected to see {path}, as the process that started the run does; got "
                f"no such folder. Put data and store where every worker mounts them at the same path."
            )
    delivery, bundle = open_delivery(source.data, source.as_of), read_bundle(source.bundle)
    got = (delivery.data_hash, store.sha256_of(source.bundle / MANIFEST))
    if got != (source.data_hash, source.bundle_hash):
        raise DependencyError(
            f"{platform.node()}: expected data {source.data_hash[:12]} at {source.data} and bundle "
            f"{source.bundle_hash[:12]} at {source.bundle}; got {got[0][:12]} and {got[1][:12]}. They "
            f"changed meanwhile, or the path leads elsewhere here: mend that and run the same command again."
        )
    return delivery, bundle
