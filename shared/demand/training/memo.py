"""What keeps finished pieces of a training, so that one that was cut off goes on where it was."""

from collections.abc import Callable
from typing import Any, ParamSpec, Protocol, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


class Memo(Protocol):
    """Pieces by name; it is the caller's to give each combination of data, settings and code its own memo."""

    def find(self, name: str) -> Any | None:
        """The piece, None where there is none."""

    def keep(self, name: str, value: Any) -> None:
        """Keeps a piece; a worker may call it from another process."""


class NoMemo:
    """Keeps nothing."""

    def find(self, name: str) -> Any | None:
        """Finds nothing."""
        return None

    def keep(self, name: str, value: Any) -> None:
        """Forgets it."""


def remembered(
    memo: Memo, name: str, function: Callable[P, T], /, *arguments: P.args, **options: P.kwargs
) -> T:
    """The piece of that name, made and kept where there is none."""
    found: T | None = memo.find(name)
    if found is None:
        found = function(*arguments, **options)
        memo.keep(name, found)
    return found
