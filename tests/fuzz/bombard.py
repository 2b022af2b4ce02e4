"""Sends mutated requests to a running service one after the other, and notes what came of each."""

import re
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from mutator import CANARY, Mutator
from wire import Answer, Line

HANG = 1.0  # seconds within which a request that is whole must be answered
GLANCE = 0.02  # seconds to wait for an answer where the server may rightly wait for more bytes
ROOM = 1 << 20  # bytes of a body that are still filled up where it is shorter than it says
LENGTHS = re.compile(rb"(?im)^content-length:[ \t]*([^\r\n]*?)[ \t]*\r?$")
TRACE = re.compile(rb"Traceback|File \"|\.py\b|line \d+, in |site-packages")
SHORT = 4096  # bytes that the answer to a refused request may have


@dataclass
class Tally:
    """What came of many requests. worst: seconds of the slowest answer. faults: what must not be."""

    statuses: Counter[int] = field(default_factory=Counter)
    silent: int = 0  # hung up on, or not whole and left waiting
    worst: float = 0.0
    faults: list[str] = field(default_factory=list)

    @property
    def answered(self) -> int:
        """Requests that got an answer."""
        return sum(self.statuses.values())


def bombard(port: int, mutator: Mutator, requests: int, watch: Callable[[int], None]) -> Tally:
    """What came of so many mutated requests; `watch` is called with the number done, every hundred."""
    tally = Tally()
    with Line(port) as line:
        for number in range(requests):
            _send(line, mutator.next(), tally)
            if number % 100 == 99:
                watch(number + 1)
    return tally


def framed(request: bytes) -> tuple[bytes, bool]:
    """The request, filled up where its body is shorter than told, and whether the server has all of it."""
    head, end, body = request.partition(b"\r\n\r\n")
    lengths = LENGTHS.findall(head)
    if not end or b"transfer-encoding" in head.lower() or b"expect:" in head.lower() or len(lengths) > 1:
        return request, False
    if not lengths:
        return request, True
    if not lengths[0].isdigit() or len(lengths[0]) > 9:
        return request, False
    missing = int(lengths[0]) - len(body)
    return request + b" " * max(missing, 0) * (missing <= ROOM), missing <= ROOM


def _send(line: Line, request: bytes, tally: Tally) -> None:
    sent, whole = framed(request)
    used = line.open
    begin = time.monotonic()
    try:
        answer = line.ask(sent, HANG if whole else GLANCE)
    except TimeoutError:
        tally.silent += 1
        if whole:
            tally.faults.append(f"no answer within {HANG:g} s: {sent[:400]!r}")
        return
    except ConnectionRefusedError:
        raise
    except ConnectionError:
        if used:  # the server closed what was kept, between two requests
            _send(line, request, tally)
        else:
            tally.silent += 1
        return
    except ValueError:
        line.close()
        tally.faults.append(f"an answer that is no HTTP: {sent[:400]!r}")
        return
    if not whole:  # what came next on this connection would be the rest of this request
        line.close()
    tally.worst = max(tally.worst, time.monotonic() - begin)
    tally.statuses[answer.status] += 1
    tally.faults += [f"{what}: {sent[:400]!r} -> {answer.body[:200]!r}" for what in _faults(answer)]


def _faults(answer: Answer) -> list[str]:
    """What an answer must not be."""
    found = []
    if answer.status >= 500 and answer.status != 503:
        found.append(f"status {answer.status}")
    if CANARY in answer.body or CANARY in answer.head:
        found.append("the input came back")
    if TRACE.search(answer.body) and answer.status >= 400:
        found.append("a trace came out")
    if answer.status >= 400 and len(answer.body) > SHORT:
        found.append(f"{len(answer.body)} bytes to a refused request")
    return found
