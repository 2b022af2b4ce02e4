"""What was decided: the rows of the ledger and the decisions to retrain or not."""

import json
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from sqlalchemy.exc import SQLAlchemyError

from level1_pipeline.connection import DependencyError
from level2_cicd.dashboards.reading import Part, short
from level2_cicd.ledger import Ledger


@dataclass(frozen=True)
class Event:
    """A row of the ledger; `at` in UTC as ISO text."""

    kind: str
    version: str
    at: str
    actor: str
    reason: str


@dataclass(frozen=True)
class Reason:
    """Why a trigger fired, in words, and the segments it is about."""

    trigger: str
    text: str
    segments: tuple[str, ...]


@dataclass(frozen=True)
class Decision:
    """Whether to train again, as decided on a day. held_back: why not, where there are reasons to."""

    as_of: date
    retrain: bool
    reasons: tuple[Reason, ...]
    held_back: str
    cooldown_until: str
    budget_left: str
    model_version: str


def parse_decision(content: Any) -> Decision:
    """The decision of one line of decisions.jsonl; raises one of reading.UNREADABLE."""
    reasons = tuple(
        Reason(str(each["trigger"]), str(each["text"]), tuple(map(_segment_name, each.get("segments") or ())))
        for each in content["reasons"]
    )
    return Decision(
        as_of=date.fromisoformat(str(content["as_of"])[:10]),
        retrain=bool(content["retrain"]),
        reasons=reasons,
        held_back=_text(content.get("held_back")),
        cooldown_until=_text(content.get("cooldown_until")),
        budget_left=_text(content.get("budget_left")),
        model_version=_text(content.get("model_version")),
    )


def read_ledger(folder: Path) -> Part[list[Event]]:
    """The rows of the ledger file of an environment's store, in their order; absent without one."""
    path = folder / "ledger.db"
    if not path.is_file():
        return Part()
    try:
        name = json.loads((folder / "environment.json").read_bytes())["environment"]
        return Part(events_of(Ledger(f"sqlite:///{path}", str(name))))
    except (OSError, ValueError, KeyError, TypeError, SQLAlchemyError, DependencyError) as error:
        return Part(
            fault=f"{path.name} cannot be read: {short(error)} Audit it before you trust what serves."
        )


def events_of(ledger: Ledger) -> list[Event]:
    """The rows of a ledger as the pages show them."""
    return [Event(row.kind, row.version, row.at, row.actor, row.reason) for row in ledger.rows()]


def _segment_name(segment: Any) -> str:
    if isinstance(segment, dict):
        return f"{segment['region']}-{segment['format']}-{segment['speed']}"
    return str(segment)


def _text(value: Any) -> str:
    return "" if value is None else str(value)
