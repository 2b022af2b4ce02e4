"""The serving process: what `python -m level2_cicd serve` becomes, and no more than serving needs."""

import argparse
import json
import os
import shutil
import signal
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

# One thread in every library, and memory that goes back to the system: before any of them is imported.
for _name, _value in {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "ARROW_DEFAULT_MEMORY_POOL": "system",
}.items():
    os.environ.setdefault(_name, _value)

from demand.errors import IntegrityError, UsageError  # noqa: E402
from level2_cicd.serving.sockets import bind  # noqa: E402
from level2_cicd.serving.supervisor import WATCHED, Plan, supervise  # noqa: E402

if TYPE_CHECKING:
    from level2_cicd.serving.feedback import Feedback

USAGE, INTEGRITY = 64, 4
MARKER = "environment.json"  # in a store that is an environment's; see level2_cicd.environments
METRICS_FOLDER = "PROMETHEUS_MULTIPROC_DIR"
# After which a thread that works beside the requests lets them go on; ten times that unless it is set.
TURN_SECONDS = 0.0005


def main(arguments: list[str] | None = None) -> int:
    """The exit code: 0 after SIGTERM or SIGINT, 64 without a release or a token, 4 for a changed file."""
    signal.pthread_sigmask(signal.SIG_UNBLOCK, WATCHED)  # a supervisor blocks them for itself
    arguments = sys.argv[1:] if arguments is None else arguments
    options = _parse(arguments)
    try:
        _refuse_another(options.store, options.environment)
        if options.fd is None and options.workers > 1:
            return _supervise(arguments, options)
        _serve(options)
    except UsageError as error:
        return _told(error, USAGE)
    except IntegrityError as error:
        return _told(error, INTEGRITY)
    except OSError as error:
        return _told(
            f"{options.host}:{options.port}: {error.strerror}. Choose another --host or --port.", USAGE
        )
    return 0


def _parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m level2_cicd.serving.run", description=__doc__)
    parser.add_argument("--store", type=Path, required=True)
    parser.add_argument("--environment", default="local")
    parser.add_argument("--token-required", action="store_true")
    parser.add_argument("--no-capture", action="store_true")
    parser.add_argument("--challenger")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--fd", type=int, help="listening socket of the supervisor")
    parser.add_argument("--ready-fd", type=int, help="pipe on which to say that it answers")
    return parser.parse_args(arguments)


def _refuse_another(store: Path, environment: str) -> None:
    """Raises UsageError for the store of another environment: it would be served without its tokens."""
    try:
        owner = json.loads((store / MARKER).read_bytes())["environment"]
    except FileNotFoundError:
        return
    except (ValueError, KeyError, TypeError) as error:
        raise UsageError(f"{store / MARKER}: expected the environment's name; got {error!r}.") from None
    if owner != environment:
        raise UsageError(
            f"{store}: expected a store of the environment {environment}; it is {owner}'s, which has tokens "
            f"and limits of its own. Serve it with --env {owner}."
        )


def _supervise(arguments: list[str], options: argparse.Namespace) -> int:
    """Runs the workers; they count in files of one folder, so that each can tell of all."""
    sock = bind(options.host, options.port)
    folder = tempfile.mkdtemp(prefix="demand-metrics-")
    try:
        return supervise(Plan(arguments, {**os.environ, METRICS_FOLDER: folder}, sock, options.workers))
    finally:
        sock.close()
        shutil.rmtree(folder, ignore_errors=True)


def _serve(options: argparse.Namespace) -> None:
    import socket

    from level2_cicd.serving.app import create
    from level2_cicd.serving.guard import refuse_unpickling
    from level2_cicd.serving.memory import keep_small
    from level2_cicd.serving.server import serve
    from level2_cicd.serving.settings import ServingSettings

    sys.setswitchinterval(TURN_SECONDS)
    keep_small()
    refuse_unpickling()
    settings = ServingSettings(
        store=options.store,
        environment=options.environment,
        token_required=options.token_required,
        capture=None if options.no_capture else _feedback(options),
    )
    sock = bind(options.host, options.port) if options.fd is None else socket.socket(fileno=options.fd)
    service = create(settings)
    serve(service, sock, lambda: _ready(options, sock.getsockname(), service.reloader.now.release.version))


def _feedback(options: argparse.Namespace) -> "Feedback":
    from level2_cicd.serving.feedback import Feedback, read_challenger

    challenger = read_challenger(options.store, options.challenger) if options.challenger else None
    return Feedback(options.store, challenger)


def _ready(options: argparse.Namespace, address: tuple[str, int], version: str) -> None:
    print(f"release {version} serves on http://{address[0]}:{address[1]}", file=sys.stderr, flush=True)
    if options.ready_fd is not None:
        os.write(options.ready_fd, b"1")
        os.close(options.ready_fd)


def _told(error: object, code: int) -> int:
    print(f"Error: {error}", file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main())
