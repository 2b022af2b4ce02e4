"""Batch scoring: the bundle in use and a folder of data become a table of the next weeks' forecasts."""

from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pandas as pd

from demand.conditioning import UNIT_JUMP
from demand.scoring import read_bundle, score
from level1_pipeline import store
from level1_pipeline.deliveries import Delivery, open_delivery
from level1_pipeline.progress import Watch
from level1_pipeline.regions import Regions, condition_regions, validate


@dataclass(frozen=True)
class Batch:
    """What is to be scored. as_of: the last week that counts as known, the data's own where it is None."""

    data: Path
    store: Path
    out: Path
    as_of: date | None = None
    unit_jump: float = UNIT_JUMP


@dataclass(frozen=True)
class Scored:
    """What scoring left: the contracted forecasts, their delivery, and the regions that are not in them."""

    forecasts: pd.DataFrame
    delivery: Delivery
    regions: Regions


def score_batch(batch: Batch, watch: Watch) -> Scored:
    """The forecasts of every living series as of a date; it leaves them at `out`, in Parquet.

    Raises UsageError where nothing was trained, IntegrityError for a bundle that was changed, DataError where
    no region can be used.
    """
    bundle = read_bundle(store.current_bundle(batch.store))
    watch.stage("condition")
    delivery = open_delivery(batch.data, batch.as_of)
    watch.expect(len(delivery.regions))
    conditioned = condition_regions(delivery, watch.step)
    regions = validate(conditioned, f"{delivery.name}/shipments", batch.unit_jump)
    watch.stage("score")
    forecasts = score(bundle, regions.panels(), delivery.as_of)
    store.write_parquet(forecasts, batch.out)
    return Scored(forecasts, delivery, regions)
