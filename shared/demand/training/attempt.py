"""One segment's fault must not cost the others: what is tried ends in a result or in a reason, in time."""

import ctypes
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import ParamSpec, TypeVar

MOST_WAITS = 1000  # milliseconds; an error on its way arrives at the next step of Python
P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True)
class Failed:
    """Why there is no result; one line."""

    reason: str


def attempt(
    seconds: float, function: Callable[P, T], /, *arguments: P.args, **options: P.kwargs
) -> T | Failed:
    """What the function returns, or why it raised; TimeoutError where it took longer than `seconds`."""
    try:
        with time_limit(seconds):
            return function(*arguments, **options)
    except Exception as error:  # noqa: BLE001 - whatever is wrong with one segment, the others go on
        lines = str(error).splitlines()
        return Failed(f"{type(error).__name__}: {lines[0][:300]}" if lines else type(error).__name__)


@contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """A block that raises TimeoutError between two steps of Python once `seconds` are over; 0 for no limit.

    Works in any thread, as workers of a cluster need. It cannot end a single call that stays outside Python.
    """
    if seconds == 0:
        yield
        return
    late = _Late(threading.get_ident())
    timer = threading.Timer(seconds, late.strike)
    timer.daemon = True
    timer.start()
    try:
        yield
    except TimeoutError as error:
        if late.struck:
            late.arrived = True
            raise TimeoutError(f"took longer than {seconds:g} s (pipeline.segment_seconds)") from error
        raise
    finally:
        timer.cancel()
        late.disarm()


class _Late:
    """Raises TimeoutError in a thread, once at most, and never after it was disarmed."""

    def __init__(self, thread: int) -> None:
        self.struck = self.arrived = False
        self._thread, self._armed, self._lock = thread, True, threading.Lock()

    def strike(self) -> None:
        with self._lock:
            if self._armed:
                self.struck = True
                _raise_in(self._thread, TimeoutError)

    def disarm(self) -> None:
        with self._lock:
            self._armed = False
        if self.struck and not self.arrived:
            self._let_it_come()

    def _let_it_come(self) -> None:
        """Waits for an error on its way, so that it strikes here, and not where the work goes on.

        To take it back instead leaves Python 3.11 in an endless loop where its code is traced.
        """
        with suppress(TimeoutError):
            for _ in range(MOST_WAITS):
                time.sleep(0.001)


def _raise_in(thread: int, error: type[BaseException]) -> None:
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), ctypes.py_object(error))
