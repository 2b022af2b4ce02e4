"""What is asked of a run, what it found, and both as run.json and MLflow have them."""

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd

from demand.bundle import Bundle, BundleMeta, read_manifest
from demand.conditioning import UNIT_JUMP
from demand.config import Config
from demand.segments import Segment
from demand.training import Choice, Failed
from level1_pipeline import store
from level1_pipeline.deliveries import Delivery
from level1_pipeline.executor import Executor
from level1_pipeline.failover import Failover, failovers_of
from level1_pipeline.stages import Recorder
from level1_pipeline.summaries import by_region, overall
from level1_pipeline.tracking import Input, Place, Record, Tracker
from level1_pipeline.versions import PRODUCT, code_version, model_version, package_versions, source_hash
from level1_pipeline.work import Work

METRICS = ("mape", "baseline_mape", "wape", "rmse", "rmse0", "bias", "coverage", "gain", "n")


@dataclass(frozen=True)
class Order:
    """What is asked of a run.

    unit_jump: the factor from which a region's units count as another unit. model: the registered model whose
    version the bundle becomes. fresh: train again what an earlier run has done. lock: address of the database
    that holds the store's lock, None for a file in the store. point: make the new bundle the one in use;
    where it is False the bundle awaits promotion, and what is in use stays so.
    """

    data: Path
    store: Path
    config: Config
    tracking: Place | None = None
    unit_jump: float = UNIT_JUMP
    executor: Executor = Executor()  # noqa: RUF009 - frozen, so it can be shared
    model: str = PRODUCT
    fresh: bool = False
    lock: str | None = None
    point: bool = True

    def version(self, delivery: Delivery) -> str:
        """The version of the model that follows from the data, these settings and this code."""
        return model_version(delivery.data_hash, self.config, source_hash(), self.unit_jump)

    def tracker(self, started_at: datetime, work: Work) -> Tracker | None:
        """The run's tracker, None without tracking; one that goes on has the key of the run before."""
        if self.tracking is None:
            return None
        began = work.begun(started_at)
        return Tracker(self.tracking, "train", started_at).under(f"{work.version}-{began:%Y%m%dT%H%M%S%f}")

    def meta(self, delivery: Delivery, work: Work, recorder: Recorder, champion: Bundle | None) -> BundleMeta:
        """Where the bundle comes from; the same for a run that goes on as for one that was never cut off."""
        began = work.begun(recorder.started_at).astimezone(UTC).replace(tzinfo=None)
        previous = champion.meta.model_version if champion else None
        return BundleMeta(work.version, began, delivery.data_hash, asdict(self.config), previous=previous)

    def places(self, version: str) -> list[Path]:
        """Where a run's artifacts lie."""
        names = (store.REPORT, store.GATE, store.BACKTEST, *((store.CURRENT,) if self.point else ()))
        return [store.bundle_folder(self.store, version), *(self.store / name for name in names)]

    def files(self) -> list[Path]:
        """What the run's record in MLflow holds as files."""
        return [self.store / name for name in (store.REPORT, store.GATE, store.RUN)]


@dataclass(frozen=True)
class Trained:
    """What a run found.

    table: backtest rows of the weeks that judged. report: one row per segment, refused ones as well. gate:
    one row per segment that had a new model. refused: regions, and why. failovers: segments that are not
    served by a new model. partitions: content hashes of the conditioned tables. again: an earlier run did
    all of it.
    """

    delivery: Delivery
    version: str
    table: pd.DataFrame
    report: pd.DataFrame
    gate: pd.DataFrame
    refused: Mapping[str, str]
    failovers: Mapping[Segment, Failover]
    partitions: Mapping[str, str] = field(default_factory=dict)
    choices: Mapping[Segment, Choice | Failed] = field(default_factory=dict)
    again: bool = False

    @classmethod
    def read(cls, folder: Path, version: str, delivery: Delivery, done: Mapping[str, Any]) -> "Trained":
        """What an earlier run left in a store and in its done marker."""
        manifest = read_manifest(store.bundle_folder(folder, version))
        return cls(
            delivery=delivery,
            version=version,
            table=pd.read_parquet(folder / store.BACKTEST),
            report=pd.read_csv(folder / store.REPORT),
            gate=pd.read_csv(folder / store.GATE),
            refused=done["refused"],
            failovers=failovers_of(manifest),
            again=True,
        )


def metrics_of(trained: Trained) -> dict[Segment, dict[str, float | None]]:
    """Metrics of each segment of the report, None where a number is not known."""
    lines = trained.report.to_dict(orient="records")
    return {
        Segment(line["region"], line["format"], line["speed"]): _plain({n: float(line[n]) for n in METRICS})
        for line in lines
    }


def run_content(
    trained: Trained, order: Order, recorder: Recorder, tracker: Tracker | None
) -> dict[str, Any]:
    """run.json: one run, told completely enough to do it again and to compare."""
    delivery = trained.delivery
    tracked_as = tracker.run_id if tracker else None
    return {
        "format": 1,
        "model_version": trained.version,
        "code_version": code_version(),
        "packages": package_versions(),
        "config": asdict(order.config),
        "data": {
            "name": delivery.name,
            "as_of": delivery.as_of.isoformat(),
            "data_hash": delivery.data_hash,
            "files": dict(delivery.files),
            "partitions": dict(trained.partitions),
        },
        "refused_regions": dict(trained.refused),
        "failed_over": [{"segment": s.name, **asdict(each)} for s, each in sorted(trained.failovers.items())],
        "stages": recorder.as_dicts(),
        "metrics": _plain(overall(trained.table)),
        "regions": store.records(by_region(trained.table)),
        "segments": store.records(trained.report),
        "tracking": {"run_id": tracked_as, "address": order.tracking.public_address}
        if order.tracking
        else None,
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
            "refused_regions": ", ".join(trained.refused) or "none",
        },
        inputs=(Input(delivery.name, delivery.data_hash, source),),
    )


def child_records(trained: Trained) -> list[Record]:
    """One record per segment of the report that was trained."""
    records = []
    for row in trained.report.to_dict(orient="records"):
        segment = Segment(row["region"], row["format"], row["speed"])
        choice = trained.choices.get(segment)
        if choice is None or isinstance(choice, Failed):
            continue
        alphas = {f"alpha_{i}": index for i, index in enumerate(choice.alphas)}
        metrics = {name: float(row[name]) for name in METRICS}
        records.append(
            Record(
                name=segment.name,
                params={**alphas, "network_weight": choice.weight},
                metrics={**metrics, "validation_mape": choice.mape},
                tags={**asdict(segment), "verdict": row["verdict"], "model_version": trained.version},
                inputs=(_weekly_input(trained.partitions, segment.region),),
            )
        )
    return records


def _weekly_input(partitions: Mapping[str, str], region: str) -> Input:
    """The conditioned table of a region, by the hashes of its years."""
    years = {name: sha256 for name, sha256 in partitions.items() if name.startswith(f"{region}/")}
    sha256 = hashlib.sha256(json.dumps(years, sort_keys=True).encode()).hexdigest()
    return Input(f"weekly/{region}", sha256, {"partitions": years})


def _plain(metrics: dict[str, float]) -> dict[str, float | None]:
    return {name: value if math.isfinite(value) else None for name, value in metrics.items()}
