"""What the serving process must never do: make an object of a pickle."""

import sys


class Unpickled(RuntimeError):
    """Something tried to make an object of a pickle."""


def refuse_unpickling() -> None:
    """From now on this process raises Unpickled where a pickle names a class or function to be called.

    NumPy and uvicorn import the module for uses of their own; what makes a pickle dangerous is what it names.
    """
    sys.addaudithook(_refuse)


def _refuse(event: str, _: object) -> None:
    if event == "pickle.find_class":
        raise Unpickled("the serving process reads no pickles")
