"""What is replayed: how many weeks, under which ways to retrain, and what a wrong stock costs."""

import json
from dataclasses import asdict, dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from demand.conditioning import UNIT_JUMP
from demand.config import Config
from level1_pipeline.executor import Executor
from level1_pipeline.replay.change import Change
from level1_pipeline.replay.world import mondays
from level1_pipeline.triggers import Policy

NEVER, SCHEDULE, POLICY = "never", "schedule", "policy"
STRATEGIES = (NEVER, SCHEDULE, POLICY)
SEASON_SHARE, SEASON_AFTER = 4, 3  # the change lasts a quarter of the weeks, and begins after a third of them
OFTEN = 10_000  # more decisions than a replay has weeks


@dataclass(frozen=True)
class Costs:
    """USD a unit. The defaults are an assumption, no figure of any retailer: set your own."""

    over: float = 1.0  # ordered and not sold
    under: float = 1.5  # asked for and not there


@dataclass(frozen=True)
class Plan:
    """A replay of the last `weeks` known weeks.

    change_weeks: how long another demand is injected, None for a quarter of the weeks, 0 for not at all.
    schedule_weeks: of the strategy that retrains at fixed times.
    """

    data: Path
    out: Path
    weeks: int
    config: Config
    policy: Policy = Policy()  # noqa: RUF009 - frozen, so it can be shared
    schedule_weeks: int = 13
    change_weeks: int | None = None
    costs: Costs = Costs()
    unit_jump: float = UNIT_JUMP
    executor: Executor = Executor()  # noqa: RUF009

    def days(self, last: date) -> list[date]:
        """The as-of Mondays: the one before the first replayed week, then each replayed week."""
        return mondays(last, self.weeks)

    def change(self, last: date) -> Change:
        """The season of another demand."""
        length = self.weeks // SEASON_SHARE if self.change_weeks is None else self.change_weeks
        return Change(last - timedelta(weeks=self.weeks - self.weeks // SEASON_AFTER - 1), length)

    def timetable(self) -> Policy:
        """The policy of the strategy that looks at the calendar alone."""
        days = 7 * (self.schedule_weeks + 1)  # on the day of its training a model is a week old
        return replace(
            self.policy,
            schedule_days=days,
            max_age_days=OFTEN,
            new_data_weeks=0,
            cooldown_days=0,
            budget=1000,
        )

    def content(self, data_hash: str) -> dict[str, Any]:
        """What a replay's result depends on, apart from the code; costs are laid on at the end."""
        settings = {name: value for name, value in asdict(self.config).items() if name != "pipeline"}
        content = {
            "data": data_hash,
            "weeks": self.weeks,
            "change_weeks": self.change_weeks,
            "schedule_weeks": self.schedule_weeks,
            "unit_jump": self.unit_jump,
            "policy": asdict(self.policy),
            "settings": settings,
        }
        plain: dict[str, Any] = json.loads(json.dumps(content))
        return plain
