"""The pipeline on a page: from a folder of data to a gated, registered release and a record of the run."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

import pandas as pd

from demand.bundle import Bundle, BundleMeta
from demand.evaluation import evaluate, report
from demand.export import Detail, Exported, Release, export, write_bundle
from demand.gate import Verdict, gate_table, judge_gate
from demand.segments import Segment
from demand.splits import holdout_origins
from demand.training import Choice, Ensemble, Failed, Job, choose, choosing_origin, fit, train_networks
from level1_pipeline import store
from level1_pipeline.deliveries import Delivery, open_delivery
from level1_pipeline.executor import executing
from level1_pipeline.failover import Plan, find_champion, plan, with_champion
from level1_pipeline.jobs import build_job
from level1_pipeline.journal import recorded
from level1_pipeline.lock import Lock, held
from level1_pipeline.metadata import component_versions
from level1_pipeline.progress import Watch
from level1_pipeline.records import Order, Trained, child_records, metrics_of, parent_record, run_content
from level1_pipeline.regions import Regions, condition_regions, refused_segments, validate
from level1_pipeline.registry import register
from level1_pipeline.restatements import Delivered, Known, changes, known_of
from level1_pipeline.runs import latest_done, plain, pointers
from level1_pipeline.stages import Recorder, Stage
from level1_pipeline.summaries import train_metrics
from level1_pipeline.tracking import Tracker, tracked
from level1_pipeline.work import Work


@dataclass(frozen=True)
class Fitted:
    """What training leaves.

    choices: of the validation window before the weeks that judge. judged: trained up to these weeks.
    final: trained on every known week, as the same choices say.
    """

    choices: dict[Segment, Choice | Failed]
    judged: Ensemble
    final: Ensemble


@dataclass(frozen=True)
class Judged:
    """What evaluation leaves: both ensembles as graphs, backtest rows, verdicts, and what serves whom."""

    judged: Exported
    final: Exported
    table: pd.DataFrame
    lines: pd.DataFrame
    verdicts: dict[Segment, Verdict]
    plan: Plan


def train(order: Order, watch: Watch) -> Trained:
    """What a run found; it leaves a bundle that is in use, and report, gate, backtest and run record.

    A run that was cut off goes on where it was; one that is done is not done again unless the order says so.
    Raises LockHeld where another run works on the store, DataError where no region can be used, GateRefused
    where no new model may be used, DependencyError where tracking or a cluster does not answer: then nothing
    was published, and what was done is kept.
    """
    recorder = Recorder(watch.stage)
    with (
        held(order.store, url=order.lock) as lock,
        executing(order.executor),
        recorded(order, recorder) as record,
    ):
        known = known_of(latest_done(order.store))
        with recorder.stage("ingest", data=order.data.name) as stage:
            delivery = ingest(order, stage)
        work = Work.open(order.store.resolve(), order.version(delivery))
        done = None if order.fresh else work.done()
        if done is not None:
            record.update(model_version=work.version, again=True)
            return again(order, work.version, (delivery, done), lock)
        tracker = order.tracker(recorder.started_at, work)
        with tracked(tracker, watch.say):
            with recorder.stage("condition") as stage:
                conditioned = condition(delivery, known, watch, stage)
            with recorder.stage("validate", unit_jump=order.unit_jump) as stage:
                regions = check_together(conditioned, delivery, order, stage)
            with recorder.stage("features", horizon=order.config.forecast.horizon) as stage:
                job = build_rows(regions, order, work, stage)
            with recorder.stage("train", **asdict(order.config)) as stage:
                fitted = fit_twice(job, watch, stage)
            with recorder.stage("evaluate", **asdict(order.config.gate)) as stage:
                champion = find_champion(order.store, work, watch.say)
                found = judge(job, fitted, champion, refused_segments(delivery, regions), stage)
            trained = told(delivery, work, regions, fitted, found)
            restated = history(delivery, regions, known, watch)
            with recorder.stage("register") as stage:
                meta = order.meta(delivery, work, recorder, champion)
                publish(found, job, meta, (order, trained, tracker, lock), stage)
            record.update(run_content(trained, order, recorder, tracker), restatements=restated)
            record.update(learned(job, fitted), artifacts=pointers(order.store, order.places(work.version)))
            keep_record(record, order, trained, tracker)
        work.finish({"refused": trained.refused})
    return trained


def again(order: Order, version: str, earlier: tuple[Delivery, Mapping[str, Any]], lock: Lock) -> Trained:
    """What an earlier run found, whose bundle may have awaited promotion until now.

    earlier: the delivery, and what the done marker says.
    """
    if order.point and store.pointed_at(order.store) != version:
        lock.publish(partial(store.point_at, order.store, version))
    return Trained.read(order.store, version, *earlier)


def keep_record(record: Mapping[str, Any], order: Order, trained: Trained, tracker: Tracker | None) -> None:
    """Leaves the run's record in the store and, with tracking, in MLflow."""
    store.write_json(plain(record), order.store / store.RUN)
    if tracker is not None:
        tracker.finish(parent_record(trained, order), order.files())


def ingest(order: Order, stage: Stage) -> Delivery:
    """The delivery in the folder of the order, opened and not read yet."""
    delivery = open_delivery(order.data)
    stage.note(rows_out=delivery.rows, hashes=delivery.files)
    return delivery


def condition(delivery: Delivery, known: Known | None, watch: Watch, stage: Stage) -> Regions:
    """The conditioned regions, each for itself. known: what the last run knew of its data."""
    watch.expect(len(delivery.regions))
    regions = condition_regions(delivery, watch.step, known.as_of if known else None)
    stage.note(rows_in=regions.rows_raw, rows_out=regions.rows_weekly)
    return regions


def check_together(conditioned: Regions, delivery: Delivery, order: Order, stage: Stage) -> Regions:
    """The regions that stand beside the others."""
    regions = validate(conditioned, f"{delivery.name}/shipments", order.unit_jump)
    stage.note(rows_in=conditioned.rows_weekly, rows_out=regions.rows_weekly, hashes=regions.partitions)
    return regions


def build_rows(regions: Regions, order: Order, work: Work, stage: Stage) -> Job:
    """The job, encoded as of the weeks that judge: no later week has a part in the scale of features."""
    job = build_job(regions.panels(), order.config, workers=order.executor.processes, memo=work)
    stage.note(rows_in=regions.rows_weekly, rows_out=len(job.data.series))
    return job


def fit_twice(job: Job, watch: Watch, stage: Stage) -> Fitted:
    """The choices, the ensemble that is judged, and the one that forecasts."""
    last, origin = job.data.last_week, int(holdout_origins(job.data.last_week, job.config).min())
    count = len(job.data.segments(origin)[0])
    watch.expect(3 * count + 3)
    train_networks(job, (choosing_origin(job, origin), origin, last), watch.step)
    choices = choose(job, origin, watch.step)
    judged = fit(job, origin, choices, watch.step)
    final = fit(job, last, choices, watch.step)
    stage.note(rows_in=len(job.data.series), rows_out=len(final.models))
    return Fitted(choices, judged, final)


def judge(
    job: Job, fitted: Fitted, champion: Bundle | None, refused: Mapping[Segment, str], stage: Stage
) -> Judged:
    """Backtest rows of the weeks that no part of the judged ensemble saw, and what follows from them.

    refused: segments of regions that are not in the job, and why.
    """
    origins = holdout_origins(job.data.last_week, job.config)
    judged, final = export(fitted.judged, job.data), export(fitted.final, job.data)
    faults = {**judged.faults, **final.faults, **fitted.judged.failed, **fitted.final.failed, **refused}
    table = evaluate(job.data, fitted.judged, origins)
    segments = sorted({*job.data.segments(job.data.last_week)[0], *refused})
    compared = with_champion(table, champion, job.data.panels, origins)
    verdicts = judge_gate(compared, [each for each in segments if each not in faults], job.config)
    stage.note(rows_in=len(job.data.series), rows_out=len(table))
    chosen = plan(segments, faults, verdicts, champion)
    return Judged(judged, final, table, report(table, segments), verdicts, chosen)


def history(delivery: Delivery, regions: Regions, known: Known | None, watch: Watch) -> list[str]:
    """What became of the weeks that the last run knew, in sentences; the person is told."""
    every, refused = frozenset(delivery.regions), frozenset(regions.refused)
    components = component_versions()
    now = Delivered(delivery.name, delivery.as_of, regions.then, every, refused, components)
    sentences = changes(known, now).sentences()
    for sentence in sentences:
        watch.say(sentence)
    return sentences


def learned(job: Job, fitted: Fitted) -> dict[str, Any]:
    """How well the judged ensemble repeats weeks that it was trained on, for the run's record."""
    metrics, lines = train_metrics(job.data, fitted.judged, job.config)
    return {"train_metrics": metrics, "train_segments": store.records(lines)}


def told(delivery: Delivery, work: Work, regions: Regions, fitted: Fitted, found: Judged) -> Trained:
    """What the run tells of itself."""
    return Trained(
        delivery=delivery,
        version=work.version,
        table=found.table,
        report=found.lines,
        gate=gate_table(found.verdicts),
        refused=regions.refused,
        failovers=found.plan.failovers,
        partitions=regions.partitions,
        choices=fitted.choices,
    )


def publish(
    found: Judged,
    job: Job,
    meta: BundleMeta,
    run: tuple[Order, Trained, Tracker | None, Lock],
    stage: Stage,
) -> None:
    """Writes the bundle, registers it, then points at it: who scores meanwhile sees one release, whole.

    Everything before the pointer may be repeated after a crash and changes nothing that is there.
    """
    order, trained, tracker, lock = run
    run_ids = tracker.children(child_records(trained)) if tracker else {}
    details = {
        segment: Detail(run_ids.get(segment.name), metrics)
        for segment, metrics in metrics_of(trained).items()
    }
    folder = store.bundle_folder(order.store, meta.model_version)
    release = Release(found.judged, details, found.plan.carried, found.plan.failed)
    write_bundle(found.final, job.data, folder, meta=meta, release=release)
    if tracker is not None and order.tracking is not None:
        register(folder, order.tracking, name=order.model, run_id=str(tracker.run_id), line=tracker.line)
    if order.point:
        lock.publish(partial(store.point_at, order.store, meta.model_version))
    else:
        lock.publish(lambda: None)  # who has lost the lock leaves no report either
    store.write_csv(trained.report, order.store / store.REPORT)
    store.write_csv(trained.gate, order.store / store.GATE)
    store.write_parquet(trained.table, order.store / store.BACKTEST)
    left = [store.REPORT, store.GATE, *([store.CURRENT] if order.point else [])]
    hashes = {name: store.sha256_of(order.store / name) for name in left}
    stage.note(rows_in=len(found.lines), rows_out=len(found.plan.passed), hashes=hashes)
