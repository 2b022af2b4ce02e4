"""The questions, as data: what each asks, which levels need it, and what in a repository answers it."""

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

from maturity.errors import AnswersError
from maturity.grades import Grade

DIMENSIONS = (
    "data",
    "training",
    "model quality",
    "code and CI",
    "release",
    "lineage",
    "operations",
    "security",
    "people",
)
HOW = ("scanned", "demonstrated", "asked")
NEEDED = {"exists": Grade.EXISTS, "automatic": Grade.AUTOMATIC, "demonstrated": Grade.DEMONSTRATED}
RULE = re.compile(
    r"^(?P<kind>[a-z]+)(?:@(?P<area>[a-z]+))?(?P<auto>!)?(?:<(?P<events>[\w,]+)>)?: (?P<find>.+)$", re.S
)
KEYS = frozenset(
    [
        "id",
        "dimension",
        "text",
        "how",
        "google",
        "azure",
        "ml_test",
        "needs",
        "full",
        "rules",
        "also",
        "not",
        "not_in",
        "said",
        "distinct",
        "claims",
        "next",
        "effort",
        "see",
        "records",
    ]
)


@dataclass(frozen=True)
class Rule:
    """Facts of one kind whose name a pattern finds: in which area, and by which events if it matters."""

    kind: str
    find: re.Pattern[str]
    area: str = "product"
    auto: bool = False
    events: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Question:
    """One question; `needs` is the grade that levels ask for, `full` the one at which nothing is missing."""

    id: str
    dimension: str
    text: str
    how: str
    next: str
    effort: str
    see: tuple[str, str]
    google: int | None = None
    azure: int | None = None
    ml_test: tuple[str, ...] = ()
    needs: Grade = Grade.EXISTS
    full: Grade = Grade.AUTOMATIC
    rules: tuple[Rule, ...] = ()
    also: tuple[tuple[Rule, ...], ...] = ()
    ignored: re.Pattern[str] | None = None
    ignored_in: re.Pattern[str] | None = None
    said: re.Pattern[str] | None = None
    distinct: int = 1
    claims: re.Pattern[str] | None = None
    records: frozenset[str] = frozenset()

    @property
    def asked(self) -> bool:
        """Whether only people can answer it."""
        return self.how == "asked"


@cache
def read_questions() -> tuple[Question, ...]:
    """All questions in their order; raises AnswersError where the file breaks its form."""
    text = resources.files("maturity").joinpath("questions.toml").read_text(encoding="utf-8")
    return parse_questions(text)


def parse_questions(text: str) -> tuple[Question, ...]:
    """The questions of a TOML text; raises AnswersError naming the question and the key."""
    content = tomllib.loads(text)
    for name, meaning in content.get("macros", {}).items():
        content["question"] = [_filled(each, f"{{{name}}}", meaning) for each in content["question"]]
    found = tuple(_question(each) for each in content["question"])
    if len({question.id for question in found}) < len(found):
        raise AnswersError("questions.toml: an id comes twice; expected each once. Rename one of them.")
    return found


def _filled(raw: Mapping[str, Any], name: str, meaning: str) -> dict[str, Any]:
    filled = {**raw, "rules": [rule.replace(name, meaning) for rule in raw.get("rules", ())]}
    return filled | ({"said": raw["said"].replace(name, meaning)} if "said" in raw else {})


def _question(raw: Mapping[str, Any]) -> Question:
    name = raw.get("id", "?")
    if unknown := set(raw) - KEYS:
        raise AnswersError(
            f"questions.toml, {name}: key {sorted(unknown)[0]!r}; expected one of {sorted(KEYS)}."
        )
    if raw["dimension"] not in DIMENSIONS or raw["how"] not in HOW:
        raise AnswersError(
            f"questions.toml, {name}: dimension {raw['dimension']!r}, how {raw['how']!r}; expected "
            f"one of {DIMENSIONS} and one of {HOW}."
        )
    return Question(
        **{key: raw[key] for key in ("id", "dimension", "text", "how", "next", "effort")},
        see=(raw["see"][0], raw["see"][1]),
        google=raw.get("google"),
        azure=raw.get("azure"),
        ml_test=tuple(raw.get("ml_test", ())),
        needs=NEEDED[raw.get("needs", "exists")],
        full=NEEDED[raw.get("full", "automatic")],
        rules=_rules(name, raw.get("rules", ())),
        also=tuple(_rules(name, each) for each in raw.get("also", ())),
        ignored=_pattern(raw.get("not")),
        ignored_in=_pattern(raw.get("not_in")),
        said=_pattern(raw.get("said")),
        distinct=raw.get("distinct", 1),
        claims=_pattern(raw.get("claims")),
        records=frozenset(raw.get("records", ())),
    )


def _pattern(text: str | None) -> re.Pattern[str] | None:
    return re.compile(text, re.IGNORECASE) if text else None


def _rules(name: str, texts: Iterable[str]) -> tuple[Rule, ...]:
    return tuple(_rule(name, text) for text in texts)


def _rule(name: str, text: str) -> Rule:
    found = RULE.match(text)
    if not found:
        raise AnswersError(
            f"questions.toml, {name}: rule {text!r}; expected `kind[@area][!][<events>]: pattern`."
        )
    events = frozenset(found["events"].split(",")) if found["events"] else frozenset()
    area = found["area"] or (
        "any"
        if found["kind"]
        in {"test", "flow", "chain", "shared", "package", "whole", "script", "timed", "models"}
        else "product"
    )
    return Rule(found["kind"], re.compile(found["find"], re.IGNORECASE), area, bool(found["auto"]), events)
