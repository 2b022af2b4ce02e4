"""What the arguments of a call say: settings of interest, what is planned or saved, what has no seed."""

import ast
import re
from collections.abc import Callable, Iterator
from functools import lru_cache

Dotted = Callable[[ast.AST], str]
TELLING = re.compile(
    r"^(schedule|schedule_interval|cron|interval|random_state|seed|alias|stage|repo_type|target_names|registered_model_name|timetable|crons"
    r"|(model_)?run_id|type|feature_keys|feature_values|experiment_config|expectation_suite|stage_name|email_on_failure|param_distributions|param_grid|on_failure(_callback)?|\w*(drift|skew)_\w+)$"
)
PLANNERS = re.compile(r"^schedule\.every\b.*\.do$|\.add_job$")
PLANNED = frozenset({"schedule", "schedules", "cron", "interval"})
DUMPS = re.compile(
    r"^(joblib|pickle|cloudpickle|dill)\.dump$|(^|\.)save_(object|obj|pickle|pkl|joblib|bin|artifact)$"
)
CHANCE = re.compile(
    r"(RandomForest|ExtraTrees?|DecisionTree|GradientBoosting|Bagging|MLP|SGD|AdaBoost)(Classifier|Regressor)$|KMeans$"
    r"|keras(\.\w+)*\.(Sequential|Model)$|(^|\.)nn\.(Linear|Conv[123]d|LSTM|GRU|Embedding)$"
    r"|^numpy\.random\.(rand|randn|randint|choice|shuffle|permutation|uniform|normal|random)$"
)
LOGGED = re.compile(r"(^|\.)log_metrics?$")
STARTERS = re.compile(r"(^|\.)(run_deployment|trigger_dag(_run)?|TriggerDagRunOperator)$")
NAMED = frozenset({"name", "dag_id", "trigger_dag_id"})
ROLES = {"draws": CHANCE, "logs": LOGGED, "run": PLANNERS, "saves": DUMPS, "starts": STARTERS}
IN_DICTS = frozenset({"primary_metric", "random_state", "seed", "random_seed", "email_on_failure"})
SEEDS = frozenset({"random_state", "seed", None})  # None: by **


def told(name: str, node: ast.Call, dotted: Dotted) -> Iterator[tuple[str, str]]:
    """Kind and name of each fact that the arguments say; `dotted` gives an expression's full name."""
    role = role_of(name)
    given = {each.arg: each.value for each in node.keywords}
    for key, value in given.items():
        if key and TELLING.match(key):
            yield (
                "keyword",
                f"{name}({key}={repr(value.value)[:60] if isinstance(value, ast.Constant) else '...'})",
            )
    if role == "draws" and not given.keys() & SEEDS:
        yield "unseeded", name
    if role == "logs" and node.args:
        yield from (("keyword", f"log_metrics(metric={each!r})") for each in _texts(node.args[0]))
    if role == "starts":
        started = [*node.args[:1], *(given[key] for key in sorted(NAMED & given.keys()))]
        yield from (("keyword", f"{name}(starts={each})") for value in started for each in _texts(value))
    if "flow" in given and PLANNED & given.keys():
        yield "keyword", f"{name}(run={dotted(given['flow'])})"
    for each in [*node.args[:1], *given.values()] if role == "saves" else node.args[: role == "run"]:
        yield "keyword", f"{name}({role}={dotted(each)})"


@lru_cache(maxsize=1 << 15)
def role_of(name: str) -> str:
    """What a call of this name does: draws by chance, logs, plans or starts a run, or saves."""
    return next((role for role, pattern in ROLES.items() if pattern.search(name)), "")


def _texts(node: ast.AST) -> Iterator[str]:
    """A text, or those that are the keys of a mapping."""
    for each in node.keys if isinstance(node, ast.Dict) else [node]:
        if isinstance(each, ast.Constant) and isinstance(each.value, str):
            yield each.value


def told_by_dict(node: ast.Dict) -> Iterator[str]:
    """What a mapping says of chance and of failure, as an argument would: dict(random_state=42)."""
    for key, value in zip(node.keys, node.values, strict=True):
        if isinstance(key, ast.Constant) and key.value in IN_DICTS:
            first = value.elts[0] if isinstance(value, ast.List) and value.elts else value
            if isinstance(first, ast.Constant):
                yield f"dict({key.value}={first.value!r})"
