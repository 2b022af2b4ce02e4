"""The trigger policy: what monitoring found becomes a decision, to retrain or not, with its reasons.

Pure: the as-of date is part of what comes in, and the same input gives the same decision under the same id.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from datetime import date, timedelta
from typing import Any

from demand.config import within
from level1_pipeline.findings import Findings

ON_DEMAND, SCHEDULE, NEW_DATA = "on demand", "schedule", "new data"
DEGRADATION, DRIFT, AGE = "degradation", "drift", "age"
TRIGGERS = (ON_DEMAND, SCHEDULE, NEW_DATA, DEGRADATION, DRIFT, AGE)


@dataclass(frozen=True)
class Policy:
    """When to retrain; level1_pipeline/triggers.toml says the same in words."""

    max_age_days: int = within(60, 1, 10_000)  # a model that is older is trained again
    schedule_days: int = within(0, 0, 10_000)  # since the last known week of the model; 0 for no schedule
    new_data_weeks: int = within(0, 0, 1000)  # weeks that the model has not seen; 0 for any number
    restated_share: float = within(0.05, 0, 1)  # of a region's rows of a week; more is as good as new data
    cooldown_days: int = within(14, 0, 1000)  # after a decision to retrain
    budget: int = within(6, 1, 1000)  # decisions to retrain within `budget_days`
    budget_days: int = within(90, 1, 10_000)


@dataclass(frozen=True)
class State:
    """All that a decision depends on.

    as_of: the day of the decision. model_as_of: Monday of the last week that the model was trained on.
    monitored_as_of: Monday of the last week that monitoring looked at, None before the first. findings: what
    it found there. retrained: days of earlier decisions to retrain. on_demand: why a person wants it, or "".
    """

    as_of: date
    model_version: str
    model_as_of: date
    monitored_as_of: date | None = None
    findings: Findings = Findings()  # noqa: RUF009 - frozen, so it can be shared
    retrained: tuple[date, ...] = ()
    on_demand: str = ""


@dataclass(frozen=True)
class Reason:
    """Why to retrain: the trigger, a sentence, the figures behind it, and the segments that it is about."""

    trigger: str
    text: str
    evidence: Mapping[str, Any] = field(default_factory=dict)
    segments: tuple[str, ...] = ()


@dataclass(frozen=True)
class Decision:
    """To retrain or not.

    held_back: why not, where there are reasons to. cooldown_until: first day on which a reason counts again,
    None without a cooldown. budget_left: decisions to retrain that are left after this one.
    """

    decision_id: str
    as_of: date
    retrain: bool
    reasons: tuple[Reason, ...]
    held_back: str
    cooldown_until: date | None
    budget_left: int
    model_version: str
    model_age_days: int

    def content(self) -> dict[str, Any]:
        """The decision as JSON has it."""
        cooldown = self.cooldown_until.isoformat() if self.cooldown_until else None
        return {**asdict(self), "as_of": self.as_of.isoformat(), "cooldown_until": cooldown}


def decide(state: State, policy: Policy) -> Decision:
    """The decision that follows from a state under a policy; nothing else has a part in it."""
    reasons = tuple(_reasons(state, policy))
    recent = [day for day in state.retrained if state.as_of - day < timedelta(days=policy.budget_days)]
    left = max(0, policy.budget - len(recent))
    cooled = max(state.retrained) + timedelta(days=policy.cooldown_days) if state.retrained else None
    held = "" if state.on_demand or not reasons else _held_back(state.as_of, cooled, left, policy)
    retrain = bool(reasons) and not held
    return Decision(
        decision_id=_identity(state, policy),
        as_of=state.as_of,
        retrain=retrain,
        reasons=reasons,
        held_back=held,
        cooldown_until=_cooldown(state.as_of, cooled, retrain, policy),
        budget_left=max(0, left - retrain),
        model_version=state.model_version,
        model_age_days=(state.as_of - state.model_as_of).days,
    )


def _held_back(as_of: date, cooled: date | None, left: int, policy: Policy) -> str:
    if cooled is not None and as_of < cooled:
        return f"a retraining was decided less than {policy.cooldown_days} days ago; wait until {cooled}"
    if left == 0:
        return f"{policy.budget} retrainings were decided within {policy.budget_days} days: look why"
    return ""


def _cooldown(as_of: date, cooled: date | None, retrain: bool, policy: Policy) -> date | None:
    until = as_of + timedelta(days=policy.cooldown_days) if retrain else cooled
    return until if until is not None and until > as_of else None


def _reasons(state: State, policy: Policy) -> Iterator[Reason]:
    if state.on_demand:
        yield Reason(ON_DEMAND, f"Asked for: {state.on_demand}.", {"asked": state.on_demand})
    yield from _by_calendar(state, policy)
    yield from _new_data(state, policy)
    for trigger, found in ((DEGRADATION, state.findings.degraded), (DRIFT, state.findings.drifted)):
        if found:
            segments = tuple(sorted({each.place for each in found}))
            text = f"{'; '.join(each.sentence for each in found[:3])}{_more(len(found) - 3)}."
            evidence = {"week": str(state.monitored_as_of), "found": [asdict(each) for each in found]}
            yield Reason(trigger, text[0].upper() + text[1:], evidence, segments)


def _by_calendar(state: State, policy: Policy) -> Iterator[Reason]:
    age = (state.as_of - state.model_as_of).days
    evidence = {"model_as_of": state.model_as_of.isoformat(), "age_days": age}
    if 0 < policy.schedule_days <= age:
        text = f"Scheduled every {policy.schedule_days} days; the model is {age} days old."
        yield Reason(SCHEDULE, text, {**evidence, "schedule_days": policy.schedule_days})
    if age > policy.max_age_days:
        text = f"The model is {age} days old, more than {policy.max_age_days}."
        yield Reason(AGE, text, {**evidence, "max_age_days": policy.max_age_days})


def _new_data(state: State, policy: Policy) -> Iterator[Reason]:
    weeks = (state.monitored_as_of - state.model_as_of).days // 7 if state.monitored_as_of else 0
    if 0 < policy.new_data_weeks <= weeks:
        yield Reason(NEW_DATA, f"{weeks} weeks are there that the model has not seen.", {"weeks": weeks})
    restated = [each for each in state.findings.restated if each.value > policy.restated_share]
    if restated:
        text = f"{'; '.join(each.sentence for each in restated[:3])}{_more(len(restated) - 3)}."
        places = tuple(sorted({each.place for each in restated}))
        yield Reason(NEW_DATA, text, {"restated": [asdict(each) for each in restated]}, places)
    if state.findings.new_regions:
        names = ", ".join(state.findings.new_regions)
        evidence = {"regions": list(state.findings.new_regions)}
        yield Reason(
            NEW_DATA, f"Regions that the model does not know: {names}.", evidence, state.findings.new_regions
        )


def _more(count: int) -> str:
    return f"; and {count} more" if count > 0 else ""


def _identity(state: State, policy: Policy) -> str:
    """The first 16 digits of the sha256 of everything that the decision depends on."""
    content = json.dumps({"state": asdict(state), "policy": asdict(policy)}, sort_keys=True, default=str)
    return hashlib.sha256(content.encode()).hexdigest()[:16]
