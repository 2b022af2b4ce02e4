"""What fuzz, drills and benchmark of serving are made of: each finds the fault that it is there to find."""

import json
import re
import shutil
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from demand.errors import IntegrityError, UsageError
from level2_cicd.serving.release import read_pointer, read_release, self_test

FAULTS = [
    "a flipped bit in a graph",
    "a missing graph",
    "a cut manifest",
    "a file too many",
    "a graph of no numbers",
    "a graph that is none",
    "no parity certificate",
    "a pointer to nothing",
    "a pointer out of the store",
    "a pointer to other bytes",
    "a cut pointer",
]


@pytest.fixture(scope="module", autouse=True)
def _tools(root: Path) -> Iterator[None]:
    """Makes the modules importable."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("benchmarks", "drills", "fuzz"):
            patch.syspath_prepend(str(root / "tests" / name))
        yield


@pytest.fixture
def bombarding() -> ModuleType:
    import bombard

    return bombard


def test_two_thousand_mutated_requests_do_no_harm(served, live, bombarding):
    from mutator import Mutator
    from samples import samples
    from wire import Line

    port = live[1]
    requests = samples(served, port)
    done: list[int] = []
    tally = bombarding.bombard(port, Mutator(requests, seed=1), 2_000, done.append)
    assert tally.faults == []
    assert tally.answered > 1_900
    assert done == list(range(100, 2_001, 100))
    assert {200, 400, 404, 405, 415, 422} <= set(tally.statuses)
    with Line(port) as line:
        assert {line.ask(each).status for each in requests} == {200}


def test_the_same_seed_gives_the_same_requests_and_hardly_any_of_them_is_valid():
    from mutator import Mutator

    valid = b'POST /v1/score HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\n\r\n{"rows":[1]}'
    one, again, other = (Mutator([valid], seed) for seed in (1, 1, 2))
    found = [one.next() for _ in range(300)]
    assert found == [again.next() for _ in range(300)]
    assert found != [other.next() for _ in range(300)]
    assert found.count(valid) < 30


@pytest.mark.parametrize(
    ("request_", "sent", "whole"),
    [
        (b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", None, True),
        (b"GET / HTTP/1.1\r\nHost: a\r\n", None, False),  # the headers do not end
        (b"POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\nabc", b"abc  ", True),  # filled up
        (b"POST / HTTP/1.1\r\nContent-Length: 99999999\r\n\r\nabc", None, False),
        (b"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\nabc", None, False),
        (b"POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nabc", None, False),
        (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nabc", None, False),
    ],
)
def test_only_a_whole_request_must_be_answered_in_time(bombarding, request_, sent, whole):
    assert bombarding.framed(request_) == (request_.replace(b"abc", sent) if sent else request_, whole)


@pytest.mark.parametrize(
    ("answer", "fault"),
    [
        (b"HTTP/1.1 500 X\r\ncontent-length: 2\r\n\r\n{}", "status 500"),
        (b"HTTP/1.1 422 X\r\ncontent-length: 10\r\n\r\nzqCANARYqz", "the input came back"),
        (b"HTTP/1.1 400 X\r\ncontent-length: 17\r\n\r\nTraceback (most r", "a trace came out"),
        (b"HTTP/1.1 400 X\r\ncontent-length: 5000\r\n\r\n" + b"a" * 5000, "5000 bytes to a refused"),
        (b"nonsense that is no HTTP\r\n\r\n", "an answer that is no HTTP"),
        (b"", "no answer within"),
    ],
)
def test_each_fault_of_a_service_is_found(bombarding, monkeypatch, answer, fault):
    class Always:
        def next(self) -> bytes:
            return b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"

    monkeypatch.setattr(bombarding, "HANG", 0.05)
    with answering(answer) as port:
        tally = bombarding.bombard(port, Always(), 1, lambda _: None)
    assert [fault in each for each in tally.faults] == [True]


def test_a_503_is_counted_and_no_fault(bombarding):
    class Always:
        def next(self) -> bytes:
            return b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"

    with answering(b"HTTP/1.1 503 X\r\ncontent-length: 2\r\n\r\n{}") as port:
        tally = bombarding.bombard(port, Always(), 1, lambda _: None)
    assert (tally.faults, tally.statuses) == ([], {503: 1})


def test_a_derived_release_serves_and_forecasts_otherwise(shop):
    shop.derive("green", scale=1.2, whole=True)
    before = read_release(shop.store, read_pointer(shop.store))
    shop.use("green")
    after = read_release(shop.store, read_pointer(shop.store))
    self_test(after, 8)
    assert after.version == "green"
    assert (len(before.failed_over), len(after.engine.failed)) == (2, 0)
    rows = before.snapshot.rows(list(range(20)))
    ours, theirs = (each.engine.answer(rows).numbers for each in (before, after))
    assert not np.isclose(ours, theirs, rtol=1e-3).all()


@pytest.mark.parametrize("kind", FAULTS)
def test_each_kind_of_bad_release_is_refused(shop, kind):
    shop.spoil(kind, "bad")
    with pytest.raises((IntegrityError, UsageError)):
        self_test(read_release(shop.store, read_pointer(shop.store)), 8)


def test_every_fault_is_tried():
    import releases

    assert list(releases.FAULTS) == FAULTS


def test_a_crowd_counts_what_is_lost_and_what_is_wrong():
    from crowd import Crowd
    from wire import request

    good = b"HTTP/1.1 200 X\r\ncontent-length: 2\r\n\r\n{}"
    with answering(good, b"HTTP/1.1 503 X\r\ncontent-length: 0\r\n\r\n") as port:
        crowd = Crowd(port, [request("GET", "/")], lambda _, answer: "" if answer.status == 200 else "bad", 1)
        with crowd:
            while crowd.asked() < 10:
                pass
    seen = crowd.total()
    assert seen.verdicts["bad"] >= 4
    assert seen.failed == seen.verdicts["bad"] + seen.verdicts["no answer"]
    assert "503" in seen.examples[0]


def test_the_bare_handler_answers_what_the_service_does(served, live, service):
    import bare_handler
    from samples import rows_body, snapshot_of, told_by

    snapshot = snapshot_of(served)
    series = service.reloader.now.release.engine.series
    names = list(zip(*(snapshot[name] for name in bare_handler.CATEGORIES), strict=True))
    rows = snapshot[[series[each].graph is not None for each in names]].iloc[:60:3]
    body = rows_body(rows, told_by(live[1]))
    handler = bare_handler.Handler(served)
    found = np.array(handler.answer(handler.decode(body).rows).forecasts)
    answered = json.loads(service.routes.score(service.reloader.now, body))["forecasts"]
    expected = [[row["units"], row["lower"], row["upper"]] for row in answered]
    np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_the_benchmark_says_what_was_promised_and_missed():
    import serving

    def lines(ours: float, p99: float = 2.0, memory: float = 180.0) -> list[dict[str, Any]]:
        rates = {serving.OURS: ours, serving.MLFLOW: 30.0, serving.BARE: 5_000.0}
        return [
            {
                "stack": stack, "rows_per_request": rows, "requests_per_second": rate / rows**0.5,
                "p50_ms": 1.0, "p99_ms": p99, "rss_mb": memory,
            }
            for rows in (1, 100)
            for stack, rate in rates.items()
        ]  # fmt: skip

    starts = dict.fromkeys((serving.OURS, serving.MLFLOW, serving.BARE), 1.0)
    # 4,000 of 5,000 are 0.8 of the bare handler, 133 times the 30 of MLflow; all by a tenth for 100 rows.
    report, missed = serving.tell(lines(4_000.0), starts)
    assert missed == []
    assert "| mlflow models serve | 1 | 30 | 1 | 2 | 180 | 1 | 133 x |" in report
    assert "All as promised." in report
    _, missed = serving.tell(lines(2_900.0, p99=3.5, memory=201.0), {**starts, serving.OURS: 2.5})
    # 2,900 are 97 times 30 and 0.58 of 5,000.
    assert [re.sub(r"[\d.]+", "#", each) for each in missed] == [
        "# rows: # times mlflow models serve, promised #",
        "# rows: # times bare handler, promised #",
        "# rows: # times bare handler, promised #",
        "p# ms of one row: #, promised at most #",
        "seconds from start to ready: #, promised at most #",
        "MB resident: #, promised at most #",
    ]


@pytest.mark.skipif(shutil.which("wrk") is None, reason="not run: wrk is not installed; make system-deps")
def test_wrk_posts_every_body_and_counts_refusals_apart(live):
    from wrk import Load, run_wrk

    port = live[1]
    series = {"series": [{"region": "R01", "store_id": "R01S001", "product_id": "P01"}]}
    bodies = [json.dumps(series).encode(), b"no JSON"]
    found = run_wrk(Load(f"http://127.0.0.1:{port}/v1/forecast", bodies, {"X-Any": "1"}, connections=2), 1)
    assert found.broken == 0
    assert found.refused == pytest.approx(found.requests / 2, abs=3)
    assert found.per_second > 10


@pytest.fixture
def shop(served: Path, tmp_path: Path) -> Any:
    import releases

    return releases.open_shop(served, tmp_path / "store")


@contextmanager
def answering(*answers: bytes) -> Iterator[int]:
    """A server that gives these answers in turn, one to each thing that arrives, until it is left."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(0.2)
        stop = threading.Event()

        def run() -> None:
            turn = 0
            while not stop.is_set():
                try:
                    connection, _ = listening.accept()
                except OSError:
                    continue
                connection.settimeout(0.2)
                with connection:
                    turn = talk(connection, turn)

        def talk(connection: socket.socket, turn: int) -> int:
            while not stop.is_set():
                try:
                    if not connection.recv(1 << 16):
                        return turn
                    connection.sendall(answers[turn % len(answers)])
                except OSError:
                    continue
                turn += 1
            return turn

        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        yield int(listening.getsockname()[1])
        stop.set()
        thread.join(5)
