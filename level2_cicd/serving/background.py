"""Work that may wait, done beside the requests: offered in passing, and dropped where there is much."""

import threading
from collections import deque
from collections.abc import Callable
from typing import Generic, TypeVar

Item = TypeVar("Item")


class Background(Generic[Item]):
    """A thread that works on what it is offered, a batch at a time.

    work: takes a batch. room: how many items are taken between two batches; any more are dropped and counted.
    every: seconds between batches. Asking for room and offering cost the caller a comparison and an append;
    nothing is raised.
    """

    def __init__(self, work: Callable[[list[Item]], None], *, room: int, every: float) -> None:
        self.dropped = 0
        self._work, self._full, self._every = work, room, every
        self._room = room
        self._items: deque[Item] = deque()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name=type(self).__name__, daemon=True)
        self._thread.start()

    def has_room(self) -> bool:
        """Whether there is room for one more; if not, that one is counted as dropped."""
        if self._room > 0:
            return True
        self.dropped += 1
        return False

    def offer(self, item: Item) -> None:
        """Takes the item."""
        self._room -= 1
        self._items.append(item)

    def close(self) -> None:
        """Works on what is left, and ends."""
        self._stop.set()
        self._thread.join(timeout=5.0)

    def _run(self) -> None:
        stopped = False
        while not stopped:
            stopped = self._stop.wait(self._every)
            batch = [self._items.popleft() for _ in range(len(self._items))]
            if batch:
                self._work(batch)
            self._room = self._full
