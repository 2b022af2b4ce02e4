"""Bearer tokens of an environment: made here, kept as hashes, compared in constant time.

A token is 256 random bits, so a plain sha256 keeps it: there is nothing to guess, and what slows down who
guesses passwords would here slow down every request.
"""

import hashlib
import hmac
import json
import os
import secrets
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from demand.errors import UsageError

TOKENS = "tokens.json"
FORMAT = 1
BYTES = 32
LONGEST = 256  # bytes of a header's value that is looked at


@dataclass(frozen=True)
class Tokens:
    """The sha256 digests of an environment's tokens, by id."""

    digests: dict[str, bytes]

    def allow(self, authorization: bytes) -> bool:
        """Whether a header's value is one of the tokens; takes as long for each of them."""
        scheme, _, token = authorization[:LONGEST].partition(b" ")
        digest = hashlib.sha256(token.strip()).digest()
        good = False
        for known in self.digests.values():
            good |= hmac.compare_digest(digest, known)
        return good and scheme.lower() == b"bearer"


def read_tokens(store: Path, environment: str) -> Tokens:
    """The tokens of a store, none where there is no file; raises UsageError for another environment's."""
    path = store / TOKENS
    content = _content(path, environment)
    try:
        return Tokens({str(each["id"]): bytes.fromhex(each["sha256"]) for each in content["tokens"]})
    except (ValueError, KeyError, TypeError) as error:
        raise UsageError(f"{path}: expected tokens; got {type(error).__name__}. Make new ones.") from None


def new_token(store: Path, environment: str) -> tuple[str, str]:
    """The id and the text of a new token; the store keeps its hash alone. Raises UsageError."""
    content = _content(store / TOKENS, environment)
    token = f"{environment}-{secrets.token_urlsafe(BYTES)}"
    name = secrets.token_hex(4)
    entry = {"id": name, "sha256": hashlib.sha256(token.encode()).hexdigest()}
    _write(store, environment, [*content["tokens"], entry])
    return name, token


def revoke_token(store: Path, environment: str, name: str) -> None:
    """Takes a token away; raises UsageError where there is none of that id."""
    tokens = _content(store / TOKENS, environment)["tokens"]
    left = [each for each in tokens if each.get("id") != name]
    if len(left) == len(tokens):
        known = ", ".join(str(each.get("id")) for each in tokens) or "none"
        raise UsageError(f"{store / TOKENS}: expected the id of a token ({known}); got {name!r}.")
    _write(store, environment, left)


def _content(path: Path, environment: str) -> dict[str, Any]:
    empty = {"format": FORMAT, "environment": environment, "tokens": []}
    try:
        content = json.loads(path.read_bytes()) if path.is_file() else empty
        owner, tokens = content["environment"], content["tokens"]
        if content["format"] != FORMAT or not isinstance(tokens, list):
            raise ValueError
    except (ValueError, KeyError, TypeError):
        raise UsageError(f"{path}: expected tokens; got another file. Make new ones.") from None
    if owner != environment:
        raise UsageError(f"{path}: expected tokens of {environment}; got those of {owner}. Make new ones.")
    return dict(content)


def _write(store: Path, environment: str, tokens: list[dict[str, str]]) -> None:
    """Written whole or not at all, for the owner's eyes alone."""
    content = {"format": FORMAT, "environment": environment, "tokens": tokens}
    store.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{TOKENS}.", dir=store)
    with os.fdopen(handle, "w") as file:
        file.write(json.dumps(content, indent=1) + "\n")
        file.flush()
        os.fsync(file.fileno())
    Path(name).replace(store / TOKENS)
