"""The search: seeded trials that are kept as they come, so that one that is cut off goes on where it was."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from demand.conditioning import UNIT_JUMP
from demand.config import Config
from demand.segments import every_segment
from level1_pipeline import store as files
from level1_pipeline.executor import Executor
from level1_pipeline.tracking import Place
from level1_pipeline.tuning.folds import ALL, Data, Fold, error, folds, judge, of_group
from level1_pipeline.tuning.space import SPACE, Values, configured, suggested, values_of, within_bounds
from level1_pipeline.versions import source_hash

if TYPE_CHECKING:  # the extra `tune`
    import optuna

FOLDER, DATABASE = "tuning", "tuning.db"
COMPLETE, PRUNED = "complete", "pruned"
STARTUP = 5  # trials drawn at random, and none of them cut off, before the search learns from them


@dataclass(frozen=True)
class Order:
    """What is searched.

    trials: in all, those of an earlier run among them. group: a region, format or speed, or all.
    """

    data: Path
    store: Path
    config: Config
    trials: int
    group: str = ALL
    folds: int = 3
    tracking: Place | None = None
    unit_jump: float = UNIT_JUMP
    executor: Executor = Executor()  # noqa: RUF009 - frozen, so it can be shared

    def study(self, data: Data) -> str:
        """The name of the study: the group, and a hash of all that its figures depend on."""
        settings = {
            key: value for key, value in asdict(self.config).items() if key not in ("pipeline", "gate")
        }
        content = {
            "data": data.delivery.data_hash,
            "settings": settings,
            "folds": self.folds,
            "space": [asdict(each) for each in SPACE],
            "unit_jump": self.unit_jump,
            "code": source_hash(),
        }
        return f"{self.group}-{hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:12]}"


@dataclass(frozen=True)
class Tried:
    """One trial: its number, 0 for the settings as they are, its values, and how it ended.

    errors: in percent by fold.
    """

    number: int
    values: dict[str, float]
    errors: dict[str, float]
    state: str

    @property
    def mean(self) -> float:
        """The mean error of its folds in percent."""
        return sum(self.errors.values()) / len(self.errors)


@dataclass(frozen=True)
class Bench:
    """Where trials are judged: the data and folds, and the folder that keeps every table."""

    order: Order
    data: Data
    folds: tuple[Fold, ...]
    folder: Path

    @classmethod
    def of(cls, order: Order, data: Data) -> "Bench":
        """The bench of a study; raises UsageError for a group that is not in the data, DataError."""
        series = pd.concat([panel.series for panel in data.panels])
        of_group(pd.DataFrame([asdict(each) for each in every_segment(series)]), order.group)
        folder = order.store / FOLDER / order.study(data)
        return cls(order, data, tuple(folds(data.last_week, order.config, order.folds)), folder)

    @property
    def searched(self) -> list[Fold]:
        """The folds that the search sees."""
        return [fold for fold in self.folds if not fold.confirms]

    @property
    def confirming(self) -> Fold:
        """The fold that it does not see."""
        return next(fold for fold in self.folds if fold.confirms)

    def table(self, values: Values, fold: Fold) -> pd.DataFrame:
        """Backtest rows of a fold under these values, of all segments; judged once and kept."""
        name = hashlib.sha256(json.dumps([dict(values), fold.name], sort_keys=True).encode()).hexdigest()[:16]
        path = self.folder / f"{name}.parquet"
        if not path.is_file():
            config = configured(self.order.config, values)
            files.write_parquet(judge(self.data, fold, config, self.order.executor.processes), path)
        return pd.read_parquet(path)

    def error(self, values: Values, fold: Fold) -> float:
        """The error of the group's rows in percent."""
        return error(of_group(self.table(values, fold), self.order.group), self.order.config)


def search(bench: Bench, told: Callable[[Tried], None]) -> list[Tried]:
    """Every trial of the study, the first of which are the settings as they are; told each new one."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    order = bench.order
    order.store.mkdir(parents=True, exist_ok=True)
    study = optuna.create_study(
        storage=f"sqlite:///{(order.store / DATABASE).resolve()}",
        study_name=bench.folder.name,
        direction="minimize",
        load_if_exists=True,
        pruner=optuna.pruners.MedianPruner(n_startup_trials=STARTUP, n_warmup_steps=0),
    )
    _close_open(study)
    found = tried(study)
    while len(found) < order.trials:
        # Seeded by how many are done: a search that goes on asks for what one never cut off would have.
        seed = order.config.forecast.seed + len(found)
        study.sampler = optuna.samplers.TPESampler(seed=seed, n_startup_trials=STARTUP)
        _one(study, bench, len(found))
        found = tried(study)
        told(found[-1])
    return found


def tried(study: "optuna.Study") -> list[Tried]:
    """The trials that ended, as they are kept."""
    return [
        Tried(**each.user_attrs["tried"])
        for each in study.get_trials(deepcopy=False)
        if each.state.is_finished() and "tried" in each.user_attrs
    ]


def _one(study: "optuna.Study", bench: Bench, number: int) -> None:
    """One trial, cut off after its first fold where it is worse there than half of the others were."""
    from optuna.trial import TrialState

    if number == 0:
        study.enqueue_trial(within_bounds(values_of(bench.order.config)))
    trial = study.ask()
    drawn = suggested(trial)
    values = values_of(bench.order.config) if number == 0 else drawn
    errors: dict[str, float] = {}
    state = COMPLETE
    for step, fold in enumerate(bench.searched):
        errors[fold.name] = bench.error(values, fold)
        trial.report(errors[fold.name], step)
        if step == 0 and number > 0 and trial.should_prune():
            state = PRUNED
            break
    done = Tried(number, values, errors, state)
    trial.set_user_attr("tried", asdict(done))
    if state == PRUNED:
        study.tell(trial, state=TrialState.PRUNED)
    else:
        study.tell(trial, done.mean)


def _close_open(study: "optuna.Study") -> None:
    """Marks trials of a search that was cut off as failed; their folds that are done are kept."""
    from optuna.trial import TrialState

    for each in study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
        study.tell(each.number, state=TrialState.FAIL)
    for _ in study.get_trials(deepcopy=False, states=(TrialState.WAITING,)):
        study.tell(study.ask(), state=TrialState.FAIL)


def best_of(found: list[Tried]) -> Tried:
    """The trial with the least mean error; the settings as they are where several have it."""
    complete = [each for each in found if each.state == COMPLETE]
    return min(complete, key=lambda each: (each.mean, each.number))
