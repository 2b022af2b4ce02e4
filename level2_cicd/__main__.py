"""The command line: parses, calls one function, and turns its outcome into an exit code."""

import os
import sys

# Every process keeps to one thread, before any library starts more: what runs in parallel is processes.
for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")

from level1_pipeline.exits import EXIT_CODES as LEVEL1_CODES  # noqa: E402
from level1_pipeline.exits import exit_code  # noqa: E402
from level2_cicd.commands import command_line  # noqa: E402
from level2_cicd.ledger import Moved  # noqa: E402

EXIT_CODES: dict[type[Exception], int] = {**LEVEL1_CODES, Moved: 6}


def main(arguments: list[str] | None = None) -> int:
    """The exit code of a command, that of sys.argv if none is given; every error is one message on stderr."""
    arguments = sys.argv[1:] if arguments is None else arguments
    app = command_line(*arguments[:1])
    return exit_code(lambda: app(arguments, prog_name="python -m level2_cicd"), EXIT_CODES)


if __name__ == "__main__":
    sys.exit(main())
