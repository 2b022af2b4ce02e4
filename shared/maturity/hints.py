"""Texts of which a pattern needs one, so that most names need not be searched."""

import importlib
import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from functools import cache
from itertools import accumulate
from typing import Any

PARSER = importlib.import_module("re._parser")  # how Python itself reads patterns; it has no public name
LEAST = 2  # letters; what is shorter is in nearly every name
Texts = frozenset[str]
NOTHING: Texts = frozenset()


@cache
def needed(pattern: re.Pattern[str]) -> Texts:
    """Texts in lower case of which every match holds one; none where no text is sure."""
    return _of_sequence(PARSER.parse(pattern.pattern, pattern.flags))


def _of_sequence(parts: Iterable[tuple[Any, Any]]) -> Texts:
    """The best of what a sequence needs: the longest at its shortest."""
    found, run = [], ""
    for name, given in parts:
        letter = _letter(str(name), given)
        if not letter:
            found += [frozenset([run]), _of_part(str(name), given)]
        run = run + letter if letter else ""
    return max(filter(_sure, [*found, frozenset([run])]), key=_worth, default=NOTHING)


def _worth(texts: Texts) -> tuple[int, int]:
    return min(map(len, texts)), -len(texts)


def _letter(name: str, given: Any) -> str:
    """A letter, or the one that a class like [Pp] stands for; else nothing."""
    if name == "LITERAL":
        return chr(given).lower()
    if name == "IN" and all(str(kind) == "LITERAL" for kind, _ in given):
        letters = {chr(code).lower() for _, code in given}
        return letters.pop() if len(letters) == 1 else ""
    return ""


def _of_part(name: str, given: Any) -> Texts:
    if name == "SUBPATTERN":
        return _of_sequence(given[3])
    if name == "BRANCH":
        each = [_of_sequence(branch) for branch in given[1]]
        return frozenset().union(*each) if all(each) else NOTHING
    if name.endswith("_REPEAT") and given[0] > 0:
        return _of_sequence(given[2])
    return NOTHING


def _sure(texts: Texts) -> bool:
    return bool(texts) and min(map(len, texts)) >= LEAST


class Names:
    """Names that are asked again and again which of them a pattern may find."""

    def __init__(self, names: Iterable[str]) -> None:
        self.names = list(names)
        lower = [name.lower() for name in self.names]
        self.text = "\n".join(lower)
        self.ends = list(accumulate(len(each) + 1 for each in lower))
        self.foreign = [at for at, name in enumerate(self.names) if not name.isascii()]

    def asked(self, pattern: re.Pattern[str]) -> Iterator[str]:
        """The names that are worth a search, in their order; those beyond ASCII always are."""
        texts = needed(pattern)
        if not texts:
            return iter(self.names)
        found = set(self.foreign).union(*map(self._holding, texts))
        return (self.names[at] for at in sorted(found))

    def _holding(self, text: str) -> Iterator[int]:
        at = self.text.find(text)
        while at >= 0:
            number = bisect_right(self.ends, at)
            yield number
            at = self.text.find(text, self.ends[number])
