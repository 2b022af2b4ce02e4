import re
import shutil

import pandas as pd
import pytest

FORM = "| {no} | {question} | {answer} |\n"


@pytest.fixture
def left(audit, level0, tmp_path):
    """What a run leaves, in its smallest form: nothing in it says what made it."""
    data = tmp_path / "data"
    data.mkdir()
    (data / "shipments.csv").write_text("week\n2026-06-15\n", encoding="utf-8")
    store = tmp_path / "store"
    shutil.copytree(level0 / "handoff", store / "handoff")
    (store / "handoff" / "ensembles.pickle").write_bytes(b"opaque")
    (store / "forecasts.csv").write_text("week,units\n2026-06-22,5\n", encoding="utf-8")
    settings = tmp_path / "settings.toml"
    settings.write_text("[network]\nmin_steps = 300\n", encoding="utf-8")
    return audit.Left(store, data, settings)


def again(audit, left):
    return audit.unanswered(audit.Left(left.store, left.data, left.settings))


def test_a_blank_form_answers_nothing(audit, left):
    assert audit.unanswered(left) == list(audit.QUESTIONS)
    assert len(audit.QUESTIONS) == 8


def evidence(audit, left):
    """For each question, in order, the file that answers it."""
    form = left.store / "handoff" / "FORM.md"
    blank = form.read_text(encoding="utf-8")
    approved = re.sub(r"(\| Who approved it, and when\? \|)", r"\1 the head of supply |", blank).replace(
        "| |\n| 8", "|\n| 8"
    )
    note = left.store / "note.txt"
    return [
        (note, audit.sha256(left.data / "shipments.csv")),
        (note, "code: 9ea3504b"),
        (note, '"min_steps": 300'),
        (left.store / "report.csv", "mape,origin,week,actual\n"),
        (form, approved),
        (note, "trained on weeks up to 2026-06-15"),
        (left.store / "forecasts.csv", "week,units,model_version\n"),
        (left.store / "handoff" / "ensembles-old.pickle", "opaque"),
    ]


@pytest.mark.parametrize("place", range(8))
def test_each_question_is_answered_by_its_evidence_alone(audit, left, place):
    path, text = evidence(audit, left)[place]
    path.write_text(text, encoding="utf-8")
    question = list(audit.QUESTIONS)[place]
    assert again(audit, left) == [other for other in audit.QUESTIONS if other != question]


def test_a_form_that_names_the_model_before_answers_what_was_in_use(audit, left):
    form = left.store / "handoff" / "FORM.md"
    text = form.read_text(encoding="utf-8")
    question = "| 9 | What was in use before, and where does it lie now? |"
    form.write_text(text.replace(f"{question} |", f"{question} old.pickle, on the share |"), encoding="utf-8")
    assert "What was in use before, to go back to?" not in again(audit, left)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("note.txt", "0" * 64),  # a hash of other data
        ("note.txt", '"min_steps": 3000'),  # another number
        ("note.txt", "code: to be said later"),
        ("note.txt", "trained last week"),
        ("other.csv", "model_version\n"),  # not the table of forecasts
        ("report.csv", "mape\n"),  # no table that proves it
    ],
)
def test_what_only_looks_like_evidence_answers_nothing(audit, left, name, text):
    (left.store / name).write_text(text, encoding="utf-8")
    assert again(audit, left) == list(audit.QUESTIONS)


def test_columns_of_parquet_count_like_those_of_csv(audit, left):
    (left.store / "forecasts.csv").unlink()
    pd.DataFrame({"model_version": ["a"]}).to_parquet(left.store / "forecasts.parquet")
    assert "Which model made this forecast?" not in again(audit, left)


def test_manual_steps_are_those_marked_as_such(audit):
    text = "1. **[by hand]** Ask.\n2. Wait.\n3. **[by hand]** Copy.\nA **[by hand]** in a sentence.\n"
    assert audit.manual_steps(text) == 2


def test_the_checklist_counts_its_steps_without_a_gap(level0, audit):
    text = (level0 / "handoff" / "CHECKLIST.md").read_text(encoding="utf-8")
    numbers = [int(number) for number in re.findall(r"^(\d+)\. ", text, re.MULTILINE)]
    assert numbers == list(range(1, audit.manual_steps(text) + 1))


def test_the_form_is_committed_blank(level0):
    rows = re.findall(
        r"^\| \d+ \|([^|]+)\|([^|]*)\|$", (level0 / "handoff" / "FORM.md").read_text(), re.MULTILINE
    )
    assert len(rows) == 10
    assert all(not answer.strip() for _, answer in rows)
    asked = " ".join(question for question, _ in rows)
    assert all(word in asked for word in ("data", "code", "version", "metric", "tested", "approved"))


def test_changed_files_are_those_with_another_hash_or_on_one_side_only(audit, tmp_path):
    for name, text in {"same": "a", "other": "b", "gone": "c"}.items():
        (tmp_path / name).write_text(text)
    before = audit.hashes(tmp_path)
    (tmp_path / "other").write_text("B")
    (tmp_path / "gone").unlink()
    (tmp_path / "new").write_text("d")
    assert audit.changed(before, audit.hashes(tmp_path)) == ["gone", "new", "other"]


def test_a_training_that_is_broken_off_leaves_files_of_a_model_that_is_gone(audit, tmp_path, monkeypatch):
    """The whole audit, its steps replaced by one that copies the settings into its outcome."""
    step = (
        "from pathlib import Path\n"
        "store = Path('../.store/level0')\n"
        "(store / 'handoff').mkdir(parents=True, exist_ok=True)\n"
        "text = Path('settings.toml').read_text()\n"
        "(store / 'ensembles.pickle').write_text(text)\n"
    )
    handed = (
        "import shutil\nshutil.copy(store / 'ensembles.pickle', store / 'handoff' / 'ensembles.pickle')\n"
    )
    tables = "(store / 'report.csv').write_text('mape')\n(store / 'forecasts.csv').write_text('week')\n"

    def workplace(folder):
        place = folder / "level0_manual"
        place.mkdir()
        (folder / "shared" / "data" / "tiny").mkdir(parents=True)
        (folder / "shared" / "data" / "tiny" / "products.csv").write_text("product_id\n")
        (place / "settings.toml").write_text("[network]\nmin_steps = 7\n")
        (place / "3_train.py").write_text(step)
        (place / "5_score.py").write_text(step + handed + tables)
        return place

    monkeypatch.setattr(audit, "workplace", workplace)
    found = audit.audit(tmp_path)
    assert "| files that the same run again overwrites | 4 of 4, none is kept |" in found
    assert "| of these, files that differ afterwards | 0 |" in found
    assert "with one step more | 1 (`ensembles.pickle`) |" in found
    assert "do not say so | 3 (`report.csv`, `forecasts.csv`, `handoff/ensembles.pickle`) |" in found
    assert (tmp_path / "level0_manual" / "settings.toml").read_text() == "[network]\nmin_steps = 8\n"
    assert found.count("**no**") == 8


def test_a_step_that_fails_ends_the_audit(audit, tmp_path):
    (tmp_path / "1_broken.py").write_text("raise SystemExit(3)")
    with pytest.raises(audit.subprocess.CalledProcessError):
        audit.run(tmp_path)
