"""What is asked of a run, what it found, and both as run.json and MLflow have them."""

import hashlib
import json
import math
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from demand.conditioning import UNIT_JUMP
from demand.config import Config
from demand.segments import Segment
from level1_pipeline import store
from level1_pipeline.deliveries import Delivery
from level1_pipeline.regions import Regions
from level1_pipeline.stages import Recorder
from level1_pipeline.summaries import by_region, overall
from level1_pipeline.tracking import Input, Place, Record, Tracker
from level1_pipeline.versions import code_version, model_version, package_versions

if TYPE_CHECKING:
    from demand.training import Choice

METRICS = ("mape", "baseline_mape", "wape", "rmse", "rmse0", "bias", "coverage", "gain", "n")


@dataclass(frozen=True)
class Order:
    """What is asked of a run. unit_jump: the factor from which a region's units count as another unit."""

    data: Path
    store: Path
    config: Config
    tracking: Place | None = None
    unit_jump: float = UNIT_JUMP

    def version(self, delivery: Delivery) -> str:
        """The version of the model that follows from the data, these settings and this code."""
        return model_version(delivery.data_hash, self.config, code_version(), self.unit_jump)


@dataclass(frozen=True)
class Trained:
    """What a run found.

    table: backtest rows of the weeks that judged. report: one row per segment, refused ones as well.
    tracking_error: why the run's record is missing, None where it is there.
    """

    delivery: Delivery
    regions: Regions
    version: str
    choices: "dict[Segment, Choice]"
    table: pd.DataFrame
    report: pd.DataFrame
    tracking_error: str | None = None

    def told(self, tracking_error: str | None) -> "Trained":
        """The same, with what became of the record."""
        return replace(self, tracking_error=tracking_error)


def run_content(
    trained: Trained, order: Order, recorder: Recorder, tracker: Tracker | None
) -> dict[str, Any]:
    """run.json: one run, told completely enough to do it again and to compare."""
    delivery = trained.delivery
    run_id = tracker.run_id if tracker else None
    return {
        "format": 1,
        "run_id": run_id or recorder.started_at.strftime("%Y%m%dT%H%M%S.%fZ"),
        "model_version": trained.version,
        "code_version": code_version(),
        "packages": package_versions(),
        "config": asdict(order.config),
        "data": {
            "name": delivery.name,
            "as_of": delivery.as_of.isoformat(),
            "data_hash": delivery.data_hash,
            "files": dict(delivery.files),
            "partitions": trained.regions.partitions,
        },
        "refused_regions": trained.regions.refused,
        "stages": recorder.as_dicts(),
        "metrics": _plain(overall(trained.table)),
        "regions": store.records(by_region(trained.table)),
        "segments": store.records(trained.report),
        "tracking": {"run_id": run_id, "address": order.tracking.public_address} if order.tracking else None,
    }


def parent_record(trained: Trained, order: Order) -> Record:
    """The record of the run as a whole."""
    delivery = trained.delivery
    settings = asdict(order.config)
    params = {f"{section}.{key}": v for section, table in settings.items() for key, v in table.items()}
    source = {"name": delivery.name, "files": dict(delivery.files)}
    return Record(
        name="train",
        params={**params, "unit_jump": order.unit_jump},
        metrics=overall(trained.table),
        tags={
            "model_version": trained.version,
            "code_version": code_version(),
            "data_hash": delivery.data_hash,
            "as_of": delivery.as_of.isoformat(),
            "refused_regions": ", ".join(trained.regions.refused) or "none",
        },
        inputs=(Input(delivery.name, delivery.data_hash, source),),
    )


def child_records(trained: Trained) -> list[Record]:
    """One record per segment of the report that was trained."""
    records = []
    for row in trained.report.to_dict(orient="records"):
        segment = Segment(row["region"], row["format"], row["speed"])
        choice = trained.choices.get(segment)
        if choice is None:
            continue
        alphas = {f"alpha_{i}": index for i, index in enumerate(choice.alphas)}
        metrics = {name: float(row[name]) for name in METRICS}
        records.append(
            Record(
                name=segment.name,
                params={**alphas, "network_weight": choice.weight},
                metrics={**metrics, "validation_mape": choice.mape},
                tags={**asdict(segment), "verdict": row["verdict"], "model_version": trained.version},
                inputs=(_weekly_input(trained.regions, segment.region),),
            )
        )
    return records


def _weekly_input(regions: Regions, region: str) -> Input:
    """The conditioned table of a region, by the hashes of its years."""
    years = regions.parts[region].partitions
    sha256 = hashlib.sha256(json.dumps(years, sort_keys=True).encode()).hexdigest()
    return Input(f"weekly/{region}", sha256, {"partitions": years})


def _plain(metrics: dict[str, float]) -> dict[str, float | None]:
    return {name: value if math.isfinite(value) else None for name, value in metrics.items()}
