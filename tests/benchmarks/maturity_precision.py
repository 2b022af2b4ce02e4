"""Precision and recall of the maturity scanner against repositories labelled by hand.

    MATURITY_REPOSITORIES=folder python tests/benchmarks/maturity_precision.py

The folder holds clones named OWNER/NAME, OWNER+NAME or NAME; each label file names the commit that it speaks
of, which is taken from the clone. What is not there is named and left out. No code of them is executed.
"""

import io
import json
import os
import subprocess
import sys
import tarfile
import tempfile
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from maturity.assessment import Order, assess
from maturity.questions import read_questions

LABELS = Path(__file__).resolve().parents[1] / "maturity" / "labels"
VARIABLE = "MATURITY_REPOSITORIES"
AS_OF = date(2026, 11, 20)
LEAST_PRECISION, LEAST_RECALL = 0.95, 0.85


@dataclass
class Counts:
    """Answers that are right and wrong: found and there, found and not there, there and not found."""

    right: int = 0
    wrong: list[str] = field(default_factory=list)
    missed: list[str] = field(default_factory=list)
    absent: list[str] = field(default_factory=list)
    repositories: int = 0

    @property
    def precision(self) -> float:
        """Share of what is found that is there."""
        return self.right / max(1, self.right + len(self.wrong))

    @property
    def recall(self) -> float:
        """Share of what is there that is found."""
        return self.right / max(1, self.right + len(self.missed))


def measure(folder: Path) -> Counts:
    """The counts over all label files whose repository lies in the folder."""
    counts = Counts()
    for path in sorted(LABELS.glob("*.toml")):
        labels = tomllib.loads(path.read_text(encoding="utf-8"))
        with tempfile.TemporaryDirectory() as scratch:
            if checked_out(folder, labels["repository"], labels["commit"], Path(scratch)):
                counts.repositories += 1
                count(counts, path.stem, labels, Path(scratch))
            else:
                counts.absent.append(path.stem)
    return counts


def count(counts: Counts, name: str, labels: dict[str, dict[str, str]], root: Path) -> None:
    """Add one repository's answers."""
    for result in assess(Order(root, AS_OF)).results:
        question = result.question.id
        if result.question.asked or question in labels["unsure"]:
            continue
        there, found = question in labels["yes"], result.satisfied
        counts.right += there and found
        if found and not there:
            counts.wrong.append(f"{name}: {question} ({result.facts[0].place})")
        if there and not found:
            counts.missed.append(f"{name}: {question} ({labels['yes'][question]})")


def checked_out(folder: Path, repository: str, commit: str, into: Path) -> bool:
    """Whether the repository's files at the commit could be put into a folder."""
    for clone in clones(folder, repository):
        lacking = [f":(exclude,literal){path}" for path in lacks(clone, commit)]
        asked = ["git", "-C", str(clone), "archive", "--format=tar", commit, "--", ".", *lacking]
        done = subprocess.run(asked, capture_output=True)
        if done.returncode == 0:
            with tarfile.open(fileobj=io.BytesIO(done.stdout)) as archive:
                archive.extractall(into, filter="data")
            return True
    return False


def lacks(clone: Path, commit: str) -> list[str]:
    """The files of the commit that a partial clone does not hold."""
    git = ["git", "-C", str(clone)]
    listed = subprocess.run([*git, "ls-tree", "-r", "-z", commit], capture_output=True).stdout.decode()
    files = [entry.partition("\t")[::2] for entry in listed.split("\0") if " blob " in entry]
    asked = "".join(f"{head.split()[2]}\n" for head, _ in files)
    alone = os.environ | {"GIT_NO_LAZY_FETCH": "1"}
    checked = [*git, "cat-file", "--batch-check"]
    told = subprocess.run(checked, input=asked.encode(), capture_output=True, env=alone)
    held = told.stdout.decode().splitlines()
    return [path for (_, path), line in zip(files, held, strict=False) if line.endswith(" missing")]


def clones(folder: Path, repository: str) -> Iterator[Path]:
    """Where a repository's clone may lie."""
    owner, name = repository.rstrip("/").split("/")[-2:]
    for place in (
        folder / owner / name,
        folder / f"{owner}+{name}",
        folder / f"{owner}+{name}" / "repo",
        folder / name,
    ):
        if place.is_dir():
            yield place


def main() -> int:
    """0 where both figures are reached, 1 where not, 64 without a folder."""
    if VARIABLE not in os.environ:
        print(
            f"{VARIABLE} is not set; expected a folder with clones of the labelled repositories.",
            file=sys.stderr,
        )
        return 64
    counts = measure(Path(os.environ[VARIABLE]))
    for title, lines in (
        ("not there", counts.wrong),
        ("not found", counts.missed),
        ("no clone", counts.absent),
    ):
        for line in lines:
            print(f"{title}: {line}")
    figures = {"repositories": counts.repositories, "questions": sum(not q.asked for q in read_questions())}
    figures |= {
        "precision": round(counts.precision, 3),
        "recall": round(counts.recall, 3),
        "found": counts.right,
    }
    print(json.dumps(figures))
    good = counts.precision >= LEAST_PRECISION and counts.recall >= LEAST_RECALL
    return 0 if counts.repositories and good else 1


if __name__ == "__main__":
    sys.exit(main())
