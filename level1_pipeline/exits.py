"""How a command line ends: one message on stderr, and an exit code that scripts can act on."""

import errno
from collections.abc import Callable, Mapping

from demand.errors import DataError, IntegrityError, UsageError
from level1_pipeline.connection import DependencyError
from level1_pipeline.errors import GateRefused
from level1_pipeline.lock import LockHeld
from level1_pipeline.tables import complain

USAGE, DEPENDENCY = 64, 5
EXIT_CODES: Mapping[type[Exception], int] = {
    DataError: 2,
    GateRefused: 3,
    IntegrityError: 4,
    DependencyError: DEPENDENCY,
    LockHeld: 6,
    UsageError: USAGE,
}
PARSER_REFUSED = 2  # Typer's own exit code for wrong usage, which here means bad data
NO_FAULT_OF_USAGE = (errno.ENOSPC, errno.EIO, errno.EDQUOT)


def exit_code(command: Callable[[], object], codes: Mapping[type[Exception], int] = EXIT_CODES) -> int:
    """The exit code of a command; an error that is expected is told, any other one is raised."""
    try:
        command()
    except SystemExit as stop:
        return USAGE if stop.code == PARSER_REFUSED else int(stop.code or 0)
    except tuple(codes) as error:
        return _told(error, next(code for kind, code in codes.items() if isinstance(error, kind)))
    except OSError as error:  # a folder that cannot be written, or a disk that is full
        return _told(error, DEPENDENCY if error.errno in NO_FAULT_OF_USAGE else USAGE)
    return 0


def _told(error: Exception, code: int) -> int:
    complain(f"Error: {error}")
    return code
