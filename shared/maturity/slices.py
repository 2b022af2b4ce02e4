"""Quality that is measured slice by slice: figures of groups of rows, or of each value of a column."""

import ast
import re

from maturity.bodies import called_in, words_of
from maturity.syntax import parts

FIGURES = re.compile(
    r"(^|_)((mean_|median_)?(absolute|abs|squared|sq|percentage|pct)(_percentage)?_(log_)?(err|error|errors)|mse|rmse|mae|mape|wape"
    r"|wmape|smape|r2_score|accuracy(_score)?|f1(_score)?|roc_auc(_score)?|auc|precision_score|recall_score|log_loss|residuals?"
    r"|ape)$",
    re.IGNORECASE,
)
GROUPS = frozenset({"groupby", "group_by", "unique", "value_counts"})
OTHERS = re.compile(  # by what experiments are summed up; and time, which is no slice
    r"model|method|algorithm|classifier|estimator|fold|seed|(^|_)run(_|$)|experiment|epoch|iter|step|trial|param|metric"
    r"|dataset|round|horizon|lead|cutoff|threshold|(^|_)(date|ds|time|timestamp|year|month|week|day|hour)(_|$)|^split$",
    re.IGNORECASE,
)


def slices(node: ast.AST) -> bool:
    """Whether a figure of quality is worked out for groups of rows."""
    return any(map(_aggregates, parts(node)[ast.Call])) or any(map(_goes_through, parts(node)[ast.For]))


def _aggregates(node: ast.Call) -> bool:
    """Whether one chain of calls does: df.groupby("shop")["abs_error"].mean(), or .apply(accuracy_score)."""
    if not isinstance(node.func, ast.Attribute) or node.func.attr not in {
        "apply",
        "mean",
        "median",
        "agg",
        "aggregate",
    }:
        return False
    grouped = next((each for name, each in called_in(node.func) if name in {"groupby", "group_by"}), None)
    if grouped is None or _is_other(grouped):
        return False
    inside = {id(each) for kind in parts(grouped).values() for each in kind}
    chosen = (each for kind in (ast.Name, ast.Attribute, ast.Constant) for each in parts(node)[kind])
    return any(FIGURES.search(word) for each in chosen if id(each) not in inside for word in _word(each))


def _word(node: ast.AST) -> list[str]:
    return list(words_of(node))[:1] if not isinstance(node, ast.Attribute) else [node.attr]


def _goes_through(node: ast.For) -> bool:
    """Whether a loop does: for shop, rows in df.groupby("shop"): mean_absolute_error(rows.y, rows.p)."""
    grouped = [each for name, each in called_in(node.iter) if name in GROUPS]
    if not grouped or any(map(_is_other, grouped)) or any(map(OTHERS.search, words_of(node.target))):
        return False
    return any(FIGURES.search(name) for inner in node.body for name, _ in called_in(inner))


def _is_other(node: ast.Call) -> bool:
    given = (*node.args, *(each.value for each in node.keywords))
    asked = node.func.value if isinstance(node.func, ast.Attribute) and not given else None
    return any(
        OTHERS.search(word) for each in (*given, *([asked] if asked else [])) for word in words_of(each)
    )
