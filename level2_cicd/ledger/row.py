"""A row of the ledger: who decided what, when and why, sealed together with the row before it."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from demand.errors import UsageError

GENESIS = "0" * 64  # what the first row has in place of the hash before it
KINDS = ("registered", "promoted", "refused", "rolled_back", "scored", "retrain_decided")
SERVING_KINDS = ("promoted", "rolled_back")
LONGEST = {"actor": 200, "reason": 2000, "version": 200}  # characters


@dataclass(frozen=True)
class Entry:
    """What is to be entered.

    kind: one of KINDS. version: of the bundle it is about, "" for none. content: evidence, anything that JSON
    can hold. actor: who decided, or approved it. reason: why, in their words.
    """

    kind: str
    version: str
    content: Mapping[str, Any]
    actor: str
    reason: str

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise UsageError(f"ledger: expected one of the kinds {', '.join(KINDS)}; got {self.kind!r}.")
        for name, most in LONGEST.items():
            _check_text(name, getattr(self, name), most, empty=name == "version")


@dataclass(frozen=True)
class Row:
    """What was entered. content: canonical JSON. at: UTC as ISO text. hash: of all the rest, canonical."""

    seq: int
    environment: str
    kind: str
    version: str
    content: str
    at: str
    actor: str
    reason: str
    previous_hash: str
    hash: str

    @property
    def evidence(self) -> dict[str, Any]:
        """The content, read."""
        return dict(json.loads(self.content))

    @property
    def computed(self) -> str:
        """The hash that follows from the other fields; another than `hash` means that the row was changed."""
        rest = {
            name: value if isinstance(value, str | int) else repr(value)
            for name, value in asdict(self).items()
        }
        del rest["hash"]
        return hashlib.sha256(canonical(rest).encode()).hexdigest()


def follow(before: Row | None, environment: str, entry: Entry, at: str) -> Row:
    """The row of an entry that comes after `before`."""
    seq, previous = (before.seq + 1, before.hash) if before else (1, GENESIS)
    text = canonical(entry.content)
    fields = (environment, entry.kind, entry.version, text, at, entry.actor, entry.reason)
    return _sealed(Row(seq, *fields, previous, hash=""))


def canonical(content: Any) -> str:
    """JSON that is the same for the same content: sorted keys, no spaces, ASCII."""
    return json.dumps(content, sort_keys=True, separators=(",", ":"), allow_nan=False)


def _sealed(row: Row) -> Row:
    return Row(**{**asdict(row), "hash": row.computed})


def _check_text(name: str, text: str, most: int, *, empty: bool) -> None:
    """Raises UsageError for what could not be shown on one line of a terminal, or says nothing."""
    fault = f"{len(text)} characters" if len(text) > most else "no text" if not text.strip() else ""
    if not text.isprintable():
        fault = f"{next(each for each in text if not each.isprintable())!r} in it"
    if fault and not (empty and not text):
        raise UsageError(f"{name}: expected one printable line of 1 to {most} characters; got {fault}.")
