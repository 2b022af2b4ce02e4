import re

import pytest

from maturity.errors import AnswersError
from maturity.grades import Grade
from maturity.questions import DIMENSIONS, parse_questions, read_questions
from maturity.reference import reference

ONE = """
[[question]]
id = "a"
dimension = "data"
text = "Is it?"
how = "scanned"
rules = ['call: ^mlflow']
next = "Do it."
effort = "hours"
see = ["README.md", "make"]
"""


def test_nine_dimensions_have_questions():
    assert {question.dimension for question in read_questions()} == set(DIMENSIONS)
    assert 40 <= len(read_questions()) <= 55


def test_each_of_the_28_tests_of_the_ml_test_score_has_a_question():
    answered = sorted(name for question in read_questions() for name in question.ml_test)
    assert answered == sorted(
        f"{part} {number}" for part in ("Data", "Model", "Infra", "Monitor") for number in range(1, 8)
    )


def test_only_people_answer_what_has_no_rule():
    assert all(question.asked != bool(question.rules) for question in read_questions())
    assert all(question.asked for question in read_questions() if question.dimension == "people")


def test_every_level_asks_for_something():
    google = {question.google for question in read_questions()} - {None}
    azure = {question.azure for question in read_questions()} - {None}
    assert (google, azure) == ({1, 2}, {1, 2, 3, 4})


@pytest.mark.parametrize("question", read_questions(), ids=lambda each: each.id)
def test_each_next_step_leads_to_lines_of_this_repository(question, root):
    path, text = question.see
    assert text in (root / path).read_text(encoding="utf-8"), f"{path} does not hold {text!r}"


def test_the_reference_page_is_current(root):
    page = (root / "docs" / "maturity" / "questions.md").read_text(encoding="utf-8")
    assert page == reference(read_questions()), (
        "run: mlops-ladder questions --format md > docs/maturity/questions.md"
    )


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("how = ", "who = 1\nhow = "), "a: key 'who'"),
        (('"data"', '"date"'), "a: dimension 'date'"),
        (("call: ", "call "), "a: rule 'call \\^mlflow'"),
    ],
)
def test_a_question_that_breaks_the_form_is_named(change, message):
    with pytest.raises(AnswersError, match=message):
        parse_questions(ONE.replace(*change, 1))


def test_an_id_comes_once():
    with pytest.raises(AnswersError, match="an id comes twice"):
        parse_questions(ONE + ONE)


def test_a_rule_says_where_how_and_by_which_event():
    text = ONE.replace("call: ^mlflow", "call@test!<schedule,push>: x")
    rule = parse_questions(text)[0].rules[0]
    assert (rule.kind, rule.area, rule.auto, rule.events) == ("call", "test", True, {"schedule", "push"})
    assert rule.find == re.compile("x", re.IGNORECASE)
    assert parse_questions(ONE)[0].needs is Grade.EXISTS
