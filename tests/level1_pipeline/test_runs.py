import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from demand.errors import DataError, UsageError
from level1_pipeline import runs
from level1_pipeline.runs import (
    RunStart,
    abandon_runs,
    begin_run,
    end_run,
    fail_run,
    latest_done,
    list_runs,
    new_run_id,
    plain,
    pointers,
    read_run,
)

MONDAY = datetime(2026, 6, 22, 6, tzinfo=UTC)
START = RunStart(
    run_id="20260622-060000-000000",
    started_at=MONDAY,
    command="train",
    versions={"pipeline": "abc", "components": {"ingest": "0123"}, "packages": {"pandas": "3.1"}},
    executor={"user": "ada", "host": "mill", "process": 7, "service": None},
    parameters={"network": {"epochs": 8}, "unit_jump": 1.9},
    previous_model="old",
)


def begin(store, *, days=0):
    at = MONDAY + timedelta(days=days)
    return begin_run(store, replace(START, run_id=new_run_id(at), started_at=at))


def test_a_run_is_there_from_its_first_moment(tmp_path):
    expected = {
        "format": 1,
        "run_id": "20260622-060000-000000",
        "command": "train",
        "status": "running",
        "start": "2026-06-22T06:00:00+00:00",
        "end": None,
        "duration_seconds": None,
        "executor": {"user": "ada", "host": "mill", "process": 7, "service": None},
        "versions": {"pipeline": "abc", "components": {"ingest": "0123"}, "packages": {"pandas": "3.1"}},
        "parameters": {"network": {"epochs": 8}, "unit_jump": 1.9},
        "previous_model": "old",
    }
    assert begin(tmp_path) == expected
    assert json.loads((tmp_path / "runs" / "20260622-060000-000000.json").read_text()) == expected


def test_a_run_that_is_done_keeps_its_beginning_and_says_what_it_found(tmp_path):
    begun = begin(tmp_path)
    found = {"model_version": "new", "metrics": {"mape": 31.5, "rmse0": float("nan")}}
    done = end_run(tmp_path, begun, MONDAY + timedelta(seconds=90.25), found)
    assert done == {
        **begun,
        "status": "done",
        "end": "2026-06-22T06:01:30.250000+00:00",
        "duration_seconds": 90.25,
        "model_version": "new",
        "metrics": {"mape": 31.5, "rmse0": None},
    }
    assert read_run(tmp_path, begun["run_id"]) == done


def test_a_run_that_failed_says_why_and_how_far_it_came(tmp_path):
    begun = begin(tmp_path)
    failed = fail_run(
        tmp_path, begun, MONDAY + timedelta(seconds=5), ValueError("broken"), {"stages": [{"name": "ingest"}]}
    )
    assert failed["status"] == "failed" and failed["error"] == "ValueError: broken"
    assert failed["duration_seconds"] == 5 and failed["stages"] == [{"name": "ingest"}]
    assert read_run(tmp_path, "latest") == failed


def test_a_run_whose_file_has_gone_can_still_end(tmp_path):
    begun = begin(tmp_path)
    (tmp_path / "runs" / f"{begun['run_id']}.json").unlink()
    assert end_run(tmp_path, begun, MONDAY, {})["status"] == "done"


def test_runs_that_never_ended_are_marked_but_one_that_looks_is_not(tmp_path):
    done = end_run(tmp_path, begin(tmp_path), MONDAY, {})
    dead, own = begin(tmp_path, days=1), begin(tmp_path, days=2)
    noticed = MONDAY + timedelta(days=2)
    assert abandon_runs(tmp_path, noticed, own["run_id"]) == [dead["run_id"]]
    assert read_run(tmp_path, dead["run_id"]) == {
        **dead,
        "status": "abandoned",
        "noticed": "2026-06-24T06:00:00+00:00",
    }
    assert read_run(tmp_path, own["run_id"]) == own and read_run(tmp_path, done["run_id"]) == done
    assert abandon_runs(tmp_path, noticed) == [own["run_id"]]
    assert abandon_runs(tmp_path, noticed) == []


def test_runs_are_listed_with_the_latest_first(tmp_path):
    ids = [begin(tmp_path, days=days)["run_id"] for days in (1, 0, 2)]
    records, faults = list_runs(tmp_path)
    assert [each["run_id"] for each in records] == [ids[2], ids[0], ids[1]]
    assert faults == []


def test_a_store_without_runs_has_none(tmp_path):
    assert list_runs(tmp_path / "none") == ([], [])
    assert latest_done(tmp_path) is None


def test_the_record_to_compare_with_is_that_of_the_last_run_that_was_done(tmp_path):
    for days, found in enumerate(({"data": {"n": 1}}, {"data": {"n": 2}}, {})):
        end_run(tmp_path, begin(tmp_path, days=days), MONDAY + timedelta(days=days), found)
    fail_run(tmp_path, begin(tmp_path, days=3), MONDAY, ValueError(), {"data": {"n": 4}})
    found = latest_done(tmp_path)
    assert found is not None and found["data"] == {"n": 2}


BROKEN = {
    "empty": "",
    "cut off": '{"run_id": "20260623',
    "a list": "[]",
    "no id": '{"status": "done", "start": "2026-06-22T06:00:00+00:00"}',
    "another's": '{"run_id": "other", "status": "done", "start": "2026-06-22T06:00:00+00:00"}',
    "no such status": '{"run_id": "broken", "status": "fine", "start": "2026-06-22T06:00:00+00:00"}',
    "no time": '{"run_id": "broken", "status": "done", "start": "today"}',
    "no start": '{"run_id": "broken", "status": "done"}',
    "not text": b"\xff\xfe",
}


@pytest.mark.parametrize("content", BROKEN.values(), ids=BROKEN.keys())
def test_a_broken_record_is_named_and_does_not_stop_the_list(tmp_path, content):
    good = begin(tmp_path)
    path = tmp_path / "runs" / "broken.json"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    records, faults = list_runs(tmp_path)
    assert records == [good]
    assert len(faults) == 1 and f"{path}: expected the record of run broken; got " in faults[0]
    with pytest.raises(DataError, match="expected the record of run broken"):
        read_run(tmp_path, "broken")
    assert abandon_runs(tmp_path, MONDAY) == [good["run_id"]]


def test_half_written_and_hidden_files_are_no_runs(tmp_path):
    good = begin(tmp_path)
    (tmp_path / "runs" / ".20260622.json.abc").write_text("{")
    (tmp_path / "runs" / ".hidden.json").write_text("{")
    assert list_runs(tmp_path) == ([good], [])


def test_a_run_is_found_by_the_beginning_of_its_id(tmp_path):
    first, second = begin(tmp_path), begin(tmp_path, days=1)
    assert read_run(tmp_path, "20260622") == first
    assert read_run(tmp_path, "20260623-06") == second
    assert read_run(tmp_path, "latest") == second


def test_an_id_that_is_the_beginning_of_another_is_that_run(tmp_path):
    for run_id in ("a", "ab"):
        begin_run(tmp_path, replace(START, run_id=run_id))
    assert read_run(tmp_path, "a")["run_id"] == "a"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("2026", "'2026' fits 2. They are: 20260622-060000-000000, 20260623-060000-000000."),
        ("x", "'x' fits none. There are: 20260623-060000-000000, 20260622-060000-000000."),
        ("", "'' fits none. There are: "),
        ("../runs/20260622-060000-000000", "fits none"),
    ],
)
def test_an_id_that_fits_none_or_several_says_which_there_are(tmp_path, name, message):
    begin(tmp_path), begin(tmp_path, days=1)
    with pytest.raises(UsageError) as caught:
        read_run(tmp_path, name)
    assert message in str(caught.value)


@pytest.mark.parametrize("name", ["latest", "x"])
def test_a_store_without_runs_says_what_to_do(tmp_path, name):
    with pytest.raises(UsageError, match=f"'{name}' fits none. There are: none; run `train` first"):
        read_run(tmp_path, name)


def test_artifacts_are_named_by_path_hash_and_size(tmp_path):
    (tmp_path / "bundle" / "v1").mkdir(parents=True)
    for name, text in (("bundle/v1/b.onnx", "bb"), ("bundle/v1/a.json", ""), ("report.csv", "x")):
        (tmp_path / name).write_text(text)
    found = pointers(tmp_path, [tmp_path / "report.csv", tmp_path / "bundle", tmp_path / "absent"])
    assert [(each["path"], each["bytes"]) for each in found] == [
        ("report.csv", 1),
        ("bundle/v1/a.json", 0),
        ("bundle/v1/b.onnx", 2),
    ]
    assert found[0]["sha256"] == "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"


def test_whatever_a_run_finds_can_be_written():
    found = plain(
        {
            1: (float("nan"), float("inf"), np.float32(0.5), np.int64(3), True, None),
            "when": [MONDAY, date(2026, 6, 22)],
            "where": Path("a") / "b",
            "which": {"y", "x"},
        }
    )
    assert found == {
        "1": [None, None, 0.5, 3, True, None],
        "when": ["2026-06-22T06:00:00+00:00", "2026-06-22"],
        "where": str(Path("a") / "b"),
        "which": ["x", "y"],
    }


def test_a_record_is_replaced_whole_or_not_at_all(tmp_path, monkeypatch):
    begun = begin(tmp_path)

    def full(path, content):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("level1_pipeline.store.write_bytes", full)
    with pytest.raises(OSError, match="No space"):
        end_run(tmp_path, begun, MONDAY, {})
    assert runs.read_run(tmp_path, "latest") == begun
