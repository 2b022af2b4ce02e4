import errno
import os
import pickle
import subprocess
import sys
from pathlib import Path

import pytest

from demand.sources import publish
from demand.sources.publish import DiskFullError, publishing, sweep, write_bytes

FULL = OSError(errno.ENOSPC, "No space left on device")


def names(folder):
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("step", ["tempfile.mkstemp", "os.fsync", "pathlib.Path.replace"])
def test_a_full_disk_leaves_the_old_file_and_names_path_and_bytes(step, tmp_path, monkeypatch):
    path = tmp_path / "report.csv"
    write_bytes(path, b"old")
    monkeypatch.setattr(step, raising(FULL))
    with pytest.raises(DiskFullError) as caught:
        write_bytes(path, b"new" * 1000)
    monkeypatch.undo()
    assert str(caught.value) == (
        f"{path}: expected room for 3,000 bytes; got No space left on device. "
        "What stood there is unchanged. Make room and run the same command again."
    )
    assert caught.value.errno == errno.ENOSPC
    assert path.read_bytes() == b"old" and names(tmp_path) == ["report.csv"]


def test_another_error_of_the_disk_stays_what_it_is(tmp_path, monkeypatch):
    monkeypatch.setattr("os.fsync", raising(OSError(errno.EIO, "Input/output error")))
    with pytest.raises(OSError, match="Input/output error") as caught:
        write_bytes(tmp_path / "report.csv", b"new")
    assert not isinstance(caught.value, DiskFullError)


def test_the_error_of_a_full_disk_passes_between_processes():
    error = pickle.loads(pickle.dumps(DiskFullError(errno.ENOSPC, "no room", "report.csv")))
    assert (str(error), error.errno) == ("report.csv: no room", errno.ENOSPC)


def test_a_folder_on_a_full_disk_leaves_the_old_one_and_names_its_bytes(tmp_path):
    folder = tmp_path / "bundle"
    with publishing(folder) as part:
        write_bytes(part / "manifest.json", b'{"files": {}}')
    with pytest.raises(DiskFullError, match="bundle: expected room for 5 bytes"), publishing(folder) as part:
        write_bytes(part / "graph", b"12345")
        raise FULL
    assert names(tmp_path) == ["bundle"] and names(folder) == ["manifest.json"]


def test_a_file_of_a_folder_is_the_one_that_is_named(tmp_path, monkeypatch):
    with (
        pytest.raises(DiskFullError, match="graph: expected room for 9 bytes"),
        publishing(tmp_path / "b") as part,
    ):
        monkeypatch.setattr("os.fsync", raising(FULL))
        write_bytes(part / "graph", b"123456789")
    assert names(tmp_path) == []


@pytest.mark.parametrize("in_one_step", [True, False])
def test_a_folder_takes_the_place_of_the_one_before(in_one_step, tmp_path, monkeypatch):
    folder = tmp_path / "bundle"
    moves = []
    if not in_one_step:
        monkeypatch.setattr(publish, "_exchange", lambda first, second: moves.append(first))
    for content in (b'{"files": {}}', b'{"files": {} }'):
        with publishing(folder) as part:
            write_bytes(part / "manifest.json", content)
    assert (folder / "manifest.json").read_bytes() == b'{"files": {} }'
    assert names(tmp_path) == ["bundle"]
    assert len(moves) == (not in_one_step)


@pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="only Linux exchanges two folders in one step"
)
def test_while_a_folder_is_replaced_there_is_always_one(tmp_path, monkeypatch):
    # The only rename that may touch a folder in use is the exchange: a kill between two would leave none.
    folder = tmp_path / "bundle"
    with publishing(folder) as part:
        write_bytes(part / "manifest.json", b'{"files": {}}')
    monkeypatch.setattr(Path, "rename", raising(AssertionError("renamed")))
    with publishing(folder) as part:
        (part / "manifest.json").write_bytes(b'{"files": {} }')
    assert (folder / "manifest.json").read_bytes() == b'{"files": {} }'


def test_two_folders_are_not_exchanged_where_one_is_missing(tmp_path):
    (tmp_path / "a").mkdir()
    assert not publish._exchange(tmp_path / "a", tmp_path / "b")


def test_what_killed_writers_left_is_swept_and_nothing_else(tmp_path):
    program = (
        "import os, sys\nfrom pathlib import Path\n"
        "from demand.sources.publish import publishing, write_bytes\n"
        "folder = Path(sys.argv[1])\n"
        "os.fsync = lambda handle: os._exit(9)\n"
        "with publishing(folder / 'bundle'): write_bytes(folder / 'a.csv', b'')"
    )
    done = subprocess.run([sys.executable, "-c", program, str(tmp_path)], check=False)
    assert done.returncode == 9
    (tmp_path / "a.csv").touch()
    (tmp_path / ".hidden").touch()
    (tmp_path / ".forecasts.parquet.abc.part").touch()
    assert len(names(tmp_path)) == 5
    assert [name[:6] for name in sweep(tmp_path, "a.csv", "bundle")] == [".a.csv", ".bundl"]
    assert names(tmp_path) == [".forecasts.parquet.abc.part", ".hidden", "a.csv"]
    assert sweep(tmp_path) == [".forecasts.parquet.abc.part"]


def test_a_disk_that_is_really_full_leaves_the_old_file(tmp_path):
    program = (
        "import sys; from pathlib import Path; from demand.sources.publish import write_bytes\n"
        "path = Path(sys.argv[1]) / 'report.csv'; write_bytes(path, b'old')\n"
        "try: write_bytes(path, bytes(300_000))\n"
        "except OSError as error: print(error)\n"
        "print(path.read_text(), [each.name for each in path.parent.iterdir()])"
    )
    command = f'mount -t tmpfs -o size=64k tmpfs "{tmp_path}" && exec "{sys.executable}" -c "$1" "{tmp_path}"'
    mounted = ["unshare", "--mount", "--map-root-user", "sh", "-c", command, "sh", program]
    try:
        done = subprocess.run(mounted, capture_output=True, text=True, check=True, env=dict(os.environ))
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"no small disk can be mounted here: {error}")
    said, left = done.stdout.splitlines()
    assert said.startswith(
        f"{tmp_path}/report.csv: expected room for 300,000 bytes; got No space left on device."
    )
    assert left == "old ['report.csv']"


def raising(error):
    def fail(*arguments, **options):
        raise error

    return fail
