from datetime import date

import pytest

from maturity.questions import read_questions
from maturity.review import FAMILY, QuestionCheck, checks, families

QUESTIONS = {question.id: question for question in read_questions()}


def test_every_question_is_a_check_by_a_name_that_repo_review_takes():
    found = checks()
    assert [check.question for check in found.values()] == list(read_questions())
    assert all(name.startswith("ML") and name[2:].isdigit() for name in found)
    assert {check.family for check in found.values()} == set(families()) == {FAMILY}


@pytest.mark.parametrize(
    ("question", "passed"),
    [("training-tracking", True), ("security-updates", "none: nothing found."), ("people-owner", None)],
)
def test_a_check_passes_fails_with_a_reason_or_is_skipped(question, passed, tmp_path):
    (tmp_path / "train.py").write_text("import mlflow\nmlflow.start_run()\n")
    outcome = QuestionCheck(QUESTIONS[question], date(2026, 11, 20)).check(tmp_path)
    assert outcome == passed or str(outcome).startswith(str(passed))


def test_a_repository_that_is_no_folder_is_skipped():
    assert QuestionCheck(QUESTIONS["code-tests"], date(2026, 11, 20)).check(object()) is None


def test_a_check_describes_itself_without_braces_that_would_be_filled_in():
    texts = [check.__doc__ for check in checks().values()]
    assert all(text.format() for text in texts)
