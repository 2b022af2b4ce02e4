"""One tuning run: the data before the holdout, the search, the comparison, its record and its file."""

from pathlib import Path

from demand.sources.publish import write_bytes
from level1_pipeline.lock import held
from level1_pipeline.progress import Watch
from level1_pipeline.stages import Recorder
from level1_pipeline.tracking import Input, Record, Tracker, tracked
from level1_pipeline.tuning.folds import before_holdout, error_of
from level1_pipeline.tuning.outcome import Outcome, as_toml, confirm
from level1_pipeline.tuning.study import COMPLETE, Bench, Order, Tried, search


def tune(order: Order, out: Path, watch: Watch) -> tuple[Outcome, dict[str, str]]:
    """What the search came to, and why regions were refused; `out` holds the settings afterwards.

    Raises LockHeld where a run works on the store, UsageError for a group that is not in the data, DataError
    where there are too few weeks, DependencyError where tracking does not answer.
    """
    recorder = Recorder(watch.stage)
    order.store.mkdir(parents=True, exist_ok=True)
    with held(order.store):
        with recorder.stage("condition"):
            data = before_holdout(order.data, order.config, order.unit_jump)
        bench = Bench.of(order, data)
        tracker = _tracker(order, bench, recorder)
        with tracked(tracker, watch.say):
            with recorder.stage("tune"):
                found = _searched(bench, tracker, watch)
            with recorder.stage("confirm"):
                outcome = confirm(bench, found)
            write_bytes(out, as_toml(bench, found, outcome).encode())
            if tracker is not None:
                tracker.children([_child(each, order) for each in found])
                tracker.finish(_parent(bench, found, outcome), [out])
    return outcome, data.refused


def _searched(bench: Bench, tracker: Tracker | None, watch: Watch) -> list[Tried]:
    watch.expect(bench.order.trials)

    def told(each: Tried) -> None:
        if tracker is not None:
            tracker.children([_child(each, bench.order)])
        watch.step(f"trial {each.number}", each.mean)

    return search(bench, told)


def _tracker(order: Order, bench: Bench, recorder: Recorder) -> Tracker | None:
    """The study's own run, which a later search of the same study goes on with."""
    if order.tracking is None:
        return None
    return Tracker(order.tracking, "tune", recorder.started_at).under(f"tune-{bench.folder.name}")


def _child(each: Tried, order: Order) -> Record:
    name = error_of(order.config)[0].lower()
    by_fold = {f"{name}_{fold.replace(' ', '_')}": value for fold, value in each.errors.items()}
    mean = {name: each.mean} if each.state == COMPLETE else {}
    return Record(
        name=f"trial-{each.number}",
        params=each.values,
        metrics={**by_fold, **mean},
        tags={"state": each.state, "group": order.group},
    )


def _parent(bench: Bench, found: list[Tried], outcome: Outcome) -> Record:
    data = bench.data.delivery
    source = {"name": data.name, "files": dict(data.files)}
    return Record(
        name="tune",
        params={"group": bench.order.group, "folds": bench.order.folds},
        metrics={
            "trials": float(len(found)),  # not a parameter, which no later search could change
            "best_trial": float(outcome.best.number),
            "change_percent": 100 * outcome.change[0],
            "change_percent_bound": 100 * outcome.change[1],
            "confirming_ratio": outcome.ratio[0],
            "confirming_ratio_high": outcome.ratio[2],
        },
        tags={
            "study": bench.folder.name,
            "data_hash": data.data_hash,
            "certain": str(outcome.certain).lower(),
        },
        inputs=(Input(data.name, data.data_hash, source),),
    )
