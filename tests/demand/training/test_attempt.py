import threading
import time

import pytest

from demand.training import Failed
from demand.training.attempt import attempt


def spin(seconds: float) -> str:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        pass
    return "done"


def broken(text: str) -> None:
    raise KeyError(text)


def test_an_attempt_gives_the_result():
    assert attempt(5, spin, 0.0) == "done"
    assert attempt(0, spin, 0.0) == "done"


def test_an_attempt_that_raises_gives_the_reason_on_one_line():
    assert attempt(5, broken, "no such segment\nmore") == Failed("KeyError: 'no such segment\\nmore'")
    assert attempt(5, int, "x\ny") == Failed("ValueError: invalid literal for int() with base 10: 'x\\ny'")


def test_an_error_without_a_word_is_named():
    def quiet() -> None:
        raise ValueError

    assert attempt(5, quiet) == Failed("ValueError")


def test_a_person_who_stops_the_run_stops_it():
    def stop() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        attempt(5, stop)


def test_what_takes_too_long_failed():
    begin = time.monotonic()
    found = attempt(0.05, spin, 30.0)
    assert found == Failed("TimeoutError: took longer than 0.05 s (pipeline.segment_seconds)")
    assert time.monotonic() - begin < 10


def test_a_timeout_of_something_else_keeps_its_own_words():
    def elsewhere() -> None:
        raise TimeoutError("the server")

    assert attempt(5, elsewhere) == Failed("TimeoutError: the server")


def test_a_limit_holds_in_another_thread_too():
    found = []
    thread = threading.Thread(target=lambda: found.append(attempt(0.05, spin, 30.0)))
    thread.start()
    thread.join(20)
    assert [type(each) for each in found] == [Failed]


def test_nothing_strikes_after_the_block():
    for seconds in (0.001, 0.0011, 0.0012) * 20:
        attempt(seconds, spin, 0.001)
        spin(0.003)
