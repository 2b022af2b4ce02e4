"""The same as tests/drills/disk.py does for every file: here for one file of each kind."""

import errno
import os
import shutil
from pathlib import Path

import pytest

pytestmark = pytest.mark.trained
# In the order in which a run writes them.
KINDS = [
    ".piece",
    "begun.json",  # without tracking, needed only here
    ".onnx",
    "manifest.json",
    "current.json",
    "report.csv",
    "run.json",
    "done.json",
]


@pytest.fixture
def store(trained_store, tmp_path):
    """A store with a model in use."""
    if not Path("/proc/self/fd").is_dir():
        pytest.skip("/proc is not there: nothing else tells the name of a file that is being written")
    return shutil.copytree(trained_store, tmp_path / "store")


def test_a_disk_that_is_full_at_any_file_is_told_and_leaves_the_model_in_use(
    store, tiny_raw_folder, cli, small, monkeypatch
):
    shown = ("current.json", "report.csv", "run.json")
    before = {name: (store / name).read_bytes() for name in shown}
    refused = []
    sync = os.fsync

    def full(handle):
        name = Path(f"/proc/self/fd/{handle}").readlink().name  # .name.random.part
        kind = next((kind for kind in KINDS if kind in name), None)
        if kind and kind not in refused:
            refused.append(kind)
            raise OSError(errno.ENOSPC, "No space left on device")
        sync(handle)

    monkeypatch.setattr(os, "fsync", full)
    command = ["train", "--data", tiny_raw_folder, "--env-dir", store, "--no-tracking", "--quiet", *small]
    for _ in range(len(KINDS) + 1):
        outcome = cli(*command, "--set=training.stride=7")
        if outcome.code != 5:
            break
        assert f"Error: {store}/" in outcome.err and "bytes; got No space left on device" in outcome.err
        after = {name: (store / name).read_bytes() for name in shown}
        assert after == before or refused[-1] not in KINDS[:5]  # the pointer is replaced before the report
    assert outcome.code in (0, 7), outcome.err
    assert refused == KINDS
    assert (store / "current.json").read_bytes() != before["current.json"]
    assert not list(store.rglob(".*.part"))
