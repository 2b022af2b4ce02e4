"""The mirrors of the ledger: pointer, published forecasts and alias follow it whenever a command begins."""

import json
from pathlib import Path

from level1_pipeline import store
from level2_cicd.alias import follow_alias
from level2_cicd.environments import Environment
from level2_cicd.evidence import manifest_sha256
from level2_cicd.ledger import Ledger, Row, open_ledger, serving_row

STAGING = ".staging"  # forecasts that wait for their row in the ledger, a folder for each process


def settle(environment: Environment, *, alias: bool = True) -> list[str]:
    """Makes pointer, forecasts and alias follow the ledger; what was mended, or cannot be yet, in sentences.

    Every command begins with it, so that one that was cut off is ended by the next. Does nothing twice.
    alias: whether the registry is asked as well. Raises what the ledger raises.
    """
    mended, still = follow_ledger(environment, alias=alias)
    return [*mended, *still]


def follow_ledger(environment: Environment, *, alias: bool = True) -> tuple[list[str], list[str]]:
    """The same, as two lists: what follows the ledger now, and what cannot yet."""
    ledger = open_ledger(environment)
    if not ledger.rows():
        return [], []
    still: list[str] = []
    mended = [_follow_pointer(environment, ledger, still), _follow_forecasts(environment, ledger)]
    if alias:
        still.append(follow_alias(environment, ledger))
    return [each for each in mended if each], [each for each in still if each]


def pointer_of(row: Row) -> dict[str, object]:
    """What the pointer says where a row decides what serves."""
    sha256 = row.evidence["manifest_sha256"]
    return {"format": 1, "model_version": row.version, "manifest_sha256": sha256}


def read_pointer(environment: Environment) -> object:
    """What the pointer says; None where there is none that can be read."""
    try:
        return json.loads((environment.store / store.CURRENT).read_bytes())
    except (OSError, ValueError):
        return None


def staged(environment: Environment, sha256: str) -> Path | None:
    """Where forecasts lie until they are published, which is after their row is in the ledger."""
    return next(iter((environment.store / STAGING).glob(f"*/{sha256}.parquet")), None)


def last_scored(rows: list[Row]) -> Row | None:
    """The row of the forecasts that were published last."""
    return next((row for row in reversed(rows) if row.kind == "scored"), None)


def _follow_pointer(environment: Environment, ledger: Ledger, still: list[str]) -> str:
    """What was mended; `still` then says why the pointer cannot follow."""
    row = serving_row(ledger.rows())
    if row is None or read_pointer(environment) == pointer_of(row):
        return ""
    with ledger.held() as rows:  # nobody promotes anything else meanwhile
        row = serving_row(rows)
        assert row is not None
        if manifest_sha256(environment, row.version) != row.evidence["manifest_sha256"]:
            still.append(
                f"{row.version} serves by the ledger, but its bundle is not there as it was released, and "
                f"{store.CURRENT} cannot name it: restore it, or roll back."
            )
            return ""
        store.point_at(environment.store, row.version)
    return f"{store.CURRENT} now names {row.version}, as row {row.seq} of the ledger says."


def _follow_forecasts(environment: Environment, ledger: Ledger) -> str:
    row = last_scored(ledger.rows())
    if row is None or staged(environment, row.evidence["sha256"]) is None:
        return ""
    with ledger.held() as rows:
        row = last_scored(rows)
        assert row is not None
        waiting = staged(environment, row.evidence["sha256"])
        if waiting is not None and store.sha256_of(waiting) == row.evidence["sha256"]:
            waiting.replace(environment.store / store.FORECASTS)
            return f"{store.FORECASTS} now holds the forecasts of row {row.seq} of the ledger."
    return ""
