"""What a pattern needs is never more than what it finds needs."""

import re

import pytest

from maturity.hints import Names, needed
from maturity.questions import read_questions

WORDS = (
    *(
        "mlflow.start_run",
        "test_model::test_Loss",
        "Pandera.DataFrameSchema",
        "def",
        "",
        "über_train",
        "a\nb",
    ),
    *(
        "drift",
        "kfp.dsl.pipeline",
        "train.py",
        "src/score.py",
        "numpy.random.default_rng",
        "RETRAIN",
        "k8s.yaml:x=1",
    ),
)


@pytest.mark.parametrize(
    ("pattern", "texts"),
    [
        (r"^(abc|dbe)x?$", {"abc", "dbe"}),
        (r"\w*drift|psi$", {"drift", "psi"}),
        (r"[Dd]ataset\w+(?!x)", {"dataset"}),
        (r"(train|fit)?model", {"model"}),
        (r"a|long", set()),
        (r"\w+", set()),
    ],
)
def test_a_pattern_needs_the_longest_texts_that_are_sure(pattern, texts):
    assert needed(re.compile(pattern)) == texts


def test_no_name_that_a_rule_finds_is_left_out():
    names = [f"{one}{joint}{other}" for one in WORDS for other in WORDS for joint in (".", "_", "::")]
    asked = Names(names)
    for question in read_questions():
        for rule in question.rules:
            left_out = set(names) - set(asked.asked(rule.find))
            assert not [name for name in left_out if rule.find.search(name)]
