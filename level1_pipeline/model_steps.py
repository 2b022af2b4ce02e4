"""The steps that train, evaluate and release: what `pipeline` does, from folder to folder."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd

from demand.bundle import BundleMeta
from demand.config import Config
from demand.export import Detail, Release, write_bundle
from demand.models.network import Network
from demand.splits import holdout_origins
from demand.training import Choice, Job, build_data_set, choosing_origin
from level1_pipeline import store
from level1_pipeline.curves import can_write, write_curves
from level1_pipeline.executor import Executor, executing
from level1_pipeline.lock import held
from level1_pipeline.pipeline import Fitted, Judged, build_rows, fit_twice, judge, told
from level1_pipeline.progress import Watch
from level1_pipeline.records import METRICS, Order, Trained, metrics_of
from level1_pipeline.regions import refused_segments
from level1_pipeline.stages import Recorder
from level1_pipeline.step_folders import Prepared, keep, kept, opened, read_prepared, writing
from level1_pipeline.summaries import overall
from level1_pipeline.versions import model_version, source_hash
from level1_pipeline.work import Work

FITTED, JUDGED = "fitted", "judged"  # names of pieces
CURVES, SEGMENTS, METRICS_FILE, CHOICES = "curves", "segments.csv", "metrics.json", "choices.csv"


@dataclass(frozen=True)
class Inputs:
    """The folders that every one of these steps reads."""

    conditioned: Path
    validated: Path


@dataclass(frozen=True)
class Learned:
    """What training hands on; code: hash of the sources that trained."""

    fitted: Fitted
    meta: BundleMeta
    config: Config
    code: str


@dataclass(frozen=True)
class Evaluated:
    """What evaluation hands on; config: the settings of training with those of the gate that judged."""

    found: Judged
    config: Config


def train(inputs: Inputs, out: Path, config: Config, executor: Executor, watch: Watch) -> None:
    """Leaves the trained ensembles, what was chosen per segment, and the networks' training curves.

    A step that was cut off goes on where it was: its pieces lie beside `out`. Raises LockHeld where another
    one is at work there.
    """
    prepared = read_prepared(inputs.conditioned, inputs.validated)
    pieces = out.with_name(f".{out.name}-pieces")
    order = Order(inputs.conditioned, pieces, config, None, prepared.unit_jump, executor)
    recorder = Recorder(watch.stage)
    with held(pieces), executing(executor):
        work = Work.open(pieces, order.version(prepared.delivery))
        with recorder.stage("features") as stage:
            job = build_rows(prepared.regions, order, work, stage)
        with recorder.stage("train") as stage:
            fitted = fit_twice(job, watch, stage)
        meta = order.meta(prepared.delivery, work, recorder, None)
        with writing(out) as part:
            keep(part, FITTED, Learned(fitted, meta, config, source_hash()))
            store.write_csv(_choices(fitted), part / CHOICES)
            if can_write():
                tuned = {s.name: model.network.losses[-1] for s, model in sorted(fitted.final.models.items())}
                write_curves(dict(_losses(job, fitted, work)), tuned, part / CURVES)
            else:
                watch.say("No training curves: dvclive is not installed; the extra `versions` brings it.")
        work.finish({})
        work.forget()


def evaluate(inputs: Inputs, trained: Path, out: Path, config: Config, watch: Watch) -> Trained:
    """What was found; leaves report, gate, backtest rows, metrics as JSON, and the graphs that passed.

    config: only its section gate counts, all else is as it was trained. There is no model in use here: the
    gate holds each segment against the historical average. Raises GateRefused where none passes.
    """
    prepared, learned = read_prepared(inputs.conditioned, inputs.validated), _learned(trained)
    config = replace(learned.config, gate=config.gate)
    refused = refused_segments(prepared.delivery, prepared.regions)
    with Recorder(watch.stage).stage("evaluate") as stage:
        found = judge(_job(prepared, learned, config), learned.fitted, None, refused, stage)
    evaluated = Evaluated(found, config)
    result = _told(prepared, learned, evaluated)
    with writing(out) as part:
        keep(part, JUDGED, evaluated)
        store.write_csv(found.lines, part / store.REPORT)
        store.write_csv(result.gate, part / store.GATE)
        store.write_csv(_by_name(found.lines), part / SEGMENTS)
        store.write_parquet(found.table, part / store.BACKTEST)
        store.write_json(_metrics(result), part / METRICS_FILE)
    return result


def release(inputs: Inputs, trained: Path, evaluated: Path, out: Path, watch: Watch) -> Trained:
    """What was released; leaves a store with one bundle, its pointer and its report, as scoring reads it."""
    prepared, learned = read_prepared(inputs.conditioned, inputs.validated), _learned(trained)
    judged: Evaluated = kept(opened(evaluated, "evaluate"), JUDGED, "evaluate")
    result = _told(prepared, learned, judged)
    meta = replace(learned.meta, model_version=result.version, config=asdict(judged.config))
    found = judged.found
    details = {segment: Detail(None, metrics) for segment, metrics in metrics_of(result).items()}
    contents = Release(found.judged, details, found.plan.carried, found.plan.failed)
    data = build_data_set(prepared.regions.panels())
    watch.stage("release")
    with writing(out) as part:
        folder = store.bundle_folder(part, result.version)
        write_bundle(found.final, data, folder, meta=meta, release=contents)
        store.point_at(part, result.version)
        store.write_csv(result.report, part / store.REPORT)
        store.write_csv(result.gate, part / store.GATE)
    return result


def _learned(folder: Path) -> Learned:
    found: Learned = kept(opened(folder, "train"), FITTED, "train")
    return found


def _job(prepared: Prepared, learned: Learned, config: Config) -> Job:
    """The job that was trained, its encoder as it was learned then."""
    return Job(build_data_set(prepared.regions.panels()), learned.fitted.judged.encoder, config)


def _told(prepared: Prepared, learned: Learned, evaluated: Evaluated) -> Trained:
    """What `pipeline.train` would tell; its version is that of the same data, settings and code."""
    version = model_version(prepared.delivery.data_hash, evaluated.config, learned.code, prepared.unit_jump)
    work = Work(Path(), version)
    return told(prepared.delivery, work, prepared.regions, learned.fitted, evaluated.found)


def _losses(job: Job, fitted: Fitted, work: Work) -> Iterator[tuple[str, tuple[float, ...]]]:
    """Name and mean losses per epoch of each network: those of all segments, then each as it was tuned."""
    last, origin = job.data.last_week, int(holdout_origins(job.data.last_week, job.config).min())
    for name, at in (("choosing", choosing_origin(job, origin)), ("judged", origin), ("final", last)):
        network: Network | None = work.find(f"network-{at}")
        if network is not None:
            yield f"all/{name}", network.losses
    if job.config.network.tune_epochs:
        for segment, model in sorted(fitted.final.models.items()):
            yield f"tuned/{segment.name}", model.network.losses


def _choices(fitted: Fitted) -> pd.DataFrame:
    """One row per segment: what the validation window chose, or why it failed."""
    rows = []
    for segment, choice in sorted(fitted.choices.items()):
        own: dict[str, Any] = {"alphas": "", "network_weight": None, "validation_mape": None}
        if isinstance(choice, Choice):
            alphas = " ".join(map(str, choice.alphas))
            own = {"alphas": alphas, "network_weight": choice.weight}
            own |= {"validation_mape": choice.mape, "reason": ""}
        else:
            own["reason"] = choice.reason
        rows.append({"segment": segment.name, **own})
    return pd.DataFrame(rows)


def _by_name(lines: pd.DataFrame) -> pd.DataFrame:
    """The report with one column `segment` in place of three: what a plot has on its axis."""
    names = lines["region"] + "-" + lines["format"] + "-" + lines["speed"]
    return pd.concat([names.rename("segment"), lines[list(METRICS)]], axis=1)


def _metrics(result: Trained) -> dict[str, Any]:
    """Metrics of all rows and of each segment; what is not known is left out, for DVC compares numbers."""
    segments = {
        segment.name: {name: value for name, value in metrics.items() if value is not None}
        for segment, metrics in metrics_of(result).items()
    }
    everything = {name: value for name, value in overall(result.table).items() if value == value}
    return {"overall": everything, "segments": segments}
