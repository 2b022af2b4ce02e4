"""What a function's body shows beyond its name: a run of the whole, a checked hash, a split by chance."""

import ast
import re
from collections.abc import Iterator

from maturity.syntax import functions, parts, written

Function = ast.FunctionDef | ast.AsyncFunctionDef
RUNS = re.compile(
    r"^(run|main|train|execute|execute_notebook|invoke|launch|call|check_call|check_output|Popen|system|pipeline|flow|workflow|job)$"
    r"|^_?(run|train(?!_test)|trigger|submit)_|_(run|main|train|training)$"
    r"|^(?!(build|make|create|get|load|define|compile|setup)_)\w*_(pipeline|flow|workflow|job)$"
)
DATABASE = re.compile(r"(^|_)(db|session|conn(ection)?|cursor|engine)$", re.IGNORECASE)
ALL = "*"
FAKES = re.compile(r"^(setattr|patch|MagicMock|Mock|AsyncMock|create_autospec)$")
BASELINE = re.compile(
    r"^(seasonal_)?naive\d*_(forecasts?|preds?|predictions?|mae|mape|smapes?|mases?|rmse|mse|errors?|scores?|metrics?|model)$"
    r"|^baseline_(forecasts?|predictions?|model|regressor|classifier|csv|df)$",
    re.IGNORECASE,
)
HASH = re.compile(r"checksum|sha256|digest|md5|(^|_)hash(_|$)", re.IGNORECASE)
MODEL = re.compile(r"model|bundle|artifact|manifest|release|package|weights|checkpoint", re.IGNORECASE)
PREDICTED = re.compile(r"^(predicted|prediction|forecast)", re.IGNORECASE)
ORIGIN = re.compile(r"^(mlflow_|model_)?run_id$", re.IGNORECASE)
ORIGIN_OF_ANSWER = re.compile(ORIGIN.pattern + "|^model_version$", re.IGNORECASE)
FITTED = frozenset({"fit", "fit_transform", "train", "partial_fit"})
ASKED = frozenset(
    {"predict", "predict_proba", "forecast", "score", "forward", "generate", "cross_validation", "backward"}
)
NETS = re.compile(r"^(model|net|network|classifier|regressor|estimator|module|forward)\d?$")
CHANCES = re.compile(r"^(random|rand|uniform)$")
VARIANT = re.compile(
    r"(^|_)(model|version|variant|release)s?_?(a|b|v?[12]|new|old|prod(uction)?|stag(ing)?|candidate|champion|challenger"
    r"|control)$|^(production|staging|candidate|champion|challenger)_(model|version)$",
    re.IGNORECASE,
)
LARGER = (ast.Lt, ast.LtE, ast.Gt, ast.GtE)


def runs_a_whole(node: Function, helpers: frozenset[str]) -> bool:
    """Whether a test starts a run, itself or by one of these helpers, and nothing in it is faked."""
    names = list(called_in(node))
    if any(FAKES.match(name) for name, _ in names) or "patch" in _decorated(node):
        return False
    asked = {argument.arg for argument in node.args.args}
    return _starts(names) or bool(helpers & (asked | {ALL} | {name for name, _ in names}))


def helpers_of(tree: ast.Module) -> frozenset[str]:
    """The functions of a file of tests that are no tests and start a run; one for all tests is `*` too."""
    found = [
        each
        for each in functions(tree)
        if not each.name.startswith("test") and _starts(list(called_in(each)))
    ]
    own = {ALL for each in found if "autouse=True" in _decorated(each)}
    return frozenset(own | {each.name for each in found})


def _starts(names: list[tuple[str, ast.Call]]) -> bool:
    return any(
        RUNS.search(name) and (name != "train" or call.args or call.keywords) and not _asks_a_database(call)
        for name, call in names
    )


def _asks_a_database(call: ast.Call) -> bool:
    return isinstance(call.func, ast.Attribute) and any(map(DATABASE.search, words_of(call.func.value)))


def baseline_of(node: Function) -> str | None:
    """The name of a baseline's forecasts or model that a function is given or makes."""
    given = (argument.arg for argument in (*node.args.args, *node.args.kwonlyargs))
    made = (each.id for each in parts(node)[ast.Name] if isinstance(each.ctx, ast.Store))
    return next((name for name in (*given, *made) if BASELINE.match(name)), None)


def verifies(node: Function) -> bool:
    """Whether it refuses a model's or a package's file whose hash is another than expected."""
    found = any(
        compares(each.test, HASH, (ast.NotEq,)) and any(isinstance(inner, ast.Raise) for inner in each.body)
        for each in parts(node)[ast.If]
    )
    return found and bool(MODEL.search(ast.unparse(node)))


def traces(node: Function) -> bool:
    """Whether it writes a prediction and the run that its model came from into the same rows."""
    written = {
        str(each.slice.value)
        for each in parts(node)[ast.Subscript]
        if isinstance(each.ctx, ast.Store) and isinstance(each.slice, ast.Constant)
    }
    if any(map(PREDICTED.search, written)) and any(map(ORIGIN.search, written)):
        return True
    rows = [[str(key.value) for key in each.keys if isinstance(key, ast.Constant)] for each in _kept(node)]
    return any(any(map(PREDICTED.search, row)) and any(map(ORIGIN_OF_ANSWER.search, row)) for row in rows)


def _kept(node: Function) -> Iterator[ast.Dict]:
    """The mappings that it gives a name, and so does more with than to hand them back."""
    yield from (each.value for each in parts(node)[ast.Assign] if isinstance(each.value, ast.Dict))


def models(node: Function) -> bool:
    """Whether a test fits something and asks it, or asks a model itself, and nothing in it is faked."""
    names = {name for name, _ in called_in(node)}
    if any(FAKES.match(name) for name in names) or "patch" in _decorated(node):
        return False
    return bool(names & FITTED and names & ASKED) or any(NETS.match(name) for name in names)


def splits(node: Function) -> bool:
    """Whether chance chooses which of two models answers."""
    chance = any(
        isinstance(each.ops[0], LARGER) and any(CHANCES.match(name) for name, _ in called_in(each))
        for each in parts(node)[ast.Compare]
    )
    return chance and len({word.lower() for word in words_of(node) if VARIANT.search(word)}) > 1


def compares(test: ast.expr, names: re.Pattern[str], operators: tuple[type[ast.cmpop], ...]) -> bool:
    """Whether one of these operators compares something of such a name."""
    return any(
        isinstance(each.ops[0], operators) and any(names.search(word) for word in words_of(each))
        for each in parts(test)[ast.Compare]
    )


def words_of(node: ast.AST) -> Iterator[str]:
    """Every name, attribute and text in it."""
    kinds = parts(node)
    yield from (each.id for each in kinds[ast.Name])
    yield from (each.attr for each in kinds[ast.Attribute])
    yield from (each.value for each in kinds[ast.Constant] if isinstance(each.value, str))


def called_in(node: ast.AST) -> Iterator[tuple[str, ast.Call]]:
    """The last part of the name of everything that is called."""
    for each in parts(node)[ast.Call]:
        if isinstance(each.func, ast.Attribute):
            yield each.func.attr, each
        elif isinstance(each.func, ast.Name):
            yield each.func.id, each


def _decorated(node: Function) -> str:
    return " ".join(map(written, node.decorator_list))
