import json
import re
from html.parser import HTMLParser

import pytest

from maturity.__main__ import main

DAY = ["--as-of", "2026-11-20"]
TRACKED = "import mlflow\n\n\ndef train():\n    mlflow.start_run()\n"
WORKFLOW = "on: push\njobs:\n  a:\n    steps:\n      - run: pytest\n"


@pytest.fixture
def small(tmp_path):
    """A small repository: tracked, tested, and with a name that must not become markup."""
    (tmp_path / "train.py").write_text(TRACKED)
    (tmp_path / "test_<b>.py").write_text("def test_one():\n    assert 1 + 1 == 2\n")
    (tmp_path / ".github" / "workflows").mkdir(parents=True)
    (tmp_path / ".github" / "workflows" / "ci.yml").write_text(WORKFLOW)
    return tmp_path


def assessed(capsys, *arguments):
    assert main(["assess", *map(str, arguments), *DAY]) == 0
    return capsys.readouterr().out


def test_json_has_everything_and_says_no_one_number_alone(small, capsys):
    found = json.loads(assessed(capsys, small, "--format", "json"))
    assert {
        "google_level",
        "azure_level",
        "ml_test_score",
        "confidence",
        "vector",
        "blocking_question",
    } <= set(found)
    assert (found["google_level"], found["azure_level"], found["as_of"]) == (0, 0, "2026-11-20")
    assert len(found["vector"]) == 9
    assert len(found["next_steps"]) == 3
    tests = next(each for each in found["questions"] if each["id"] == "code-tests")
    assert tests["grade"] == "runs automatically"
    assert tests["evidence"][0]["events"] == ["push@.github/workflows/ci.yml"]


def test_the_same_checkout_gets_the_same_answer(small, capsys):
    assert assessed(capsys, small, "--format", "json") == assessed(capsys, small, "--format", "json")


def test_the_terminal_shows_vector_levels_score_and_steps(small, capsys):
    text = assessed(capsys, small)
    for part in (
        "Dimensions",
        "Google level 0 of 2",
        "Azure level 0 of 4",
        "ML Test Score 0",
        "Confidence",
        "train.py:5",
    ):
        assert part in text
    assert "Blocking question" in text and "Next steps, the cheapest first" in text


def test_the_steps_name_what_blocks_first_and_the_cheapest_first(small, capsys):
    found = json.loads(assessed(capsys, small, "--format", "json"))
    blocking = set(found["google"]["blocking"] + found["azure"]["blocking"])
    efforts = [("hours", "days", "weeks").index(each["effort"]) for each in found["next_steps"]]
    assert {each["question"] for each in found["next_steps"]} <= blocking
    assert efforts == sorted(efforts)
    assert all(each["see"]["path"] and each["see"]["line"] for each in found["next_steps"])


def test_sarif_has_a_rule_per_question_and_lines(small, capsys):
    found = json.loads(assessed(capsys, small, "--format", "sarif"))
    (run,) = found["runs"]
    assert found["version"] == "2.1.0"
    rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    assert len(rules) == len(set(rules)) > 40
    assert all(rules[each["ruleIndex"]] == each["ruleId"] for each in run["results"])
    (tracked,) = [each for each in run["results"] if each["ruleId"] == "training-tracking"]
    place = tracked["locations"][0]["physicalLocation"]
    assert (place["artifactLocation"]["uri"], place["region"]["startLine"]) == ("train.py", 5)
    assert tracked["level"] == "note"


class Page(HTMLParser):
    """What a page would ask for, and its tags in order."""

    def __init__(self):
        super().__init__()
        self.asked, self.tags = [], []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.asked += [value for name, value in attrs if name in {"src", "href", "srcset", "action"}]


def test_the_page_opens_offline_with_radar_and_trend(small, tmp_path, capsys):
    history = tmp_path / "history.jsonl"
    for day in ("2026-10-01", "2026-11-01"):
        assert (
            main(["assess", str(small), "--as-of", day, "--history", str(history), "--format", "json"]) == 0
        )
    capsys.readouterr()
    text = assessed(capsys, small, "--format", "html", "--history", history)
    page = Page()
    page.feed(text)
    assert page.asked == []
    assert page.tags.count("svg") == 2 and "script" not in page.tags and "link" not in page.tags
    assert not re.search(r"url\(|@import|https?:", text)
    assert "test_&lt;b&gt;.py" in text and "<b>" not in text
    assert "Trend from 2026-10-01 to 2026-11-20" in text


def test_a_change_that_lowers_an_answer_is_told_and_can_end_with_3(small, tmp_path, capsys):
    before = tmp_path / "before.json"
    assessed(capsys, small, "--format", "json", "--out", before)
    same = assessed(capsys, small, "--baseline", before, "--format", "markdown")
    assert "No answer is lower than before." in same
    (small / ".github" / "workflows" / "ci.yml").write_text(WORKFLOW.replace("push", "workflow_dispatch"))
    told = assessed(capsys, small, "--baseline", before, "--format", "markdown")
    assert "**This change lowers:**" in told
    assert re.findall(r"^\| `([\w-]+)` \| ([\w ]+) \| ([\w ]+) \|", told, re.MULTILINE) == [
        ("code-tests", "runs automatically", "exists")
    ]
    held = ["assess", str(small), "--baseline", str(before), "--fail-on-lower", *DAY]
    assert main(held) == 3


def test_answers_go_in_and_are_shown_with_what_people_differ_on(small, capsys):
    for by, said in (("operations", "yes"), ("data science", "no")):
        told = [
            "answer",
            "people-owner",
            said,
            "--by",
            by,
            "--path",
            str(small),
            "--on",
            "2026-11-02",
            "--evidence",
            "train.py:1",
        ]
        assert main(told) == 0
    assert main(["answers", str(small)]) == 0
    assert "differ on people-owner: data science no, operations yes" in capsys.readouterr().out
    text = assessed(capsys, small)
    assert "People differ on people-owner" in text and "no, says data science on 2026-11-02" in " ".join(
        text.split()
    )


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["assess", "nowhere"], 64, "nowhere is no folder"),
        (["assess", ".", "--scope", "nowhere"], 64, "--scope nowhere"),
        (["assess", ".", "--scope", "../.."], 64, "expected one inside it"),
        (["assess", ".", "--format", "xml"], 64, "xml"),
        (["answer", "no-such-question", "yes", "--by", "me"], 64, "no question 'no-such-question'"),
        (["questions", "--format", "pdf"], 64, "expected text or md"),
        (["assess", ".", "--baseline", "broken.json"], 2, "broken.json: no assessment"),
        (["assess", ".", "--history", "broken.json"], 2, "broken.json, line 1"),
        (["assess", "."], 0, ""),
    ],
)
def test_every_ending_has_its_exit_code(arguments, code, message, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "broken.json").write_text('{"a": 1\n')
    assert main(arguments) == code
    assert message in capsys.readouterr().err


def test_a_broken_file_of_answers_ends_with_2(tmp_path, capsys):
    (tmp_path / "assessment.toml").write_text("[[answer]]\nquestion = 'x'\n")
    assert main(["assess", str(tmp_path)]) == 2
    assert "assessment.toml, answer 1" in capsys.readouterr().err


def test_help_lists_the_commands_and_exit_codes(capsys):
    assert main(["--help"]) == 0
    text = capsys.readouterr().out
    assert all(name in text for name in ("assess", "answer", "answers", "questions", "Exit codes"))
