"""Retraining: what the trigger policy decided is done, and then the flow is that of a release."""

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from demand.errors import UsageError
from level2_cicd.flow import Flow
from level2_cicd.ledger import open_ledger
from level2_cicd.metric_table import Figures
from level2_cicd.release import Released, release
from level2_cicd.steps import Steps

DECISIONS = Path("monitoring/decisions.jsonl")  # in an environment's store, one a line, the last one counts
LONGEST = 300  # characters of the reasons, where the ledger keeps them beside the approver's own


@dataclass(frozen=True)
class Retrained:
    """What came of a decision: its id and reasons, and the release, None where it says not to retrain."""

    decision_id: str
    text: str
    released: Released | None


def retrain(flow: Flow, steps: Steps, out: Path, baseline: Figures | None = None) -> Retrained:
    """What came of the last decision of the environment's trigger policy.

    Where it fires, a new model is trained, validated, gated, promoted and scored as a release is. Raises
    UsageError where nothing was ever decided, else what a release raises.
    """
    with steps.step("trigger policy") as step:
        decision = last_decision(flow.store)
        text = _told(decision)
        step.told(f"{'retrain' if decision['retrain'] else 'not now'}: {text}")
    name = str(decision["decision_id"])
    if not decision["retrain"]:
        return Retrained(name, text, None)
    _enter(flow, decision)
    reason = f"{flow.reason} (retraining {name}: {text[:LONGEST]})"
    return Retrained(name, text, release(replace(flow, reason=reason), steps, out, baseline))


def last_decision(store: Path) -> dict[str, Any]:
    """The decision in the last line of a store's decisions; raises UsageError where there is none."""
    path = store / DECISIONS
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
        found = json.loads(next(line for line in reversed(lines) if line.strip()))
        if not isinstance(found["retrain"], bool) or not str(found["decision_id"]):
            raise ValueError(f"retrain {found['retrain']!r}")
        return dict(found)
    except (OSError, StopIteration, ValueError, KeyError, TypeError) as error:
        raise UsageError(
            f"{path}: expected a decision of the trigger policy in its last line; got {error!r}. Run "
            "`make level2-monitor` first."
        ) from None


def _told(decision: dict[str, Any]) -> str:
    """The reasons for a decision on one line."""
    texts = [f"{each['trigger']}: {each['text']}" for each in decision.get("reasons", [])]
    held = decision.get("held_back")
    told = "; ".join(texts) + (f"; held back: {held}" if held else "")
    return " ".join(told.split()) or "no trigger fired"


def _enter(flow: Flow, decision: dict[str, Any]) -> None:
    """Enters the decision in the ledger, once."""
    ledger = open_ledger(flow.environment)
    version = str(decision.get("model_version") or "")
    content = {"decision": decision}
    if not any(row.kind == "retrain_decided" and row.evidence == content for row in ledger.rows()):
        ledger.note("retrain_decided", version, content, flow.approver, _told(decision)[:LONGEST])
