"""What functions, tests and modules show by their bodies, as kinds of facts."""

import ast
import re
from collections.abc import Iterator

from maturity.bodies import Function, baseline_of, models, runs_a_whole, splits, traces, verifies
from maturity.gates import judges, restarts
from maturity.slices import slices
from maturity.syntax import can_fail, plain, written

NO_TEST = re.compile(r"skip|fixture")  # among the decorators of a function
JUDGED = (("decides", judges), ("restarts", restarts), ("slices", slices))
SHOWN = (("verifies", verifies), ("traces", traces), ("splits", splits))


def of_module(body: ast.Module) -> Iterator[str]:
    """The kinds of what the statements outside of functions show."""
    yield from (kind for kind, shows in JUDGED if shows(body))


def of_function(node: Function, name: str) -> Iterator[tuple[str, str]]:
    """Kind and name of each fact that a function's body shows."""
    yield from ((kind, name) for kind, shows in JUDGED if shows(node))
    yield from ((kind, name) for kind, shows in SHOWN if shows(node))
    if baseline := baseline_of(node):
        yield "named", baseline


def of_test(node: Function, helpers: frozenset[str]) -> Iterator[str]:
    """The kinds of what a test shows, none where it is skipped or cannot fail."""
    if not can_fail(node) or any(NO_TEST.search(written(each)) for each in plain(node.decorator_list)):
        return
    yield "test"
    if any(each.arg == "benchmark" for each in node.args.args):
        yield "timed"
    if runs_a_whole(node, helpers):
        yield "flow"
    if models(node):
        yield "models"
