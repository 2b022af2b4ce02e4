import re
import shlex

import pytest

from maturity.__main__ import main
from maturity.commands import app


@pytest.fixture(scope="module")
def page(root):
    return (root / "docs" / "maturity" / "assess.md").read_text(encoding="utf-8")


def test_the_commands_of_the_page_run_one_after_the_other(page, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    for path, text in {
        "level1_pipeline/train.py": "import mlflow\nmlflow.start_run()\n",
        "CONTRIBUTING.md": "# Contributing\n",
    }.items():
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_text(text)
    commands = re.findall(r"^mlops-ladder (.*)$", page, re.MULTILINE)
    assert len(commands) == 10
    for command in commands:
        assert main(shlex.split(command)) == 0, command
    assert "people-review: yes, says head of engineering, CONTRIBUTING.md" in capsys.readouterr().out
    made = sorted(path.name for path in (tmp_path / "build" / "maturity").iterdir())
    assert made == ["history.jsonl", "now.html", "now.json", "now.sarif"]


def test_the_page_tells_every_command_and_every_option_of_assess(page, root):
    pages = page + (root / "docs" / "maturity" / "questions.md").read_text(encoding="utf-8")
    names = {command.name or command.callback.__name__ for command in app.registered_commands}
    assert names == {"assess", "answer", "answers", "questions"}
    assert all(f"mlops-ladder {name}" in pages for name in names)
    for option in (
        "--scope",
        "--format",
        "--out",
        "--as-of",
        "--evidence",
        "--baseline",
        "--fail-on-lower",
        "--history",
    ):
        assert option in page


def test_the_levels_page_says_of_this_repository_what_its_test_holds(root):
    text = (root / "docs" / "maturity" / "levels.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| \[level (\d)\][^|]*\| (\d) \| (\d)", text, re.MULTILINE)
    assert rows == [("0", "0", "0"), ("1", "1", "2"), ("2", "2", "4")]
