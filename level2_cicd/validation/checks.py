"""A check: one question with a name, its answer, and what was seen."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Result(StrEnum):
    """What a check came to; `partly`: for some regions or series only, the others can go on."""

    good = "ok"
    partly = "partly"
    failed = "failed"


@dataclass(frozen=True)
class Check:
    """One question and its answer. part: of data, training or scoring. text: what was seen, for people."""

    part: str
    name: str
    result: Result
    text: str

    @property
    def line(self) -> str:
        """The check as a line of print."""
        return f"{self.result.value:<7}{self.name}: {self.text}"


def judged(part: str, name: str, good: bool, text: str) -> Check:
    """A check that is good or failed."""
    return Check(part, name, Result.good if good else Result.failed, text)


def refuse(checks: Iterable[Check], error: type[Exception], *, strict: bool) -> None:
    """Raises `error`, naming every check that failed; with `strict` those that hold only partly as well."""
    bad = [each for each in checks if each.result is Result.failed or (strict and each.result != Result.good)]
    if bad:
        shown = "\n".join(f"- {each.name}: {each.text}" for each in bad)
        raise error(f"{bad[0].part} validation: expected every check to hold; {len(bad)} do not:\n{shown}")
