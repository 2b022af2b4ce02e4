"""Everything malformed is a short 4xx with a stable code, and says nothing of what it was sent."""

import base64
import json
import math
import re
import shutil
import socket
import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from level2_cicd.serving.app import Service
from level2_cicd.serving.auth import new_token
from level2_cicd.serving.errors import KINDS
from level2_cicd.serving.openapi import OPERATIONS
from level2_cicd.serving.settings import Limits

SERIES = {"region": "R01", "store_id": "R01S001", "product_id": "P01"}
MARK = "Zq9"  # in hostile requests, and in no answer
LONGEST = 300  # bytes of an error
LAST = b"GET /no HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"
STRICT = Limits(
    body_bytes=40_000, rows=2, header_bytes=2_000, header_seconds=0.2, body_seconds=0.2, hold_seconds=0.02
)


@dataclass(frozen=True)
class Door:
    """A service that asks for tokens and takes little, with a client that has one."""

    service: Service
    port: int
    client: httpx.Client

    def post(self, content: object, path: str = "/v1/score", **headers: str) -> httpx.Response:
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        return self.client.post(path, content=body, headers={"content-type": "application/json", **headers})

    def raw(self, request: bytes) -> httpx.Response:
        """The answer to bytes on the wire, after which nothing more is sent."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=10) as wire:
            wire.sendall(request)
            got = b"".join(iter(lambda: wire.recv(65536), b""))
        head, _, body = got.partition(b"\r\n\r\n")
        return httpx.Response(int(head.split()[1]), content=body)

    @contextmanager
    def changed(self, owner: Any, name: str, value: Any) -> Iterator[None]:
        before = getattr(owner, name)
        setattr(owner, name, value)
        try:
            yield
        finally:
            setattr(owner, name, before)


@pytest.fixture(scope="module")
def door(
    served: Path, serve_here: Callable[..., tuple[Service, int]], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Door]:
    folder = tmp_path_factory.mktemp("door") / "store"
    shutil.copytree(served, folder, ignore=shutil.ignore_patterns("data", "runs", "work"))
    _, token = new_token(folder, "prod")
    service, port = serve_here(folder, STRICT, environment="prod", token_required=True)
    headers = {"authorization": f"Bearer {token}"}
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", headers=headers, timeout=10) as client:
        yield Door(service, port, client)


Content = Callable[..., dict[str, Any]]
Produce = Callable[[Door, Content], httpx.Response]


def overloaded(door: Door, content: Content) -> httpx.Response:
    with door.changed(door.service.admission, "limits", replace(STRICT, waiting=-1)):
        return door.post(content([0]))


def not_published(door: Door, _: Content) -> httpx.Response:
    with door.changed(door.service.reloader, "now", replace(door.service.reloader.now, published=None)):
        return door.client.get("/v1/forecasts/R01/R01S001/P01")


def failed(door: Door, content: Content) -> httpx.Response:
    with door.changed(door.service, "hot", {"/v1/score": lambda *_: 1 / 0}):
        return door.post(content([0]))


def of_series(door: Door, **changes: object) -> httpx.Response:
    return door.post({"series": [{**SERIES, **changes}]}, "/v1/forecast")


HEAD = b"POST /v1/score HTTP/1.1\r\nhost: here\r\ncontent-type: application/json\r\n"
PRODUCED: dict[str, Produce] = {
    "bad_http": lambda door, _: door.raw(f"{MARK} \x00 what\r\n\r\n".encode()),
    "bad_json": lambda door, _: door.post(f"{{{MARK}".encode()),
    "no_token": lambda door, _: httpx.get(f"http://127.0.0.1:{door.port}/v1/release"),
    "no_route": lambda door, _: door.client.get(f"/{MARK}"),
    "unknown_series": lambda door, _: of_series(door, store_id=MARK),
    "no_method": lambda door, _: door.client.put("/v1/release"),
    "slow_headers": lambda door, _: door.raw(b"GET /livez HTTP/1.1\r\nx-first: " + MARK.encode()),
    "slow_body": lambda door, _: door.raw(
        HEAD + b"authorization: " + door.client.headers["authorization"].encode() + b"\r\n"
        b"content-length: 100\r\n\r\n" + MARK.encode()
    ),
    "other_columns": lambda door, content: door.post({**content([0]), "columns": MARK}),
    "body_too_large": lambda door, _: door.post(b"[" + b" " * STRICT.body_bytes + b"]"),
    "not_json": lambda door, _: door.post(b"{}", **{"content-type": f"text/{MARK}"}),
    "bad_request": lambda door, _: of_series(door, product_id=True),
    "bad_name": lambda door, content: door.post(content([0], store_id=f"{MARK}\n")),
    "bad_number": lambda door, content: door.post(content([0], level=1e39)),
    "bad_width": lambda door, content: door.post(content([0], features=[1.0])),
    "unknown_week": lambda door, _: of_series(door, weeks=["1999-01-04"]),
    "too_many_rows": lambda door, content: door.post(content([0, 1, 2])),
    "headers_too_large": lambda door, _: door.client.get("/livez", headers={"x": MARK * STRICT.header_bytes}),
    "failed": failed,
    "overloaded": overloaded,
    "not_published": not_published,
}


@pytest.mark.parametrize("code", KINDS)
def test_every_error_can_be_had_and_tells_nothing_of_the_input(
    code: str, door: Door, content: Content
) -> None:
    answer = PRODUCED[code](door, content)
    assert answer.json()["error"]["code"] == code
    assert answer.json()["error"]["message"] == KINDS[code].message
    assert answer.status_code == KINDS[code].status
    assert len(answer.content) <= LONGEST
    assert MARK not in answer.text and "Traceback" not in answer.text


def test_every_error_is_documented_with_some_route() -> None:
    assert {code for op in OPERATIONS for code in op.codes} | {"no_route"} == set(KINDS)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "bad_json"),
        (b"\xff\xfe{}", "bad_json"),
        (b'{"columns":"\xc3\x28","rows":[]}', "bad_json"),
        (b'{"columns":"\\ud800","rows":[]}', "bad_json"),
        (b"[" * 100_000, "bad_request"),
        (b'{"columns":' + b"[" * 30_000, "bad_request"),
        (b'{"columns":"a","rows":[' + b"{" * 30_000, "bad_json"),
        (b"null", "bad_request"),
        (b'"text"', "bad_request"),
        (b"{}", "bad_request"),
        (b'{"columns":"a","rows":[]}', "bad_request"),
        (b'{"columns":"a","rows":[],"Zq9":1}', "bad_request"),
        (b"{} {}", "bad_request"),
        (b"{}Zq9", "bad_request"),
    ],
)
def test_what_is_no_request_is_refused(client: httpx.Client, body: bytes, code: str) -> None:
    answer = client.post("/v1/score", content=body, headers={"content-type": "application/json"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (KINDS[code].status, code)
    assert len(answer.content) <= LONGEST and MARK not in answer.text


@pytest.mark.parametrize(
    ("number", "code"),
    [
        ("NaN", "bad_json"),
        ("Infinity", "bad_json"),
        ("-Infinity", "bad_json"),
        ("1e400", "bad_request"),
        ("-1e400", "bad_request"),
        ("1e39", "bad_number"),
        ("1" + "0" * 400, "bad_request"),
        ("1" + "0" * 40, "bad_number"),
        ("true", "bad_request"),
        ('"1.0"', "bad_request"),
        ("[1.0]", "bad_request"),
        ("{}", "bad_request"),
        ("01", "bad_json"),
        ("+1", "bad_json"),
        ("0x1", "bad_json"),
    ],
)
def test_what_is_no_number_is_refused(client: httpx.Client, content: Content, number: str, code: str) -> None:
    body = json.dumps(content([0])).replace('"features": [', f'"features": [{number}, ', 1)
    answer = client.post("/v1/score", content=body, headers={"content-type": "application/json"})
    assert answer.status_code in (400, 422)
    if code == "bad_number":  # there is one feature too many, which is noticed first
        code = "bad_width"
    assert answer.json()["error"]["code"] == code


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda packed: packed[:-4], "bad_width"),
        (lambda packed: packed + b"\0", "bad_width"),
        (lambda _: b"", "bad_width"),
        (lambda packed: struct.pack("<f", math.inf) + packed[4:], "bad_number"),
        (lambda packed: packed[4:] + struct.pack("<f", -math.inf), "bad_number"),
    ],
)
def test_packed_features_of_another_length_or_without_end_are_refused(
    client: httpx.Client, content: Content, change: Callable[[bytes], bytes], code: str
) -> None:
    body = content([0])
    features = [0.0 if each is None else each for each in body["rows"][0]["features"]]
    packed = change(struct.pack(f"<{len(features)}f", *features))
    body["rows"][0]["features"] = base64.b64encode(packed).decode()
    answer = client.post("/v1/score", json=body)
    assert (answer.status_code, answer.json()["error"]["code"]) == (422, code)


@pytest.mark.parametrize("text", ["x", "AAAA=", "AA AA", "\u00e9\u00e9\u00e9\u00e9", "[1.0]"])
def test_features_in_a_string_that_is_no_base64_are_refused(
    client: httpx.Client, content: Content, text: str
) -> None:
    answer = client.post("/v1/score", json=content([0], features=text))
    assert (answer.status_code, answer.json()["error"]["code"]) == (422, "bad_request")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("horizon", 0),
        ("horizon", -1),
        ("horizon", 1.5),
        ("horizon", True),
        ("horizon", 10**30),
        ("level", -0.5),
        ("level", None),
        ("level", False),
        ("region", ""),
        ("region", "R" * 65),
        ("region", 1),
        ("region", None),
        ("features", None),
        ("features", {"lag_0": 1.0}),
    ],
)
def test_a_field_that_bends_its_type_or_leaves_its_range_is_refused(
    client: httpx.Client, content: Content, field: str, value: object
) -> None:
    answer = client.post("/v1/score", json=content([0], **{field: value}))
    assert answer.status_code == 422
    assert answer.json()["error"] == {
        "code": "bad_request",
        "message": KINDS["bad_request"].message,
        "at": f"$.rows[0].{field}",
    }


@pytest.mark.parametrize("name", ["a\nb", "\x00", "\u202e", "a\u2028b", "\ud7ff\x7f"])
def test_a_name_that_cannot_be_printed_is_refused(client: httpx.Client, content: Content, name: str) -> None:
    answer = client.post("/v1/score", json=content([0], store_id=name))
    assert (answer.status_code, answer.json()["error"]["code"]) == (422, "bad_name")


@pytest.mark.parametrize(
    "name", ["..", "%2e%2e%2fcurrent.json", "R01;drop", "%00", "%ff", "nope", "a%0d%0ab"]
)
def test_names_that_the_release_does_not_know_are_not_looked_for(client: httpx.Client, name: str) -> None:
    answer = client.get(f"/v1/forecasts/{name}/R01S001/P01")
    assert (answer.status_code, answer.json()["error"]["code"]) in [
        (404, "unknown_series"),
        (404, "no_route"),
    ]


def test_a_method_that_a_path_does_not_take_is_told_which_it_takes(client: httpx.Client) -> None:
    assert client.get("/v1/score").headers["allow"] == "POST"
    assert client.delete("/livez").headers["allow"] == "GET"


def test_a_body_whose_length_is_not_told_is_cut_off_at_the_limit(door: Door) -> None:
    def parts() -> Iterator[bytes]:
        for _ in range(20):
            yield b" " * 4_000

    answer = door.client.post("/v1/score", content=parts(), headers={"content-type": "application/json"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (413, "body_too_large")


def test_a_service_that_shed_requests_answers_the_next_ones(door: Door, content: Content) -> None:
    refused = overloaded(door, content)
    assert refused.headers["retry-after"] == "1"
    assert door.service.admission.held == 0
    assert door.post(content([0])).status_code == 200


def test_bodies_that_wait_are_bounded_together(door: Door, content: Content) -> None:
    with door.changed(door.service.admission, "waiting_bytes", STRICT.waiting_bytes):
        assert door.post(content([0])).json()["error"]["code"] == "overloaded"
    assert door.post(content([0])).status_code == 200
    assert door.service.admission.waiting_bytes == 0


UPGRADE = b"host: x\r\nconnection: upgrade, close\r\nupgrade: h2c\r\n"


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (b"GET /livez HTTP/1.1\r\n" + UPGRADE + b"\r\n", b"200"),
        (b"POST /v1/score HTTP/1.1\r\n" + UPGRADE + b"content-length: 2\r\n\r\n{}", b"4"),
    ],
)
def test_a_wish_for_another_protocol_is_passed_over(live: Any, request_: bytes, status: bytes) -> None:
    with socket.create_connection(("127.0.0.1", live[1]), timeout=5) as wire:
        wire.sendall(request_)
        assert wire.recv(65536).startswith(b"HTTP/1.1 " + status)


def test_requests_in_one_packet_are_answered_in_their_order(client: httpx.Client, live: Any) -> None:
    with socket.create_connection(("127.0.0.1", live[1]), timeout=10) as wire:
        wire.sendall(b"GET /livez HTTP/1.1\r\nhost: x\r\n\r\n" + LAST)
        got = b"".join(iter(lambda: wire.recv(65536), b""))
    assert re.findall(rb"HTTP/1.1 (\d+)", got) == [b"200", b"404"]
