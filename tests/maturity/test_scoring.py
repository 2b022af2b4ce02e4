from dataclasses import replace

import pytest

from maturity.grades import Grade
from maturity.judging import Result
from maturity.questions import read_questions
from maturity.scoring import confidence, level, rubric_score, vector

QUESTIONS = read_questions()


def results(**grades):
    """Scanned questions at the grade that levels ask for, asked ones unknown, but for those named."""
    found = []
    for question in QUESTIONS:
        usual = None if question.asked else max(question.needs, Grade.EXISTS)
        found.append(Result(question, grades.get(question.id.replace("-", "_"), usual)))
    return found


def at(score, name):
    return next(each for each in score if each.name == name)


def test_all_that_levels_ask_for_is_the_top_of_both_scales():
    assert (level("google", results()).level, level("azure", results()).level) == (2, 4)


@pytest.mark.parametrize(
    ("question", "grade", "google", "azure"),
    [
        ("data_validation", Grade.NONE, 0, 2),  # Google 1, Azure 3
        ("training_retrain", Grade.EXISTS, 1, 3),  # is needed automatically, for Google 2 and Azure 4
        ("code_tests", Grade.EXISTS, 1, 0),
        ("training_tracking", Grade.CLAIMED, 0, 1),  # a claim is worth nothing
        ("release_rollback", Grade.NONE, 2, 3),
        ("release_canary", Grade.NONE, 2, 4),  # no level needs it
    ],
)
def test_a_level_needs_every_question_of_it_and_of_those_below(question, grade, google, azure):
    found = results(**{question: grade})
    assert (level("google", found).level, level("azure", found).level) == (google, azure)


def test_what_is_not_known_and_can_be_scanned_reaches_no_level():
    found = level("azure", results(training_tracking=None))
    assert (found.level, found.blocking) == (1, ("training-tracking",))


def test_what_only_people_know_is_put_aside_until_it_is_answered():
    aside = level("azure", results())
    assert (aside.level, aside.with_people) == (4, 0)
    assert aside.aside == ("people-owner", "people-together", "people-review", "people-outcome")
    claimed = level("azure", results(people_together=Grade.CLAIMED))
    assert (claimed.level, claimed.blocking) == (1, ("people-together",))
    shown = dict.fromkeys(
        ("people_owner", "people_together", "people_review", "people_outcome"), Grade.EXISTS
    )
    assert level("azure", results(**shown)).with_people == 4


def test_a_dimension_is_the_mean_of_what_is_known():
    grades = {
        question.id.replace("-", "_"): None for question in QUESTIONS if question.dimension == "lineage"
    }
    # registry is full when it runs automatically (2 steps), data-version when it exists (1 step)
    known = grades | {"lineage_registry": Grade.EXISTS, "lineage_data_version": Grade.CLAIMED}
    found = at(vector(results(**known)), "lineage")
    assert (found.score, found.known, found.questions) == (0.25, 2, 3)  # (1/2 + 0) / 2
    assert at(vector(results(**grades)), "lineage").score is None


def test_what_is_not_known_lowers_the_confidence_alone():
    asked = sum(question.asked for question in QUESTIONS)
    assert confidence(results()) == round(1 - asked / len(QUESTIONS), 3)
    more = results(release_canary=None)
    assert confidence(more) < confidence(results())
    assert (
        at(vector(more), "release").score >= at(vector(results(release_canary=Grade.NONE)), "release").score
    )


def test_the_ml_test_score_is_half_by_hand_one_automated_and_the_least_section():
    by_hand = [Result(question, Grade.EXISTS) for question in QUESTIONS]
    assert rubric_score(by_hand).sections == {"Data": 3.5, "Model": 3.5, "Infra": 3.5, "Monitor": 3.5}
    automated = [Result(question, Grade.AUTOMATIC) for question in QUESTIONS]
    assert rubric_score(automated).total == 7
    one = [
        replace(each, grade=Grade.CLAIMED) if "Infra 7" in each.question.ml_test else each
        for each in automated
    ]
    assert rubric_score(one).sections["Infra"] == 6
    assert rubric_score(one).total == 6


def test_tests_that_nobody_answered_are_named_and_count_nothing():
    score = rubric_score(results())
    assert score.unknown == ("Data 3", "Data 5", "Data 6")
    assert score.sections["Data"] == 2.0  # tests 1, 2, 4 and 7 by hand
