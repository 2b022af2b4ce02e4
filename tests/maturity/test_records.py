"""Dated records: what happened within 90 days demonstrates, what is older does not."""

import json
import sqlite3
from datetime import date

import pytest

from maturity.assessment import Order, assess
from maturity.evidence import read_evidence, recent
from maturity.grades import Grade

AS_OF = date(2026, 11, 20)
WORKFLOW = "on: push\njobs:\n  a:\n    steps:\n      - run: pytest\n"


def run(day, conclusion="success", path=".github/workflows/ci.yml"):
    return {"path": path, "conclusion": conclusion, "created_at": f"{day}T10:00:00Z"}


@pytest.fixture
def tested(tmp_path):
    (tmp_path / ".github" / "workflows").mkdir(parents=True)
    (tmp_path / ".github" / "workflows" / "ci.yml").write_text(WORKFLOW)
    (tmp_path / "test_rows.py").write_text("def test_sum():\n    assert 1 + 1 == 2\n")
    return tmp_path


@pytest.mark.parametrize(
    ("record", "grade"),
    [
        (run("2026-11-19"), Grade.DEMONSTRATED),
        (run("2026-08-22"), Grade.DEMONSTRATED),  # 90 days
        (run("2026-08-21"), Grade.AUTOMATIC),  # 91 days
        (run("2026-11-21"), Grade.AUTOMATIC),  # after the day that is judged
        (run("2026-11-19", "failure"), Grade.AUTOMATIC),
        (run("2026-11-19", path=".github/workflows/other.yml"), Grade.AUTOMATIC),
    ],
)
def test_a_run_of_the_workflow_within_90_days_demonstrates(tested, record, grade):
    (tested / "workflow-runs.json").write_text(json.dumps({"workflow_runs": [record]}))
    found = {result.question.id: result for result in assess(Order(tested, AS_OF)).results}
    assert found["code-tests"].grade is grade


def test_every_kind_of_record_is_read(tmp_path):
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / "r1.json").write_text('{"ended": "2026-11-01T00:00:00", "stages": []}')
    (tmp_path / "decisions.jsonl").write_text('{"as_of": "2026-11-02", "retrain": true}\n')
    (tmp_path / "CHANGELOG.md").write_text("# Changelog\n\n## 0.2.0, 2026-11-03\n")
    with sqlite3.connect(tmp_path / "ledger.db") as connection:
        connection.execute("CREATE TABLE ledger (kind TEXT, at TEXT)")
        connection.execute("INSERT INTO ledger VALUES ('promoted', '2026-11-04T00:00:00Z')")
    connection.close()
    found = recent(read_evidence([tmp_path]), AS_OF)
    assert [(each.kind, each.day.day) for each in found] == [
        ("promotion", 4),
        ("release", 3),
        ("decision", 2),
        ("training", 1),
    ]


@pytest.mark.parametrize("name", ["run.json", "decisions.jsonl", "ledger.db", "workflow-runs.json"])
@pytest.mark.parametrize("content", [b"", b"{", b"[1, 2]", b'{"ended": 5}', b"\xff\xfe\x00", b"null"])
def test_a_broken_record_shows_nothing(tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    assert read_evidence([tmp_path]) == []
