"""Rollback: a version that served before serves again, and its forecasts are issued anew."""

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from demand.errors import UsageError
from level2_cicd.bundles import whole_bundle
from level2_cicd.environments import Environment
from level2_cicd.evidence import evidence
from level2_cicd.issuing import Issued, batch_of, data_of, issue
from level2_cicd.ledger import SERVING_KINDS, Ledger, Moved, Row, open_ledger, served, serving_row
from level2_cicd.mirrors import follow_ledger, settle

NO_DATA = "There are no data to score, so the forecasts are still those of before: issue them with --data."


@dataclass(frozen=True)
class Rollback:
    """What came of a rollback.

    previous: version that served until then. again: the row was there already; what was left to do is done.
    issued: the forecasts, None where nothing was to be done or there were no data to score. seconds: of the
    whole. said: what was mended on the way, or follows later.
    """

    environment: str
    version: str
    previous: str
    row: Row
    again: bool
    issued: Issued | None
    seconds: float
    said: tuple[str, ...] = ()


def roll_back(
    environment: Environment,
    *,
    to: str | None = None,
    approver: str,
    reason: str,
    data: Path | None = None,
) -> Rollback:
    """Lets the version of the promotion before serve again, or any that once did, and issues its forecasts.

    The bundle is verified anew, and fetched from the registry where it is damaged. One that was cut off is
    ended by the same command, not gone beyond. Raises UsageError where there is nothing to go back to,
    IntegrityError for a bundle that nothing can replace, Moved where somebody else was quicker, and what
    scoring raises; then the version serves all the same.
    """
    begin = time.monotonic()
    said = settle(environment, alias=False)
    ledger = open_ledger(environment)
    row, previous, again = _enter(environment, ledger, to, (approver, reason))
    said += follow_ledger(environment, alias=False)[1]
    issued = None
    if data is None and data_of(environment) is None:
        said.append(NO_DATA)
    elif not again or _is_unfinished(ledger.rows()):
        issued = issue(environment, actor=approver, reason=reason, batch=batch_of(environment, data))
    said += follow_ledger(environment)[1]  # the registry comes last: it may be slow
    seconds = round(time.monotonic() - begin, 1)
    return Rollback(environment.name, row.version, previous, row, again, issued, seconds, tuple(said))


def target(rows: list[Row], to: str | None, environment: str) -> str:
    """The version to go back to; raises UsageError where there is none, or `to` never served."""
    every = [row.version for row in rows if row.kind in SERVING_KINDS]
    if to is not None and to not in every:
        shown = ", ".join(dict.fromkeys(every)) or "none"
        raise UsageError(
            f"--to: expected a version that once served in {environment}; got {to!r}. Those are: {shown}."
        )
    standing = served(rows)
    if to is None and len(standing) < 2:
        raise UsageError(
            f"{environment}: expected a promotion before the one that serves; there is none. Name a version "
            "that once served with --to, or promote another one."
        )
    return to or standing[-2]


def _enter(
    environment: Environment, ledger: Ledger, to: str | None, said: tuple[str, str]
) -> tuple[Row, str, bool]:
    """The row by which the version serves, what served until then, and whether the row was there already."""
    rows = ledger.rows()
    now = serving_row(rows)
    if now is None:
        raise UsageError(f"{environment.name}: expected a version that serves; nothing was ever promoted.")
    if to in (None, now.version) and _is_unfinished(rows) and data_of(environment) is not None:
        return now, str(now.evidence["from"]), True
    version = target(rows, to, environment.name)
    if version == now.version:
        return now, version, True
    promotion = next(row for row in reversed(rows) if row.version == version and row.kind in SERVING_KINDS)
    sha256 = str(promotion.evidence["manifest_sha256"])
    manifest = whole_bundle(environment, version, sha256).manifest
    content = {**evidence(environment, manifest), "segments": promotion.evidence["segments"]}
    content["from"] = now.version
    return _decided(ledger, now, (version, content), said)


def _decided(
    ledger: Ledger, before: Row, entry: tuple[str, dict[str, Any]], said: tuple[str, str]
) -> tuple[Row, str, bool]:
    """As `_enter`, while what serves is by the row `before`; rows of other kinds may come meanwhile."""
    version, content = entry
    while True:
        rows = ledger.rows()
        now = serving_row(rows)
        if now != before:
            break
        try:
            return (
                ledger.append("rolled_back", version, content, *said, expected=rows[-1].hash),
                now.version,
                False,
            )
        except Moved:
            continue
    if now is not None and now.version == version:  # somebody else did the same
        return now, before.version, True
    raise Moved(
        f"{ledger.environment}: expected that {before.version} still serves; another version was put in its "
        "place meanwhile. Look at `history` and decide again."
    )


def _is_unfinished(rows: list[Row]) -> bool:
    """Whether the last rollback was cut off before its forecasts were issued."""
    now = serving_row(rows)
    if now is None or now.kind != "rolled_back":
        return False
    return not any(row.kind == "scored" for row in rows[now.seq :])
