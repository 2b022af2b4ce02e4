"""Lets the tests of maturity import their helpers."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from small_repositories import grades_of

from maturity.grades import Grade


@pytest.fixture
def grade():
    """The grade of one question for a repository given as path to text."""
    return lambda question, texts, folder="": grades_of(texts, folder)[question] or Grade.NONE
