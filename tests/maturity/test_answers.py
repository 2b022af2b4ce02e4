from datetime import date

import pytest

from maturity.answers import Answer, amended, append_answer, differences, read_answers
from maturity.errors import AnswersError
from maturity.grades import Grade
from maturity.judging import Result
from maturity.modules import Modules
from maturity.questions import read_questions

AS_OF = date(2026, 11, 20)
QUESTIONS = {question.id: question for question in read_questions()}
FILES = Modules(["docs/owners.md", "train.py"])


def answer(said="yes", question="people-owner", by="operations", on=date(2026, 11, 1), **more):
    return Answer(question, said, by, on, **more)


def told(*answers, grade=None, question="people-owner"):
    return amended([Result(QUESTIONS[question], grade)], answers, AS_OF, FILES)[0]


@pytest.mark.parametrize(
    ("said", "grade"),
    [
        (answer(), Grade.CLAIMED),  # a claim alone
        (answer(evidence="docs/owners.md:3"), Grade.EXISTS),
        (answer(evidence="docs/lost.md"), Grade.CLAIMED),  # not in the repository
        (answer(evidence="https://wiki.example.org/owners"), Grade.EXISTS),
        (answer(evidence="docs/owners.md", shown_on=date(2026, 8, 22)), Grade.DEMONSTRATED),  # 90 days ago
        (answer(evidence="docs/owners.md", shown_on=date(2026, 8, 21)), Grade.EXISTS),  # 91 days ago
        (answer(evidence="docs/owners.md", shown_on=date(2026, 11, 21)), Grade.EXISTS),  # not yet
        (answer("no"), Grade.NONE),
        (answer("unknown"), None),
        (answer(on=date(2026, 12, 1)), None),  # answered after the day that is judged
    ],
)
def test_an_answer_is_worth_its_evidence(said, grade):
    assert told(said).grade == grade


def test_a_claim_does_not_lower_what_was_found_and_a_no_does():
    found = {"grade": Grade.AUTOMATIC, "question": "ops-drift"}
    assert told(answer(question="ops-drift"), **found).grade is Grade.AUTOMATIC
    assert told(answer("no", "ops-drift"), **found).grade is Grade.NONE
    assert "operations on 2026-11-01" in told(answer("no", "ops-drift"), **found).because


def test_the_last_answer_of_a_person_counts_and_of_two_people_the_lower():
    earlier = answer("no", on=date(2026, 10, 1))
    assert told(earlier, answer(evidence="docs/owners.md")).grade is Grade.EXISTS
    other = answer("no", by="data science")
    assert told(answer(evidence="docs/owners.md"), other).grade is Grade.NONE
    (difference,) = differences([earlier, answer(), other])
    assert difference.said == (("data science", "no"), ("operations", "yes"))
    assert differences([earlier, answer()]) == []


def test_appending_keeps_the_history(tmp_path):
    path = tmp_path / "assessment.toml"
    first = answer("no", note='a "quoted" word \\ and\nmore')
    second = answer(evidence="docs/owners.md:3", shown_on=date(2026, 11, 2))
    append_answer(path, first)
    append_answer(path, second)
    again = read_answers(path, QUESTIONS)
    assert again == [answer("no", note='a "quoted" word \\ and more'), second]


def test_no_file_is_no_answer(tmp_path):
    assert read_answers(tmp_path / "assessment.toml", QUESTIONS) == []


GOOD = '[[answer]]\nquestion = "people-owner"\nanswer = "yes"\nby = "x"\non = 2026-11-01\n'


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("answer = ", "reply = "), "answer 1: key 'reply'"),
        (('by = "x"\n', ""), "answer 1: no 'by'"),
        (('"people-owner"', '"people-0wner"'), "answer 1: question 'people-0wner'"),
        (('"yes"', '"maybe"'), "answer 1: answer 'maybe'"),
        (("2026-11-01", '"2026-11-01"'), "on = '2026-11-01'; expected a date"),
        (("[[answer]]", "[[answer]"), "no valid TOML"),
        (("[[answer]]", "x = 1\n[[answer]]"), "expected a list of"),
    ],
)
def test_a_broken_answer_is_named(change, message, tmp_path):
    path = tmp_path / "assessment.toml"
    path.write_text(GOOD.replace(*change, 1))
    with pytest.raises(AnswersError, match=message):
        read_answers(path, QUESTIONS)
