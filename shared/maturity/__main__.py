"""The command line: parses, calls one function, and turns its outcome into an exit code."""

import sys

from maturity.commands import app
from maturity.errors import AnswersError, UsageError

BAD_DATA, USAGE = 2, 64
PARSER_REFUSED = 2  # Typer's own exit code for wrong usage, which here means bad data


def main(arguments: list[str] | None = None) -> int:
    """The exit code of a command, that of sys.argv if none is given; every error is one message on stderr."""
    try:
        app(arguments, prog_name="mlops-ladder")
    except SystemExit as stop:
        return USAGE if stop.code == PARSER_REFUSED else int(stop.code or 0)
    except AnswersError as error:
        return _told(error, BAD_DATA)
    except (UsageError, OSError) as error:
        return _told(error, USAGE)
    return 0


def _told(error: Exception, code: int) -> int:
    print(f"Error: {error}", file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main())
