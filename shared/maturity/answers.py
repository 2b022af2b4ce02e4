"""What people say: answers in assessment.toml, whose history stays, and what they change in an assessment."""

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from maturity.errors import AnswersError
from maturity.evidence import DAYS
from maturity.grades import Grade
from maturity.judging import Result
from maturity.modules import Modules

FILE = "assessment.toml"
SAID = ("yes", "no", "unknown")
KEYS = {"question", "answer", "by", "on", "evidence", "shown_on", "note"}


@dataclass(frozen=True)
class Answer:
    """Who said what of a question, on which day; evidence: a file of the repository (with :line), or a URL.

    shown_on: the day on which it was last seen to work.
    """

    question: str
    answer: str
    by: str
    on: date
    evidence: str = ""
    shown_on: date | None = None
    note: str = ""


@dataclass(frozen=True)
class Difference:
    """A question that two people answer differently: each one's answer by name."""

    question: str
    said: tuple[tuple[str, str], ...]


def read_answers(path: Path, questions: Iterable[str]) -> list[Answer]:
    """All answers of a file in order, none where it is not there; raises AnswersError naming the entry."""
    if not path.is_file():
        return []
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise AnswersError(f"{path}: no valid TOML ({error}). Correct it there.") from error
    known = set(questions)
    entries = content.get("answer", [])
    if set(content) - {"answer"} or not isinstance(entries, list):
        raise AnswersError(
            f"{path}: keys {sorted(content)}; expected a list of [[answer]] tables and nothing else."
        )
    return [_answer(path, number, entry, known) for number, entry in enumerate(entries, 1)]


def _answer(path: Path, number: int, entry: Mapping[str, Any], known: set[str]) -> Answer:
    where = f"{path}, answer {number}"
    if unknown := set(entry) - KEYS:
        raise AnswersError(f"{where}: key {sorted(unknown)[0]!r}; expected {sorted(KEYS)}.")
    for key in ("question", "answer", "by", "on"):
        if key not in entry:
            raise AnswersError(f"{where}: no {key!r}; every answer has question, answer, by and on. Add it.")
    if entry["question"] not in known:
        raise AnswersError(
            f"{where}: question {entry['question']!r}; `mlops-ladder questions` prints those there are."
        )
    if entry["answer"] not in SAID:
        raise AnswersError(f"{where}: answer {entry['answer']!r}; expected one of {SAID}.")
    for key in ("on", "shown_on"):
        if key in entry and not isinstance(entry[key], date):
            raise AnswersError(
                f"{where}: {key} = {entry[key]!r}; expected a date without quotes, as 2026-05-31."
            )
    return Answer(**{key: entry[key] for key in entry})


def append_answer(path: Path, answer: Answer) -> None:
    """Write one more answer below those that are there; nothing is ever taken away."""
    lines = ["[[answer]]", f"question = {_quoted(answer.question)}", f"answer = {_quoted(answer.answer)}"]
    lines += [f"by = {_quoted(answer.by)}", f"on = {answer.on.isoformat()}"]
    lines += [f"{key} = {_quoted(value)}" for key in ("evidence", "note") if (value := getattr(answer, key))]
    lines += [f"shown_on = {answer.shown_on.isoformat()}"] if answer.shown_on else []
    before = path.read_text(encoding="utf-8") if path.is_file() else ""
    between = "\n" if before and not before.endswith("\n\n") else ""
    path.write_text(before + between + "\n".join(lines) + "\n", encoding="utf-8")


def _quoted(text: str) -> str:
    plain = "".join(character if character.isprintable() else " " for character in text)
    return '"' + plain.replace("\\", "\\\\").replace('"', '\\"') + '"'


def latest(answers: Iterable[Answer]) -> dict[str, dict[str, Answer]]:
    """Question to person to the last answer of that person."""
    found: dict[str, dict[str, Answer]] = {}
    for answer in sorted(answers, key=lambda each: each.on):
        found.setdefault(answer.question, {})[answer.by] = answer
    return found


def differences(answers: Iterable[Answer]) -> list[Difference]:
    """The questions on which people do not agree."""
    return [
        Difference(question, tuple((name, each.answer) for name, each in sorted(said.items())))
        for question, said in latest(answers).items()
        if len({each.answer for each in said.values()}) > 1
    ]


def amended(
    results: Iterable[Result], answers: Iterable[Answer], as_of: date, files: Modules
) -> list[Result]:
    """The results with what people said; where they differ, the lower answer counts."""
    said = latest(answer for answer in answers if answer.on <= as_of)
    return [
        _amended(r, said[r.question.id].values(), as_of, files) if r.question.id in said else r
        for r in results
    ]


def _amended(result: Result, answers: Iterable[Answer], as_of: date, files: Modules) -> Result:
    told = [_told(result, answer, as_of, files) for answer in answers]
    known = [each for each in told if each.grade is not None]
    return min(known, key=lambda each: each.grade or 0) if known else result


def _told(result: Result, answer: Answer, as_of: date, files: Modules) -> Result:
    who = f"{answer.by} on {answer.on}"
    if answer.answer == "unknown":
        return result
    if answer.answer == "no":
        return replace(result, grade=Grade.NONE, facts=(), because=f"no, says {who}")
    grade, why = _claim(answer, as_of, files)
    if result.grade is not None and result.grade >= grade:
        return result
    return replace(result, grade=grade, because=f"{why}, says {who}")


def _claim(answer: Answer, as_of: date, files: Modules) -> tuple[Grade, str]:
    path = answer.evidence.partition(":")[0] if "://" not in answer.evidence else ""
    if not answer.evidence:
        return Grade.CLAIMED, "yes, without evidence"
    if path and path not in files.paths and path not in files.folders:
        return Grade.CLAIMED, f"yes, but {path} is not in the repository"
    if answer.shown_on and as_of - timedelta(days=DAYS) <= answer.shown_on <= as_of:
        return Grade.DEMONSTRATED, f"seen on {answer.shown_on} ({answer.evidence})"
    return Grade.EXISTS, f"yes ({answer.evidence})"
