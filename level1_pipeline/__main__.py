"""The command line: parses, calls one function, and turns its outcome into an exit code."""

import os
import sys

# Every process keeps to one thread, before any library starts more: what runs in parallel is processes.
for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")

from level1_pipeline.check_commands import register_check_commands  # noqa: E402
from level1_pipeline.commands import app  # noqa: E402
from level1_pipeline.exits import exit_code  # noqa: E402
from level1_pipeline.replay_commands import register_replay_commands  # noqa: E402
from level1_pipeline.step_commands import register_step_commands  # noqa: E402
from level1_pipeline.tune_commands import register_tune_commands  # noqa: E402

register_step_commands(app)
register_check_commands(app)
register_replay_commands(app)
register_tune_commands(app)


def main(arguments: list[str] | None = None) -> int:
    """The exit code of a command, that of sys.argv if none is given; every error is one message on stderr."""
    return exit_code(lambda: app(arguments, prog_name="python -m level1_pipeline"))


if __name__ == "__main__":
    sys.exit(main())
