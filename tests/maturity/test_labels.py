"""The labels have the right form, and the scanner agrees with them where the repositories are at hand."""

import importlib.util
import os
import re
import tomllib
from pathlib import Path

import pytest

from maturity.questions import read_questions

LABELS = sorted((Path(__file__).parent / "labels").glob("*.toml"))
SCANNED = {question.id for question in read_questions() if not question.asked}
REPOSITORIES = "MATURITY_REPOSITORIES"


def test_at_least_10_repositories_are_labelled():
    assert len(LABELS) >= 10


@pytest.mark.parametrize("path", LABELS, ids=lambda path: path.stem)
def test_a_label_names_repository_commit_questions_and_lines(path):
    labels = tomllib.loads(path.read_text(encoding="utf-8"))
    assert set(labels) == {"repository", "commit", "yes", "unsure"}
    assert re.fullmatch(r"https://github\.com/[\w.-]+/[\w.-]+", labels["repository"])
    assert re.fullmatch(r"[0-9a-f]{40}", labels["commit"])
    assert set(labels["yes"]) | set(labels["unsure"]) <= SCANNED
    assert not set(labels["yes"]) & set(labels["unsure"])
    assert all(re.fullmatch(r".+:[1-9]\d*", place) for place in labels["yes"].values())


@pytest.mark.gate
@pytest.mark.skipif(
    REPOSITORIES not in os.environ, reason=f"not run: {REPOSITORIES} names no folder with clones"
)
def test_precision_and_recall_reach_their_floors(root):
    spec = importlib.util.spec_from_file_location(
        "precision", root / "tests" / "benchmarks" / "maturity_precision.py"
    )
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    counts = module.measure(Path(os.environ[REPOSITORIES]))
    assert counts.repositories >= 10, counts.absent
    assert counts.precision >= module.LEAST_PRECISION, counts.wrong
    assert counts.recall >= module.LEAST_RECALL, counts.missed
