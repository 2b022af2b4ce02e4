from datetime import UTC, datetime, timedelta

import pytest

from level1_pipeline.stages import Recorder


def ticking():
    """A clock that moves on by a second each time it is read."""
    moments = iter(datetime(2026, 6, 22, 6, tzinfo=UTC) + timedelta(seconds=i) for i in range(99))
    return lambda: next(moments)


def test_a_stage_keeps_when_it_ran_and_what_went_through():
    named = []
    recorder = Recorder(named.append, ticking())
    with recorder.stage("ingest", data="tiny") as stage:
        stage.note(rows_in=2, rows_out=1, hashes={"stores.csv": "ab"})
    (found,) = recorder.as_dicts()
    assert found.pop("seconds") >= 0
    assert named == ["ingest"]
    assert found == {
        "name": "ingest",
        "start": "2026-06-22T06:00:01+00:00",
        "end": "2026-06-22T06:00:02+00:00",
        "rows_in": 2,
        "rows_out": 1,
        "hashes": {"stores.csv": "ab"},
        "parameters": {"data": "tiny"},
        "status": "done",
    }
    assert recorder.utc == datetime(2026, 6, 22, 6)


def test_a_stage_that_raises_is_kept_as_failed():
    recorder = Recorder(print, ticking())
    with pytest.raises(ValueError, match="broken"), recorder.stage("train"):
        raise ValueError("broken")
    assert [(stage.status, stage.end) for stage in recorder.stages] == [
        ("failed", "2026-06-22T06:00:02+00:00")
    ]
