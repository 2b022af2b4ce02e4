"""The pipeline on a page: from a folder of data to a report, a bundle of models and a record of the run."""

from dataclasses import asdict, dataclass
from pathlib import Path

import pandas as pd

from demand.bundle import BundleMeta
from demand.config import Config
from demand.evaluation import evaluate, report
from demand.export import write_bundle
from demand.segments import Segment
from demand.splits import holdout_origins
from demand.training import Choice, Ensemble, Job, choose, fit
from level1_pipeline import store
from level1_pipeline.deliveries import Delivery, open_delivery
from level1_pipeline.jobs import build_job
from level1_pipeline.progress import Watch
from level1_pipeline.records import Order, Trained, child_records, parent_record, run_content
from level1_pipeline.regions import Regions, condition_regions, refused_segments, validate
from level1_pipeline.stages import Recorder, Stage
from level1_pipeline.tracking import Tracker, finish, tracked


@dataclass(frozen=True)
class Fitted:
    """What training leaves.

    choices: of the validation window before the weeks that judge. judged: trained up to these weeks.
    final: trained on every known week, as the same choices say.
    """

    choices: dict[Segment, Choice]
    judged: Ensemble
    final: Ensemble


def train(order: Order, watch: Watch) -> Trained:
    """What a run found; it leaves report.csv, bundle/<version>/, current.json and run.json in the store.

    Raises DataError where no region can be used; a region that is refused is told in `regions`. A tracking
    server that does not answer is told in `tracking_error`, after everything was written.
    """
    recorder = Recorder(watch.stage)
    tracker = Tracker(order.tracking, "train", recorder.started_at) if order.tracking else None
    with tracked(tracker, watch.say):
        with recorder.stage("ingest", data=order.data.name) as stage:
            delivery = ingest(order, stage)
        with recorder.stage("condition") as stage:
            conditioned = condition(delivery, watch, stage)
        with recorder.stage("validate", unit_jump=order.unit_jump) as stage:
            regions = check_together(conditioned, delivery, order, stage)
        with recorder.stage("features", horizon=order.config.forecast.horizon) as stage:
            job = build_rows(regions, order.config, stage)
        with recorder.stage("train", **asdict(order.config)) as stage:
            fitted = fit_twice(job, watch, stage)
        with recorder.stage("evaluate") as stage:
            table = judge(job, fitted, stage)
            lines = report(table, sorted({*fitted.final.models, *refused_segments(delivery, regions)}))
            store.write_csv(lines, order.store / store.REPORT)
        with recorder.stage("register") as stage:
            version = order.version(delivery)
            meta = BundleMeta(version, recorder.utc, delivery.data_hash, asdict(order.config))
            register(fitted, job, meta, order.store, stage)
        trained = Trained(delivery, regions, version, fitted.choices, table, lines)
        store.write_json(run_content(trained, order, recorder, tracker), order.store / store.RUN)
        files = [order.store / name for name in (store.REPORT, store.RUN)]
        return trained.told(finish(tracker, parent_record(trained, order), child_records(trained), files))


def ingest(order: Order, stage: Stage) -> Delivery:
    """The delivery in the folder of the order, opened and not read yet."""
    delivery = open_delivery(order.data)
    stage.note(rows_out=delivery.rows, hashes=delivery.files)
    return delivery


def condition(delivery: Delivery, watch: Watch, stage: Stage) -> Regions:
    """The conditioned regions, each for itself."""
    watch.expect(len(delivery.regions))
    regions = condition_regions(delivery, watch.step)
    stage.note(rows_in=regions.rows_raw, rows_out=regions.rows_weekly)
    return regions


def check_together(conditioned: Regions, delivery: Delivery, order: Order, stage: Stage) -> Regions:
    """The regions that stand beside the others."""
    regions = validate(conditioned, f"{delivery.name}/shipments", order.unit_jump)
    stage.note(rows_in=conditioned.rows_weekly, rows_out=regions.rows_weekly, hashes=regions.partitions)
    return regions


def build_rows(regions: Regions, config: Config, stage: Stage) -> Job:
    """The job, encoded as of the weeks that judge: no later week has a part in the scale of features."""
    job = build_job(regions.panels(), config)
    stage.note(rows_in=regions.rows_weekly, rows_out=len(job.data.series))
    return job


def fit_twice(job: Job, watch: Watch, stage: Stage) -> Fitted:
    """The choices, the ensemble that is judged, and the one that forecasts."""
    origin = int(holdout_origins(job.data.last_week, job.config).min())
    count = len(job.data.segments(origin)[0])
    watch.expect(3 * count)
    choices = choose(job, origin, watch.step)
    judged = fit(job, origin, choices, watch.step)
    final = fit(job, job.data.last_week, choices, watch.step)
    stage.note(rows_in=len(job.data.series), rows_out=len(final.models))
    return Fitted(choices, judged, final)


def judge(job: Job, fitted: Fitted, stage: Stage) -> pd.DataFrame:
    """Backtest rows of the weeks that no part of the judged ensemble saw."""
    table = evaluate(job.data, fitted.judged, holdout_origins(job.data.last_week, job.config))
    stage.note(rows_in=len(job.data.series), rows_out=len(table))
    return table


def register(fitted: Fitted, job: Job, meta: BundleMeta, folder: Path, stage: Stage) -> None:
    """Writes the bundle, then points at it: who scores meanwhile sees the one before or this one, whole."""
    write_bundle(fitted.final, job.data, store.bundle_folder(folder, meta.model_version), meta=meta)
    store.point_at(folder, meta.model_version)
    hashes = {name: store.sha256_of(folder / name) for name in (store.REPORT, store.CURRENT)}
    count = len(fitted.final.models)
    stage.note(rows_in=count, rows_out=count, hashes=hashes)
