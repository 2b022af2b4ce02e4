"""The walk: every strategy through every week; one that was killed goes on where it was."""

import json
import shutil
from collections.abc import Mapping
from datetime import date

from demand.errors import DataError, UsageError
from level1_pipeline import store as files
from level1_pipeline.deliveries import Delivery, open_delivery
from level1_pipeline.lock import held
from level1_pipeline.progress import Watch
from level1_pipeline.replay.log import Entry, Log
from level1_pipeline.replay.loop import first_week, one_week
from level1_pipeline.replay.plan import STRATEGIES, Plan
from level1_pipeline.replay.world import World, make_world

ORDER, FIRST = "replay.json", "first"
FEWEST = 60  # known weeks before the replay


def walk(plan: Plan, watch: Watch) -> tuple[World, Mapping[str, list[Entry]]]:
    """The world and what each week of each strategy brought; stores and logs lie in the folder `plan.out`.

    Raises UsageError where another replay lies there, DataError where the data do not reach back so far or
    cannot be cut, LockHeld where another process replays there.
    """
    delivery = open_delivery(plan.data)
    days = plan.days(delivery.as_of)
    plan.out.mkdir(parents=True, exist_ok=True)
    with held(plan.out):
        _expect_same(plan, delivery)
        watch.stage("condition")
        world = make_world(plan.data, plan.out / "world", plan.change(delivery.as_of), plan.unit_jump)
        _expect_history(world, days[0])
        if not (plan.out / FIRST).is_dir():
            for as_of in (days[0], days[len(days) // 2], days[-1]):
                world.check(as_of)
        watch.stage("train the first model")
        for strategy in STRATEGIES:
            _begin(world, plan, strategy, days[0])
        _walk(world, plan, days, watch)
    return world, {strategy: Log(plan.out / strategy).entries() for strategy in STRATEGIES}


def _walk(world: World, plan: Plan, days: list[date], watch: Watch) -> None:
    done = {strategy: len(Log(plan.out / strategy).entries()) for strategy in STRATEGIES}
    watch.stage("replay")
    watch.expect(len(STRATEGIES) * len(days) - sum(done.values()))
    for number, as_of in enumerate(days):
        left = [strategy for strategy in STRATEGIES if done[strategy] <= number]
        moment = world.at(as_of)
        for strategy in left:
            one_week(strategy, plan.out / strategy, moment, world, plan)
            watch.step(f"{as_of} {strategy}")
        shutil.rmtree(world.folder / "known" / str(as_of), ignore_errors=True)


def _begin(world: World, plan: Plan, strategy: str, as_of: date) -> None:
    """The store of a strategy with the first model, which is trained once and then copied."""
    store, first = plan.out / strategy, plan.out / FIRST
    if store.is_dir():
        return
    first_week(world, plan, first, as_of)
    part = plan.out / f".{strategy}.part"
    shutil.rmtree(part, ignore_errors=True)
    shutil.copytree(first, part, ignore=shutil.ignore_patterns("lock.db*"))
    part.rename(store)


def _expect_same(plan: Plan, delivery: Delivery) -> None:
    """Raises UsageError where the folder holds a replay of other data or settings."""
    path, content = plan.out / ORDER, plan.content(delivery.data_hash)
    if not path.is_file():
        files.write_json({"format": 1, **content}, path)
        return
    found = json.loads(path.read_bytes())
    other = [name for name, value in content.items() if found.get(name) != value]
    if other:
        raise UsageError(
            f"{plan.out}: expected a new folder, or a replay of the same data and settings to go on with; "
            f"got another, which differs in {', '.join(other)}. Name another --out, or remove this one."
        )


def _expect_history(world: World, first: date) -> None:
    """Raises DataError where a replay would begin before there is enough to train on."""
    known = min(region.weekly["week"].min() for region in world.regions.values()).date()
    weeks = (first - known).days // 7
    if weeks < FEWEST:
        raise DataError(
            f"{world.delivery.name}: expected at least {FEWEST} known weeks before the replay, a year of "
            f"which is seen again; got {weeks}. Replay fewer --weeks, or deliver more history."
        )
