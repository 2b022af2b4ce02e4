"""Issues forecasts: scores with what serves, enters that in the ledger, then publishes."""

import os
import shutil
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import psutil

from demand.errors import UsageError
from level1_pipeline import store
from level1_pipeline.batch import Batch, Scored, score_batch
from level1_pipeline.executor import Executor
from level1_pipeline.progress import Watch
from level2_cicd.environments import Environment
from level2_cicd.ledger import Ledger, Moved, Row, open_ledger, serving_row
from level2_cicd.mirrors import STAGING, last_scored, settle

TRIES = 5  # as often as a promotion may come between scoring and its row


@dataclass(frozen=True)
class Issued:
    """Forecasts that were published: their row in the ledger, and what scoring says of them."""

    row: Row
    scored: Scored


def issue(
    environment: Environment,
    *,
    actor: str,
    reason: str,
    batch: Batch | None = None,
    watch: Watch | None = None,
) -> Issued:
    """The forecasts of what serves, published as the environment's forecasts.parquet.

    batch: what is to be scored and where (`batch_of`), the data of the last time if None; its `out` is not
    used. The row comes first, then the file: who is killed in between is ended by the next `settle`. Raises
    UsageError where nothing serves or there are no data, and what scoring raises.
    """
    settle(environment, alias=False)
    ledger = open_ledger(environment)
    batch = batch or batch_of(environment)
    for _ in range(TRIES):
        row = serving_row(ledger.rows())
        if row is None:
            raise UsageError(f"{environment.name}: expected a version that serves; promote one first.")
        with _workplace(environment) as folder:
            scored, sha256 = _score(folder, environment, batch, watch)
            try:
                entered = _enter(ledger, row, _content(environment, batch, scored, sha256), (actor, reason))
            except Moved:
                continue
            settle(environment, alias=False)
        return Issued(entered, scored)
    raise Moved(f"{environment.name}: what serves changed {TRIES} times while it was scored. Try again.")


def batch_of(
    environment: Environment,
    data: Path | None = None,
    as_of: date | None = None,
    executor: Executor = Executor(),  # noqa: B008 - frozen, so it can be shared
) -> Batch:
    """What is to be scored: `data`, else what was scored the last time, else the environment's own data.

    Raises UsageError where there are none.
    """
    folder = data or data_of(environment)
    if folder is None:
        raise UsageError(
            f"{environment.data}: expected data to score; got no folder. Name it with --data, or make it: "
            f"python -m level1_pipeline data generate --size {environment.size} --out {environment.data}"
        )
    return Batch(folder, environment.store, environment.store / store.FORECASTS, as_of, executor=executor)


def data_of(environment: Environment) -> Path | None:
    """The folder that was scored the last time, else the environment's own; None where neither is there."""
    row = last_scored(open_ledger(environment).rows())
    last = [environment.store / row.evidence["data"]] if row else []  # an absolute path stays one
    return next((each for each in (*last, environment.data) if each.is_dir()), None)


@contextmanager
def _workplace(environment: Environment) -> Iterator[Path]:
    """A folder of this process, gone at the end; those of processes that were killed go as well."""
    folder = environment.store / STAGING
    folder.mkdir(exist_ok=True)
    host = socket.gethostname()
    for left in folder.glob(f"{host}@*@*"):
        if not psutil.pid_exists(int(left.name.split("@")[1])):
            shutil.rmtree(left, ignore_errors=True)
    with TemporaryDirectory(prefix=f"{host}@{os.getpid()}@", dir=folder) as own:
        yield Path(own)


def _score(folder: Path, environment: Environment, batch: Batch, watch: Watch | None) -> tuple[Scored, str]:
    """What scoring found, and the sha256 of the forecasts, which now wait in the folder."""
    part = folder / "scoring.parquet"
    job = Batch(batch.data, environment.store, part, batch.as_of, batch.unit_jump, batch.executor)
    if watch is not None:
        scored = score_batch(job, watch)
    else:
        with Watch(quiet=True) as silent:
            scored = score_batch(job, silent)
    sha256 = store.sha256_of(part)
    part.replace(folder / f"{sha256}.parquet")
    return scored, sha256


def _content(environment: Environment, batch: Batch, scored: Scored, sha256: str) -> dict[str, Any]:
    delivery, own = scored.delivery, environment.store.resolve()
    data = batch.data.resolve()
    sources = scored.totals.groupby("source")["rows"].sum()
    return {
        "data": (data.relative_to(own) if data.is_relative_to(own) else data).as_posix(),
        "data_hash": delivery.data_hash,
        "as_of": delivery.as_of.isoformat(),
        "sha256": sha256,
        "rows": scored.rows,
        "sources": {str(name): int(rows) for name, rows in sources.items()},
        "absent": len(scored.absent),
        "refused": dict(scored.refused),
    }


def _enter(ledger: Ledger, served: Row, content: dict[str, Any], said: tuple[str, str]) -> Row:
    """The row of these forecasts; raises Moved where another version serves by now."""
    while True:
        rows = ledger.rows()
        if serving_row(rows) != served:
            raise Moved(f"{served.version} no longer serves.")
        try:
            return ledger.append("scored", served.version, content, *said, expected=rows[-1].hash)
        except Moved:
            continue
