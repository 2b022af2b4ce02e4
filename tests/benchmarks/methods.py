"""Every method by name: what runs it, and the code its results depend on."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from importlib import import_module

from task import Outcome, Task

COMMON = ("tests/benchmarks/task.py", "tests/benchmarks/scenarios.py")
FEATURES = ("shared/demand/features/*.py", "shared/demand/models/encoding.py", "shared/demand/splits.py")
DEMAND = ("shared/demand/*.py", "shared/demand/features/*.py", "shared/demand/models/*.py")
LONG = ("tests/benchmarks/exogenous.py",)
OURS, OWN, NIXTLA, STATS = "ours", "own_features", "mlforecast_peers", "statsforecast_peers"


@dataclass(frozen=True)
class Method:
    """A way to forecast, run in a process of its own.

    module, function, argument: what is called with the task. rows: the result's columns that are methods of
    their own. code: patterns of the files, and libraries the packages, that a cached result depends on.
    """

    module: str
    function: str
    argument: str | None
    rows: tuple[str, ...]
    code: tuple[str, ...] = ()
    libraries: tuple[str, ...] = ()

    def run(self, task: Task, overrides: dict[str, str]) -> Outcome:
        """The outcome of a task; `overrides` of the configuration reach this project's own methods alone."""
        function = self.load()
        if self.module == OURS:
            return function(task, overrides)
        return (partial(function, task, self.argument) if self.argument else partial(function, task))()

    def load(self) -> Callable[..., Outcome]:
        """The function, its libraries imported."""
        function: Callable[..., Outcome] = getattr(import_module(self.module), self.function)
        return function

    @property
    def files(self) -> tuple[str, ...]:
        """Patterns of all files the result depends on."""
        return (*COMMON, f"tests/benchmarks/{self.module}.py", *self.code)


def _own(function: str, *rows: str) -> Method:
    return Method(
        OURS, function, None, rows, (*DEMAND, "shared/demand/training/*.py"), ("torch", "scikit-learn")
    )


def _peers(module: str, prefix: str, names: tuple[str, ...], libraries: tuple[str, ...]) -> dict[str, Method]:
    code = FEATURES if module == OWN else LONG
    function = {OWN: "own_features", NIXTLA: "mlforecast_lightgbm", STATS: "statsforecast"}[module]
    return {
        f"{prefix}-{name}": Method(module, function, name, (f"{prefix}-{name}",), code, libraries)
        for name in names
    }


METHODS = {
    "ensemble": _own("ensemble", "ensemble", "lasso", "network"),
    "ensemble-balanced": _own("balanced", "ensemble-balanced"),
    "ensemble-fast": _own("fast_ensemble", "ensemble-fast"),
    "oracle": Method("simple", "oracle", None, ("oracle",)),
    "historical-average": Method("simple", "historical_average", None, ("historical-average",)),
    **_peers(STATS, "statsforecast", ("seasonal-naive", "mstl", "autoets"), ("statsforecast",)),
    **_peers(OWN, "lightgbm-own-features", ("l1", "relative", "mape", "tweedie", "volume"), ("lightgbm",)),
    **_peers(
        NIXTLA,
        "mlforecast-lightgbm",
        (
            "plain",
            "log-l1",
            "scaled-l1",
            "difference-l1",
            "mape",
            "tweedie",
            "scaled-relative",
            "log-relative",
            "by-step-log-relative",
            "direct-log-l1",
        ),
        ("mlforecast", "lightgbm"),
    ),
}
OUR_ROWS = ("ensemble", "ensemble-balanced", "ensemble-fast", "lasso", "network")
NO_PEER = (*OUR_ROWS, "oracle")


def of_scenario(scenario: str) -> list[str]:
    """The methods run on a scenario: all of them on the data sets themselves, the strong ones elsewhere."""
    everywhere = ["ensemble", "historical-average", "statsforecast-seasonal-naive"]
    strong = ["lightgbm-own-features-l1", "lightgbm-own-features-relative", "lightgbm-own-features-mape"]
    if scenario in ("walmart-horizon-8", "oj-horizon-8", "walmart-holiday"):
        return [
            *everywhere,
            *strong,
            "mlforecast-lightgbm-scaled-relative",
            "mlforecast-lightgbm-log-relative",
        ]
    if scenario == "oj-published":
        return ["ensemble", "historical-average", *strong, "mlforecast-lightgbm-log-relative"]
    left_out = {"oracle"} if scenario in ("walmart", "oj") else set()
    left_out |= set() if scenario == "walmart" else {"ensemble-fast"}
    return [name for name in METHODS if name not in left_out]
