"""Telling people of a decision: a POST to a webhook, and a page for the issue of the code host."""

import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from demand.sources.publish import write_bytes
from level1_pipeline.connection import DependencyError, without_password
from level1_pipeline.decisions import OUTBOX, read_lines, write_lines
from level1_pipeline.monitoring.issued import FOLDER

WEBHOOK = "LEVEL1_ALERT_WEBHOOK"  # environment variable with the address
TRIES, PAUSE, TIMEOUT = 3, 1.0, 5.0  # tries of each message, seconds between and for each
RUNBOOKS = "docs/runbooks"
PAGES = {
    "degradation": "DemandDegraded",
    "drift": "DemandInputDrift",
    "age": "DemandModelStale",
    "new data": "DemandDataRestated",
}


def tell(
    store: Path, address: str, decision: Mapping[str, Any], pause: Callable[[float], None] = time.sleep
) -> int:
    """How many decisions were told, earlier ones that nobody heard first; each goes to the outbox before.

    Raises DependencyError where nobody answers: what was not told waits in the outbox for the next time.
    """
    path = store / FOLDER / OUTBOX
    waiting = read_lines(path)
    if decision["decision_id"] not in {each["decision_id"] for each in waiting}:
        waiting.append(dict(decision))
        write_lines(path, waiting)
    for count, each in enumerate(waiting, start=1):
        _post(address, each, pause)
        write_lines(path, waiting[count:])
    return len(waiting)


def _post(address: str, decision: Mapping[str, Any], pause: Callable[[float], None]) -> None:
    """Sends one decision; its id lets the receiver tell a repetition. Raises DependencyError."""
    content = json.dumps({"kind": "retrain decision", **decision}, allow_nan=False).encode()
    headers = {"Content-Type": "application/json", "Idempotency-Key": str(decision["decision_id"])}
    why = ""
    for left in reversed(range(TRIES)):
        try:
            request = urllib.request.Request(address, content, headers, method="POST")
            with urllib.request.urlopen(request, timeout=TIMEOUT):
                return
        except (OSError, ValueError) as error:  # urllib's own errors are OSErrors
            why = str(error)
        if left:
            pause(PAUSE)
    raise DependencyError(
        f"{WEBHOOK} {without_password(address)}: expected an answer of 200 to 299 within {TRIES} tries; got "
        f"{without_password(why)}. The decision is kept and waits in {OUTBOX}: the next `check` sends it."
    )


def write_issue(path: Path, decision: Mapping[str, Any]) -> None:
    """Writes the page for the issue: what was found, the figures behind it, and the three choices."""
    write_bytes(path, issue_page(decision).encode())


def issue_page(decision: Mapping[str, Any]) -> str:
    """The page as Markdown."""
    verdict = "Retraining was decided." if decision["retrain"] else f"Held back: {decision['held_back']}."
    lines = [
        f"# The forecast needs a look: week of {decision['as_of']}",
        "",
        f"Model `{decision['model_version']}`, {decision['model_age_days']} days old. {verdict}",
        "",
        "| trigger | what was found | where | runbook |",
        "|---|---|---|---|",
        *(_row(reason) for reason in decision["reasons"]),
        "",
        "## Evidence",
        *(line for reason in decision["reasons"] for line in _evidence(reason)),
        "## The three choices",
        "1. **Tune**: the demand has changed its nature. `python -m level1_pipeline tune --help`, then a "
        "pull request with the new settings.",
        "2. **Roll back**: the model is at fault and the one before was better. Put the bundle before back.",
        "3. **Retrain**: the model is only out of date. `make level2-retrain` does it, and the gate judges.",
        "",
        f"Decision `{decision['decision_id']}`; the same figures give the same id.",
    ]
    return "\n".join(lines) + "\n"


def _row(reason: Mapping[str, Any]) -> str:
    places = list(reason["segments"])
    where = ", ".join(places[:5]) + (f" and {len(places) - 5} more" if len(places) > 5 else "") or "all"
    page = PAGES.get(reason["trigger"])
    runbook = f"{RUNBOOKS}/{page}.md" if page else ""
    return f"| {reason['trigger']} | {_cell(reason['text'])} | {where} | {runbook} |"


def _evidence(reason: Mapping[str, Any]) -> list[str]:
    shown = json.dumps(reason["evidence"], indent=1)
    return [
        "",
        f"<details><summary>{reason['trigger']}</summary>",
        "",
        "```json",
        shown,
        "```",
        "",
        "</details>",
        "",
    ]


def _cell(text: str) -> str:
    return " ".join(text.replace("|", "/").split())
