import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from demand.errors import UsageError
from level2_cicd.ledger import open_ledger
from level2_cicd.retrain import last_decision, retrain
from level2_cicd.steps import Steps

REASON = {"trigger": "drift", "text": "PSI of price 0.31 in R01.", "evidence": {}, "segments": ["R01"]}


def decide(store: Path, *decisions: dict[str, Any]) -> None:
    path = store / "monitoring" / "decisions.jsonl"
    path.parent.mkdir(exist_ok=True)
    path.write_text("".join(f"{json.dumps(each)}\n" for each in decisions))


def decision(retrains: bool, **changes: Any) -> dict[str, Any]:
    reasons = [REASON] if retrains else []
    return {"decision_id": "d1", "as_of": "2026-06-22", "retrain": retrains, "reasons": reasons, **changes}


def test_a_trigger_that_fires_becomes_a_release_that_says_why(
    released: Callable[[], Any], steps: Steps, out: Path
) -> None:
    made = released()
    decide(made.environment.store, decision(False), decision(True, decision_id="d2"))
    for _ in range(2):
        done = retrain(made.flow(), steps, out)
        assert (done.decision_id, done.text) == ("d2", "drift: PSI of price 0.31 in R01.")
        assert (
            done.released is not None and done.released.again
        )  # the same data and code: nothing new to learn
    rows = open_ledger(made.environment).rows()
    assert [row.kind for row in rows] == ["registered", "promoted", "scored", "retrain_decided"]
    assert rows[-1].evidence["decision"]["decision_id"] == "d2"
    assert rows[-1].reason == "drift: PSI of price 0.31 in R01."


def test_no_trigger_means_no_release_and_no_row(released: Callable[[], Any], steps: Steps, out: Path) -> None:
    made = released()
    decide(made.environment.store, decision(True), decision(False))
    done = retrain(made.flow(), steps, out)
    assert (done.text, done.released) == ("no trigger fired", None)
    assert [row.kind for row in open_ledger(made.environment).rows()] == ["registered", "promoted", "scored"]


def test_a_decision_that_is_held_back_says_why(released: Callable[[], Any], steps: Steps, out: Path) -> None:
    made = released()
    decide(made.environment.store, {**decision(True), "retrain": False, "held_back": "wait until 2026-07-01"})
    done = retrain(made.flow(), steps, out)
    assert done.text == "drift: PSI of price 0.31 in R01.; held back: wait until 2026-07-01"
    assert done.released is None


@pytest.mark.parametrize("text", [None, "", "{}", "no JSON", '{"decision_id": "d1", "retrain": "yes"}'])
def test_without_a_decision_there_is_nothing_to_do(tmp_path: Path, text: str | None) -> None:
    if text is not None:
        (tmp_path / "monitoring").mkdir()
        (tmp_path / "monitoring" / "decisions.jsonl").write_text(text)
    with pytest.raises(UsageError, match="make level2-monitor"):
        last_decision(tmp_path)
