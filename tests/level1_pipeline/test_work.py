import hashlib
import os
from datetime import datetime

import numpy as np
import pytest

from demand.errors import UsageError
from level1_pipeline.work import Work

FIRST, LATER = datetime(2026, 6, 22, 6, 0, 0, 123456), datetime(2026, 6, 22, 7)


@pytest.fixture
def work(tmp_path):
    return Work.open(tmp_path, "abc123")


def test_a_piece_comes_back_as_it_was_kept(work, tmp_path):
    value = {"weights": np.array([0.1, np.nan, 1e-300]), "name": "R01-large-fast"}
    work.keep("judged/R01-large-fast", value)
    found = Work.open(tmp_path, "abc123").find("judged/R01-large-fast")
    np.testing.assert_array_equal(found["weights"], value["weights"])
    assert found["name"] == value["name"]
    assert work.find("final/R01-large-fast") is None


def test_a_later_piece_of_a_name_replaces_the_earlier(work):
    work.keep("network", 1)
    work.keep("network", 2)
    assert work.find("network") == 2
    assert len(pieces(work)) == 1


def test_names_that_read_alike_are_different_pieces(work):
    names = ["R/1", "R 1", "R-1", "r-1", "São Paulo-large-fast", "x" * 1000, "../escape"]
    for value, name in enumerate(names):
        work.keep(name, value)
    assert [work.find(name) for name in names] == list(range(len(names)))
    assert len(pieces(work)) == len(names)


@pytest.mark.parametrize("name", ["", "x" * 1001])
def test_a_name_that_is_none_is_refused(work, name):
    with pytest.raises(UsageError, match="expected a name of 1 to 1000 characters"):
        work.keep(name, 1)


def test_a_piece_cut_off_anywhere_counts_as_not_there(work):
    work.keep("network", list(range(50)))
    (path,) = pieces(work)
    whole = path.read_bytes()
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        assert work.find("network") is None, length
    path.write_bytes(whole + b"x")
    assert work.find("network") is None
    path.write_bytes(whole)
    assert work.find("network") == list(range(50))


def test_a_piece_with_any_bit_flipped_counts_as_not_there(work):
    work.keep("network", list(range(50)))
    (path,) = pieces(work)
    whole = path.read_bytes()
    for place in range(len(whole)):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 1 << place % 8]) + whole[place + 1 :])
        assert work.find("network") is None, place


def test_a_piece_of_another_format_or_name_counts_as_not_there(work):
    work.keep("a", 1)
    work.keep("b", 2)
    a, b = sorted(pieces(work))
    a.write_bytes(a.read_bytes().replace(b"level1 piece 1", b"level1 piece 0"))
    assert work.find("a") is None
    a.write_bytes(b.read_bytes())
    assert work.find("a") is None


def test_a_piece_of_code_that_is_gone_counts_as_not_there(work):
    work.keep("a", 1)
    (path,) = pieces(work)
    body = b"cgone.module\nClass\n."
    hashes = "\n".join(hashlib.sha256(part).hexdigest() for part in (b"a", body))
    path.write_bytes(f"level1 piece 1\n{hashes}\n\n".encode() + body)
    assert work.find("a") is None


def test_only_this_account_may_read_or_write(work):
    work.keep("a", 1)
    assert [path.stat().st_mode & 0o777 for path in (work.folder, *pieces(work))] == [0o700, 0o600]


def test_a_folder_that_others_may_write_is_refused(work, tmp_path):
    work.folder.chmod(0o777)
    with pytest.raises(UsageError, match=r"only this account may write; got owner .*, mode 777"):
        Work.open(tmp_path, "abc123")


def test_a_folder_of_another_account_is_refused(work, tmp_path, monkeypatch):
    monkeypatch.setattr(os, "getuid", lambda: 12345)
    with pytest.raises(UsageError, match="only this account may write"):
        Work.open(tmp_path, "abc123")


@pytest.mark.parametrize("version", ["", "..", "a/b", ".hidden"])
def test_a_version_that_is_no_name_is_refused(tmp_path, version):
    with pytest.raises(UsageError, match="model version: expected letters"):
        Work.open(tmp_path, version)


def test_when_work_began_is_fixed_at_the_first_start(work, tmp_path):
    assert work.begun(FIRST) == FIRST
    assert Work.open(tmp_path, "abc123").begun(LATER) == FIRST
    assert Work.open(tmp_path, "other").begun(LATER) == LATER


@pytest.mark.parametrize("content", ["", '{"format": 1', "[]", '{"format": 0}', '{"format": 1}'])
def test_a_mark_that_is_none_counts_as_not_there(work, content):
    for name in ("begun.json", "done.json"):
        (work.folder / name).write_text(content)
    assert work.begun(LATER) == LATER
    assert work.done() is None


def test_a_finished_version_says_so_and_keeps_no_piece_and_no_other_work(work, tmp_path):
    Work.open(tmp_path, "older").keep("a", 1)
    work.begun(FIRST)
    work.keep("a", 1)
    assert work.done() is None
    work.finish({"run_id": "r1"})
    again = Work.open(tmp_path, "abc123")
    assert again.done() == {"run_id": "r1"}
    assert again.begun(LATER) == FIRST
    assert [path.name for path in (tmp_path / "work").iterdir()] == ["abc123"]
    assert sorted(path.name for path in work.folder.iterdir()) == ["begun.json", "done.json"]


def test_pieces_that_a_killed_finish_left_are_removed(work, tmp_path, monkeypatch):
    work.keep("a", 1)
    monkeypatch.setattr(Work, "clear", killed)
    with pytest.raises(KeyboardInterrupt):
        work.finish({})
    monkeypatch.undo()
    assert len(pieces(work)) == 1
    again = Work.open(tmp_path, "abc123")
    assert again.done() == {} and pieces(again) == []


def test_work_that_is_forgotten_begins_anew(work):
    work.begun(FIRST)
    work.keep("a", 1)
    work.finish({})
    work.forget()
    assert (work.done(), work.find("a"), work.begun(LATER)) == (None, None, LATER)


def test_opening_sweeps_what_a_killed_run_was_writing(work, tmp_path):
    (tmp_path / "bundle").mkdir()
    left = [
        work.folder / ".a.piece.x.part",
        tmp_path / ".report.csv.x.part",
        tmp_path / "bundle" / ".v.x.part",
    ]
    kept = tmp_path / ".forecasts.parquet.x.part"  # scoring writes it, and holds no lock
    for path in (*left, kept):
        path.touch()
    Work.open(tmp_path, "abc123")
    assert [path.exists() for path in (*left, kept)] == [False, False, False, True]


def pieces(work):
    return list(work.folder.glob("*.piece"))


def killed(*_):
    raise KeyboardInterrupt
