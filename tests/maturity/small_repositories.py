"""Small repositories for tests, and this one as texts that can be changed without touching a file."""

import re
from datetime import date
from pathlib import Path

from maturity.files import Tree, read_tree
from maturity.grades import Grade
from maturity.judging import Result, judge
from maturity.questions import read_questions
from maturity.scanner import scan_tree

AS_OF = date(2026, 11, 20)
SCANNED = re.compile(
    r"\.(py|toml|ya?ml|sh|mk|ipynb|txt|lock|cjs|json|dvc)$|(^|/)(Makefile|MLproject|[\w.]*Dockerfile|README\.md|CHANGELOG\.md)$"
)
LEFT_OUT = re.compile(r"^shared/(data|maturity)/|^tests/maturity/|^docs/.*\.(json|html)$")


def results_of(texts: dict[str, str], folder: str = "") -> dict[str, Result]:
    """Question to result of a repository that is given as path to text."""
    tree = Tree(Path(), tuple(sorted(texts)), {}, dict(texts))
    return {result.question.id: result for result in judge(scan_tree(tree, folder), read_questions(), [])}


def grades_of(texts: dict[str, str], folder: str = "") -> dict[str, Grade | None]:
    """Question to grade of such a repository."""
    return {name: result.grade for name, result in results_of(texts, folder).items()}


def texts_of(root: Path) -> dict[str, str]:
    """What is scanned of this repository, but for the scanner itself and its tests."""
    tree = read_tree(root)
    paths = (path for path in tree.paths if SCANNED.search(path) and not LEFT_OUT.search(path))
    return {path: text for path in paths if (text := tree.text(path)) is not None}
