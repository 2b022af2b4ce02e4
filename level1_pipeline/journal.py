"""Keeps the record of a run in its store: running from the first moment, then done or failed."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from level1_pipeline import store
from level1_pipeline.metadata import component_versions, executor
from level1_pipeline.records import Order
from level1_pipeline.runs import RunStart, abandon_runs, begin_run, end_run, fail_run, new_run_id
from level1_pipeline.stages import Recorder
from level1_pipeline.versions import code_version, package_versions


@contextmanager
def recorded(order: Order, recorder: Recorder) -> Iterator[dict[str, Any]]:
    """What the run found, to be filled in while it goes on; its record ends with the block.

    Only for the holder of the store's lock: runs that are still called running are marked as abandoned.
    """
    run_id = new_run_id(recorder.started_at)
    abandon_runs(order.store, recorder.started_at, run_id)
    begun = begin_run(order.store, _start(order, recorder, run_id))
    found: dict[str, Any] = {"run_id": run_id}
    try:
        yield found
    except BaseException as error:
        told = {**found, "stages": recorder.as_dicts()}
        try:
            fail_run(order.store, begun, datetime.now(UTC), error, told)
        except OSError as also:  # a disk that is full, perhaps: the first error is the one to tell
            error.add_note(str(also))
        raise
    end_run(order.store, begun, datetime.now(UTC), {"stages": recorder.as_dicts(), **found})


def _start(order: Order, recorder: Recorder, run_id: str) -> RunStart:
    versions = {
        "pipeline": code_version(),
        "components": component_versions(),
        "packages": package_versions(),
    }
    return RunStart(
        run_id=run_id,
        started_at=recorder.started_at,
        command="train",
        versions=versions,
        executor={**executor(os.environ), "workers": str(order.executor)},
        parameters={**asdict(order.config), "data": order.data.name, "unit_jump": order.unit_jump},
        previous_model=store.pointed_at(order.store),
    )
