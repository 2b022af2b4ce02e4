"""Clients that ask without pause, each on a connection of its own, and look at every answer."""

import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from wire import Answer, Line

LOST = "no answer"


@dataclass
class Seen:
    """What clients saw: number of each verdict, "" is a good one; slowest answer in seconds; bad ones."""

    verdicts: Counter[str] = field(default_factory=Counter)
    slowest: float = 0.0
    examples: list[str] = field(default_factory=list)

    @property
    def asked(self) -> int:
        """All requests."""
        return self.verdicts.total()

    @property
    def failed(self) -> int:
        """Requests that were not answered well."""
        return self.asked - self.verdicts[""]

    def note(self, verdict: str, seconds: float, detail: str) -> None:
        """Adds one answer."""
        self.verdicts[verdict] += 1
        self.slowest = max(self.slowest, seconds)
        if verdict and len(self.examples) < 5:
            self.examples.append(f"{verdict}: {detail}")


class Crowd:
    """So many clients in threads, from entering to leaving; `judge` gives a verdict on each answer.

    judge: takes the request's number and the answer; "" where it is good. A request that finds its kept
    connection closed is sent again on a new one, as HTTP clients do; one that fails there is lost.
    """

    def __init__(
        self, port: int, requests: Sequence[bytes], judge: Callable[[int, Answer], str], clients: int = 4
    ) -> None:
        self.port, self.requests, self.judge = port, requests, judge
        self.seen = [Seen() for _ in range(clients)]
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._ask, args=(i,), daemon=True) for i in range(clients)]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def asked(self) -> int:
        """Requests so far."""
        return sum(each.asked for each in self.seen)

    def total(self) -> Seen:
        """What all saw together."""
        all_seen = Seen()
        for each in self.seen:
            all_seen.verdicts += each.verdicts
            all_seen.slowest = max(all_seen.slowest, each.slowest)
            all_seen.examples += each.examples
        return all_seen

    def _ask(self, client: int) -> None:
        number = client * len(self.requests) // len(self.seen)
        with Line(self.port) as line:
            while not self._stop.is_set():
                number = (number + 1) % len(self.requests)
                begin = time.monotonic()
                verdict, detail = self._once(line, number)
                self.seen[client].note(verdict, time.monotonic() - begin, detail)

    def _once(self, line: Line, number: int) -> tuple[str, str]:
        kept = line.open
        try:
            answer = line.ask(self.requests[number])
        except ConnectionError as error:
            return self._once(line, number) if kept else (LOST, repr(error))
        except OSError as error:
            return LOST, repr(error)
        return self.judge(number, answer), f"{answer.status} {answer.body[:300]!r}"
