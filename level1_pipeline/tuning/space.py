"""The recipe's few parameters, within which bounds they are searched, and settings with a trial's values."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from demand.config import Config

if TYPE_CHECKING:  # the extra `tune`
    from optuna.trial import Trial

DIGITS = 3  # of a value: what a file says is what was tried, to the last digit


@dataclass(frozen=True)
class Parameter:
    """One setting as section.key and the bounds of the search; logarithmic: by factors, not by steps."""

    name: str
    low: float
    high: float
    logarithmic: bool = False


SPACE = (
    Parameter("network.learning_rate", 5e-4, 1e-2, logarithmic=True),
    Parameter("network.weight_decay", 0.01, 0.5, logarithmic=True),
    Parameter("network.dropout", 0.0, 0.4),
    Parameter("lasso.pool", 0.0, 0.6),
    Parameter("training.half_life", 20.0, 200.0, logarithmic=True),
)
Values = Mapping[str, float]


def suggested(trial: "Trial") -> dict[str, float]:
    """The values of a trial, of three digits."""
    return {
        each.name: rounded(trial.suggest_float(each.name, each.low, each.high, log=each.logarithmic))
        for each in SPACE
    }


def rounded(value: float) -> float:
    """The value to three digits."""
    return float(f"{value:.{DIGITS}g}")


def values_of(config: Config) -> dict[str, float]:
    """The searched parameters as settings have them."""
    return {each.name: float(_value(config, each.name)) for each in SPACE}


def within_bounds(values: Values) -> dict[str, float]:
    """The values, brought inside the bounds of the search where they lie outside."""
    return {each.name: min(max(values[each.name], each.low), each.high) for each in SPACE}


def configured(config: Config, values: Values) -> Config:
    """The settings with these values."""
    sections: dict[str, dict[str, float]] = {}
    for name, value in values.items():
        section, _, key = name.partition(".")
        sections.setdefault(section, {})[key] = value
    changed = {section: replace(getattr(config, section), **own) for section, own in sections.items()}
    return replace(config, **changed)


def _value(config: Config, name: str) -> float:
    section, _, key = name.partition(".")
    value: float = getattr(getattr(config, section), key)
    return value
