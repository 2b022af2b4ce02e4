"""The command line: parses, calls one function, and turns its outcome into an exit code."""

import errno
import os
import sys

# Every process keeps to one thread, before any library starts more: what runs in parallel is processes.
for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")

from demand.errors import DataError, IntegrityError, UsageError  # noqa: E402
from level1_pipeline.connection import DependencyError  # noqa: E402
from level1_pipeline.errors import GateRefused  # noqa: E402
from level1_pipeline.lock import LockHeld  # noqa: E402
from level1_pipeline.tables import complain  # noqa: E402
from level2_cicd.commands import command_line  # noqa: E402
from level2_cicd.ledger import Moved  # noqa: E402

USAGE, DEPENDENCY = 64, 5
EXIT_CODES: dict[type[Exception], int] = {
    DataError: 2,
    GateRefused: 3,
    IntegrityError: 4,
    DependencyError: DEPENDENCY,
    LockHeld: 6,
    Moved: 6,
    UsageError: USAGE,
}
PARSER_REFUSED = 2  # Typer's own exit code for wrong usage, which here means bad data
NO_FAULT_OF_USAGE = (errno.ENOSPC, errno.EIO, errno.EDQUOT)


def main(arguments: list[str] | None = None) -> int:
    """The exit code of a command, that of sys.argv if none is given; every error is one message on stderr."""
    arguments = sys.argv[1:] if arguments is None else arguments
    try:
        command_line(*arguments[:1])(arguments, prog_name="python -m level2_cicd")
    except SystemExit as stop:
        return USAGE if stop.code == PARSER_REFUSED else int(stop.code or 0)
    except tuple(EXIT_CODES) as error:
        return _told(error, next(code for kind, code in EXIT_CODES.items() if isinstance(error, kind)))
    except OSError as error:  # a folder that cannot be written, or a disk that is full
        return _told(error, DEPENDENCY if error.errno in NO_FAULT_OF_USAGE else USAGE)
    return 0


def _told(error: Exception, code: int) -> int:
    complain(f"Error: {error}")
    return code


if __name__ == "__main__":
    sys.exit(main())
