"""One week of one strategy: actuals arrive, monitor, check, maybe train, gate and promote, score."""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import date, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any

from demand.bundle import Bundle, read_bundle, read_manifest
from demand.scoring import score
from level1_pipeline import store as files
from level1_pipeline.decisions import decide_on, trained_until
from level1_pipeline.errors import GateRefused
from level1_pipeline.monitoring.book import read_book, write_book
from level1_pipeline.monitoring.issued import append_forecasts, with_baseline
from level1_pipeline.monitoring.run import Order as Monitoring
from level1_pipeline.monitoring.run import entered
from level1_pipeline.pipeline import train
from level1_pipeline.progress import Watch
from level1_pipeline.records import Order, Trained
from level1_pipeline.replay.log import Entry, Log
from level1_pipeline.replay.plan import NEVER, POLICY, Plan
from level1_pipeline.replay.world import Moment, World
from level1_pipeline.stages import Recorder
from level1_pipeline.triggers import Decision, State, decide

Content = dict[str, Any]


def first_week(world: World, plan: Plan, store: Path, as_of: date) -> None:
    """Trains the model that every strategy begins with."""
    with Watch(quiet=True) as quiet:
        train(_order(world, plan, store, as_of), quiet)


def one_week(strategy: str, store: Path, moment: Moment, world: World, plan: Plan) -> Entry:
    """What a week brought; the store has its forecasts afterwards, and maybe another model in use.

    A week that was cut off goes on after what it had decided, and ends as if it had never been.
    """
    log, as_of = Log(store), moment.delivery.as_of
    recorder = Recorder(lambda _: None)
    decided = log.begun(as_of)
    if decided is None:
        with recorder.stage("monitor"):
            found = _decision(strategy, store, moment, plan)
        decided = _told(found)
        log.begin(as_of, decided)
    trained: Content = {}
    if decided["retrain"]:
        with recorder.stage("train"):
            trained = _retrained(world, plan, store, as_of)
    with recorder.stage("score"):
        bundle = _issue(store, moment)
    entry = Entry(
        as_of=str(as_of),
        version=bundle.meta.model_version,
        age_days=(as_of - trained_until(bundle.manifest)).days,
        decision=decided["decision"],
        triggers=tuple(decided["triggers"]),
        refused=tuple(sorted(moment.refused)),
        seconds={stage.name: stage.seconds for stage in recorder.stages},
        **trained,
    )
    log.end(entry)
    return entry


def _decision(strategy: str, store: Path, moment: Moment, plan: Plan) -> Decision | None:
    """The decision of the Monday after the week, by the real policy; None where nobody asks."""
    as_of = moment.delivery.as_of
    monday = as_of + timedelta(days=7)
    if strategy == NEVER:
        return None
    if strategy == POLICY:
        _monitor(store, moment, plan)
        return decide_on(store, monday, "", plan.policy)
    manifest = read_manifest(files.current_bundle(store))
    state = State(monday, manifest.meta.model_version, trained_until(manifest))
    return decide(state, plan.timetable())


def _monitor(store: Path, moment: Moment, plan: Plan) -> None:
    """What `monitor` does with a delivery, on tables that are conditioned already."""
    bundle, before = _bundle(files.current_bundle(store)), read_book(store)
    order = Monitoring(plan.data, store, moment.delivery.as_of, plan.unit_jump)
    book, _ = entered(before, moment.seen(bundle), (moment.delivery, bundle, order))
    write_book(store, book, before)


def _retrained(world: World, plan: Plan, store: Path, as_of: date) -> Content:
    """Version of the new model and how many segments it serves: 0 where the gate let none pass."""
    with Watch(quiet=True) as quiet:
        try:
            done = train(_order(world, plan, store, as_of), quiet)
        except GateRefused:
            return {"trained": "refused by the gate", "promoted": 0}
    return {"trained": done.version, "promoted": _served(done)}


def _served(done: Trained) -> int:
    return len(done.report) - len(done.failovers)


def _issue(store: Path, moment: Moment) -> Bundle:
    """The bundle whose forecasts of the next weeks are in the store now."""
    bundle, delivery = _bundle(files.current_bundle(store)), moment.delivery
    forecasts = score(bundle, moment.panels.values(), delivery.as_of)
    rows = with_baseline(bundle, delivery.stores, forecasts)
    append_forecasts(store, rows, bundle.meta.model_version)
    return bundle


def _order(world: World, plan: Plan, store: Path, as_of: date) -> Order:
    return Order(world.known(as_of), store, plan.config, None, plan.unit_jump, plan.executor)


def _told(decision: Decision | None) -> Content:
    if decision is None:
        return {"retrain": False, "decision": "", "triggers": []}
    content: Mapping[str, Any] = asdict(decision)
    triggers = [each["trigger"] for each in content["reasons"]]
    return {"retrain": decision.retrain, "decision": decision.decision_id, "triggers": triggers}


@lru_cache(maxsize=4)
def _bundle(folder: Path) -> Bundle:
    """A bundle, opened once: its folder is named after what is in it, and nothing writes into it."""
    return read_bundle(folder)
