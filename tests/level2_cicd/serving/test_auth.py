"""Tokens are of one environment, kept as hashes, and asked for outside local."""

import hashlib
import hmac
import json
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from demand.errors import UsageError
from level2_cicd.serving import auth
from level2_cicd.serving.app import create
from level2_cicd.serving.auth import TOKENS, Tokens, new_token, read_tokens, revoke_token
from level2_cicd.serving.settings import ServingSettings


def test_a_token_opens_its_own_environment(tmp_path: Path) -> None:
    _, token = new_token(tmp_path, "prod")
    assert read_tokens(tmp_path, "prod").allow(f"Bearer {token}".encode())
    assert read_tokens(tmp_path, "prod").allow(f"bearer {token}".encode())


@pytest.mark.parametrize("change", ["{}x", "{}"[:-1] + "}", "Basic {}", "", "Bearer", "Bearer ", "{}"])
def test_nothing_else_opens_it(tmp_path: Path, change: str) -> None:
    _, token = new_token(tmp_path, "prod")
    header = change.format(token)
    assert not read_tokens(tmp_path, "prod").allow(header.encode())


def test_no_token_opens_a_store_without_any(tmp_path: Path) -> None:
    assert not read_tokens(tmp_path, "prod").allow(b"Bearer ")


def test_the_store_keeps_a_hash_that_only_the_owner_reads(tmp_path: Path) -> None:
    name, token = new_token(tmp_path, "prod")
    content = (tmp_path / TOKENS).read_text()
    assert token not in content and token.removeprefix("prod-") not in content
    digest = hashlib.sha256(token.encode()).hexdigest()
    assert json.loads(content)["tokens"] == [{"id": name, "sha256": digest}]
    assert stat.S_IMODE((tmp_path / TOKENS).stat().st_mode) == 0o600


def test_tokens_are_long_and_never_the_same(tmp_path: Path) -> None:
    tokens = {new_token(tmp_path, "prod")[1] for _ in range(20)}
    assert len(tokens) == 20
    assert all(len(token.removeprefix("prod-")) == 43 for token in tokens)  # 256 bits, 6 a character


def test_every_token_is_compared_in_constant_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[bytes] = []
    in_constant_time = hmac.compare_digest

    def compare(got: bytes, known: bytes) -> bool:
        compared.append(known)
        return in_constant_time(got, known)

    tokens = [new_token(tmp_path, "prod")[1] for _ in range(3)]
    known = read_tokens(tmp_path, "prod")
    monkeypatch.setattr(auth.hmac, "compare_digest", compare)
    assert known.allow(f"Bearer {tokens[0]}".encode())
    assert compared == list(known.digests.values())


def test_a_token_that_was_taken_away_opens_nothing(tmp_path: Path) -> None:
    (first, one), (_, two) = new_token(tmp_path, "prod"), new_token(tmp_path, "prod")
    revoke_token(tmp_path, "prod", first)
    left = read_tokens(tmp_path, "prod")
    assert not left.allow(f"Bearer {one}".encode())
    assert left.allow(f"Bearer {two}".encode())


def test_taking_away_a_token_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    name, _ = new_token(tmp_path, "prod")
    with pytest.raises(UsageError, match=rf"expected the id of a token \({name}\); got 'nope'"):
        revoke_token(tmp_path, "prod", "nope")


def test_one_environments_tokens_are_not_anothers(tmp_path: Path) -> None:
    new_token(tmp_path, "dev")
    with pytest.raises(UsageError, match="expected tokens of prod; got those of dev"):
        read_tokens(tmp_path, "prod")


@pytest.mark.parametrize(
    "content", ["", "[]", '{"format": 2}', '{"format":1,"environment":"prod","tokens":{}}']
)
def test_a_file_that_holds_no_tokens_is_an_error(tmp_path: Path, content: str) -> None:
    (tmp_path / TOKENS).write_text(content)
    with pytest.raises(UsageError, match="expected tokens; got another file"):
        read_tokens(tmp_path, "prod")


def test_an_environment_other_than_local_does_not_start_without_tokens(served: Path) -> None:
    with pytest.raises(UsageError, match="only local goes without"):
        create(ServingSettings(served, "prod", token_required=False))
    with pytest.raises(UsageError, match="expected a token, which prod requires"):
        create(ServingSettings(served, "prod", token_required=True))


def test_the_command_prints_a_token_once_and_takes_it_away(
    cli: Callable[..., Any], releases: Callable[..., Any]
) -> None:
    made = releases("prod")
    new = cli("token", "new", *made.options)
    assert new.code == 0
    known = read_tokens(made.environment.store, "prod")
    assert known.allow(f"Bearer {new.out.strip()}".encode())
    [name] = known.digests
    assert name in new.err
    assert cli("token", "revoke", *made.options, name).code == 0
    assert read_tokens(made.environment.store, "prod") == Tokens({})
    assert cli("token", "revoke", *made.options, name).code == 64
