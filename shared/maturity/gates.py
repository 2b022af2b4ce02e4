"""What decides about a model: figures that are compared, and what is done by what comes out."""

import ast
import re

from maturity.bodies import LARGER, called_in, compares, words_of
from maturity.syntax import parts

METRIC = re.compile(
    r"(^|_)(mse|rmse|mae|mape|wape|smape|r2|acc|accuracy|auc|f1|scores?|metrics?|loss|errors?|precision|recall"
    r"|performance|gain|improvement|degradation)(_|$|\d)",
    re.IGNORECASE,
)
QUALITY = re.compile(  # without errors and losses, which are counted and clipped for other reasons
    r"(^|_)(rmse|mae|mape|wape|smape|r2|r_?squared|acc|accuracy|auc|auroc|f1|scores?|metrics?|recall|faithfulness"
    r"|relevanc[ey]|groundedness|bleu|rouge\w*)(_|$|\d)",
    re.IGNORECASE,
)
BOUND = re.compile(
    r"threshold|(^|_)(min|minimum|max|maximum|floor|required|allowed|limit|tolerance|acceptable)(_|$)",
    re.IGNORECASE,
)
ACTS = re.compile(
    r"register|promot|deploy|(^|_)alias|transition_|approv|reject|cancel|^exit$|publish|bless", re.IGNORECASE
)
VERDICT = re.compile(
    r"(^|_)(is|was)_(\w+_)?(accepted|approved|better|promoted)$|^(accept|promote|approve)_model$",
    re.IGNORECASE,
)
NEW = re.compile(r"^new_|_new(_|$)|candidate|challenger", re.IGNORECASE)
OLD = re.compile(
    r"^old_|_old(_|$)|(^|_)prod(uction)?(_|$)|champion|deployed|registered|incumbent|existing_|previous_",
    re.IGNORECASE,
)
STEP = re.compile(r"^old_|_old(_|$)", re.IGNORECASE)
NO_METRIC = re.compile(
    r"version|date|time|size|shape|len|count|index|(^|_)ids?(_|$)|width|height|path", re.IGNORECASE
)
DECAYED = re.compile(
    r"drift|degrad|(^|_)(stale|outdated|psi)(_|$)|(should|needs?|must)_\w*retrain", re.IGNORECASE
)
TRAINS = re.compile(
    r"^(re)?(train|fit)(ing)?(_|$)|_(re)?train(ing)?$|(trigger|run|start|submit|launch)_(\w+_)?(re)?train",
    re.IGNORECASE,
)


def judges(node: ast.AST) -> bool:
    """Whether it decides by a figure if a model may be used."""
    return decides(node) or compares_releases(node) or refuses(node) or accepts(node)


def decides(node: ast.AST) -> bool:
    """Whether it compares a metric and registers, promotes, deploys or ends by what comes out."""
    return any(
        compares(each.test, METRIC, LARGER) and any(ACTS.search(name) for name, _ in called_in(each))
        for each in parts(node)[ast.If]
    )


def accepts(node: ast.AST) -> bool:
    """Whether it calls accepted what a comparison of a figure says: is_accepted = gain > limit."""
    kinds = parts(node)
    if not kinds[ast.Compare]:
        return False
    named = [(each.arg, each.value) for each in kinds[ast.keyword]]
    named += [
        (target, each.value) for each in kinds[ast.Assign] for t in each.targets for target in words_of(t)
    ]
    return any(name and VERDICT.search(name) and compares(value, METRIC, LARGER) for name, value in named)


def refuses(node: ast.AST) -> bool:
    """Whether it raises, or a statement asserts, where a figure of quality is beyond a bound."""
    raising = (
        each
        for each in parts(node)[ast.If]
        if any(isinstance(inner, ast.Raise) for inner in (*each.body, *each.orelse))
    )
    return any(_beyond(each.test) for each in (*parts(node)[ast.Assert], *raising))


def _beyond(test: ast.expr) -> bool:
    return any(
        len(each.ops) == 1
        and isinstance(each.ops[0], LARGER)
        and any(
            _is_quality(one) and _is_bound(other)
            for one, other in ((each.left, each.comparators[0]), (each.comparators[0], each.left))
        )
        for each in parts(test)[ast.Compare]
    )


def _is_quality(node: ast.expr) -> bool:
    words = list(words_of(node))
    return any(map(QUALITY.search, words)) and not any(BOUND.search(w) or NO_METRIC.search(w) for w in words)


def _is_bound(node: ast.expr) -> bool:
    if isinstance(node, ast.Constant):
        return isinstance(node.value, float) and 0 < node.value < 1
    return any(map(BOUND.search, words_of(node)))


def compares_releases(node: ast.AST) -> bool:
    """Whether it asks if a figure of the new model is better than that of the one in use.

    What a loop calls old and new may be two steps of one learner.
    """
    compared = [
        each for each in parts(node)[ast.Compare] if isinstance(each.ops[0], LARGER) and _of_two_models(each)
    ]
    if not compared:
        return False
    loops = (*parts(node)[ast.For], *parts(node)[ast.While])
    looped = {each for loop in loops for each in parts(loop)[ast.Compare]}
    return any(each not in looped or not any(map(STEP.search, words_of(each))) for each in compared)


def _of_two_models(node: ast.Compare) -> bool:
    left, right = list(words_of(node.left)), list(words_of(node.comparators[0]))
    if any(NO_METRIC.search(word) for word in (*left, *right)):
        return False
    return any(
        any(NEW.search(word) for word in one) and any(OLD.search(word) for word in other)
        for one, other in ((left, right), (right, left))
    )


def restarts(node: ast.AST) -> bool:
    """Whether it trains where the data drifted or the model grew worse."""
    return any(
        any(DECAYED.search(word) for word in words_of(each.test))
        and any(TRAINS.search(name) for inner in each.body for name, _ in called_in(inner))
        for each in parts(node)[ast.If]
    )
