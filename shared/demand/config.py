"""The settings of a run: TOML and `section.key` overrides into frozen dataclasses; nothing unknown passes.

Figures and their reasons: the recipe's own measurements in docs/decisions.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import Field, dataclass, field, fields
from pathlib import Path
from typing import Any, Literal, TypeVar, get_args, get_origin, get_type_hints

from demand.errors import UsageError

Settings = TypeVar("Settings")


def within(default: float | tuple[int, ...], low: float, high: float) -> Any:
    """A field whose number, or each of whose numbers, must lie in [low, high]."""
    return field(default=default, metadata={"low": low, "high": high})


@dataclass(frozen=True)
class ForecastConfig:
    """What is forecast, and what counts as good."""

    horizon: int = within(4, 1, 26)  # weeks after the last known week
    objective: Literal["mape", "balanced"] = "mape"  # mape leans low; balanced counts errors in units
    interval: float = within(0.9, 0.5, 0.99)  # nominal coverage, a share
    seed: int = within(2017, 0, 2**31 - 1)  # of everything random


@dataclass(frozen=True)
class TrainingConfig:
    """Which rows are trained on, and which are kept to choose and to judge by."""

    validation_weeks: int = within(8, 4, 52)  # before the origin: choose alpha, blend and intervals
    holdout_weeks: int = within(8, 4, 52)  # at the end of the data: what the report is computed on
    min_weeks: int = within(8, 1, 520)  # known weeks of a series from which its rows are trained on
    stride: int = within(1, 1, 52)  # every how many weeks an origin is trained on
    half_life: float = within(52.0, 1, 1e6)  # weeks until a row's weight is halved
    floor: float = within(0.02, 1e-3, 1)  # of the level: least denominator of the relative error
    zero_weight: float = within(0.3, 0, 10)  # of the error where nothing was sold
    clip: float = within(8.0, 1, 100)  # standard deviations an input may reach


@dataclass(frozen=True)
class LassoConfig:
    """The linear member."""

    passes: int = within(3, 0, 20)  # of reweighting towards relative error, after the first fit
    pool: float = within(0.2, 0, 1)  # weight of the region's other segments in a segment's fit
    alphas: int = within(10, 1, 200)  # length of the path
    highest_alpha: float = within(0.01, 1e-9, 1e3)  # in log ratio a standard deviation of a column
    lowest_alpha: float = within(1e-5, 1e-9, 1e3)


@dataclass(frozen=True)
class NetworkConfig:
    """The network member."""

    epochs: int = within(8, 1, 1000)  # passes over the drawn rows
    min_steps: int = within(2000, 0, 10**6)  # of the optimiser; small sets get more epochs
    row_share: float = within(1 / 3, 0.01, 1)  # share of the rows drawn for each epoch
    max_rows: int = within(3_000_000, 1, 10**9)  # drawn evenly from all segments where there are more
    batch: int = within(1024, 1, 2**20)  # rows
    hidden: tuple[int, ...] = within((128, 64), 1, 4096)  # units of each hidden layer
    dropout: float = within(0.2, 0, 0.9)  # share of hidden units
    category_dropout: float = within(0.05, 0, 0.9)  # share of categories shown as unknown in training
    learning_rate: float = within(2e-3, 1e-6, 1)  # the one-cycle's highest
    weight_decay: float = within(0.1, 0, 1)
    gradient_clip: float = within(1.0, 1e-3, 1e3)  # norm
    tune_epochs: int = within(2, 0, 100)  # over a segment's rows, from the network of all segments
    tune_learning_rate: float = within(3e-4, 1e-7, 1)


@dataclass(frozen=True)
class GateConfig:
    """What a segment's new model must show before it takes the old one's place."""

    minimum_rows: int = within(30, 1, 10**6)  # judged rows with sales, fewer prove nothing
    level: float = within(0.05, 1e-6, 0.5)  # chance of one wrong verdict among all segments of a run
    margin: float = within(0.05, 0, 1)  # by which the MAPE may be above the champion's as measured, a share
    limit: float = within(0.1, 0, 10)  # by which it must certainly not be above the champion's, a share
    too_good: float = within(0.5, 0, 1)  # of the champion's MAPE: below it is an alarm, 0 for none
    too_good_baseline: float = within(0.05, 0, 1)  # the same, of the historical average's MAPE
    equal_share: float = within(0.1, 0, 1)  # of forecasts that may equal the actual; more is an alarm
    draws: int = within(2000, 100, 10**6)  # of all series, for the bounds


@dataclass(frozen=True)
class PipelineConfig:
    """How a run uses the machine; no number in the result depends on it."""

    workers: int = within(0, 0, 1024)  # processes; 0 for one a core
    segment_seconds: float = within(600.0, 0, 1e6)  # a step of one segment may take; 0 for no limit


@dataclass(frozen=True)
class Config:
    """Every setting of a run, one field per section of the file."""

    forecast: ForecastConfig = ForecastConfig()
    training: TrainingConfig = TrainingConfig()
    lasso: LassoConfig = LassoConfig()
    network: NetworkConfig = NetworkConfig()
    gate: GateConfig = GateConfig()
    pipeline: PipelineConfig = PipelineConfig()


def load_config(path: Path | None, overrides: Mapping[str, str]) -> Config:
    """The defaults, then the file at `path`, then `overrides`: "section.key" to its value as TOML.

    Raises UsageError where a file cannot be read, a section or key is not known, or a value does not fit.
    """
    settings = _read(path) if path else {}
    config = _build(Config, settings, str(path), "")
    return _overridden(config, settings, overrides)


def read_settings(kind: type[Settings], path: Path) -> Settings:
    """A frozen dataclass of settings filled from the TOML at `path`; raises UsageError like load_config."""
    found: Settings = _build(kind, _read(path), str(path), "")
    return found


def _overridden(config: Config, settings: dict[str, Any], overrides: Mapping[str, str]) -> Config:
    merged = {section: dict(table) for section, table in settings.items()}
    sections = get_type_hints(Config)
    for name, text in overrides.items():
        section, _, key = name.partition(".")
        _refuse_unknown([section], sections, "--set", "")
        hints = get_type_hints(sections[section])
        _refuse_unknown([key], hints, "--set", section)
        merged.setdefault(section, {})[key] = _parse(text, name)
    return _build(Config, merged, "--set", "") if overrides else config


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UsageError(f"{path}: expected readable TOML, got: {error}. Mend the file.") from error


def _parse(text: str, name: str) -> Any:
    """The value of an override: TOML where it is one, else the text itself, so `mape` needs no quotes."""
    try:
        table = tomllib.loads(f"value = {text}")
    except tomllib.TOMLDecodeError:
        return text
    if list(table) != ["value"]:
        raise UsageError(f"--set {name}: expected one value, got {text!r}.")
    return table["value"]


def _build(kind: type[Any], table: Any, origin: str, section: str) -> Any:
    """A `kind` filled from `table`, its nested dataclasses as well."""
    if not isinstance(table, dict):
        raise UsageError(f"{origin}: [{section}] must be a table of settings, got {table!r}.")
    hints = get_type_hints(kind)
    _refuse_unknown(list(table), hints, origin, section)
    known = {each.name: each for each in fields(kind)}
    place = (origin, section)
    return kind(**{key: _value(known[key], hints[key], value, place) for key, value in table.items()})


def _value(each: Field[Any], hint: Any, value: Any, place: tuple[str, str]) -> Any:
    origin, section = place
    name = f"{section}.{each.name}".lstrip(".")
    if hasattr(hint, "__dataclass_fields__"):
        return _build(hint, value, origin, name)
    if not _fits(value, hint):
        raise UsageError(f"{origin}: {name} must be {_words(hint)}, got {value!r}.")
    low, high = each.metadata.get("low"), each.metadata.get("high")
    numbers = value if isinstance(value, list) else [value]
    if low is not None and not all(low <= number <= high for number in numbers):
        raise UsageError(f"{origin}: {name} must lie between {low} and {high}, got {value!r}.")
    if get_origin(hint) is tuple:
        return tuple(value)
    return float(value) if hint is float else value


def _fits(value: Any, hint: Any) -> bool:
    """True where a TOML value is of type `hint`; whole numbers pass for floats, booleans for no number."""
    if get_origin(hint) is Literal:
        return value in get_args(hint)
    if get_origin(hint) is tuple:
        return isinstance(value, list) and all(_fits(each, get_args(hint)[0]) for each in value)
    if hint is float:
        return isinstance(value, int | float) and not isinstance(value, bool)
    return type(value) is hint


def _words(hint: Any) -> str:
    """The type in words for a message."""
    if get_origin(hint) is Literal:
        return "one of " + ", ".join(map(repr, get_args(hint)))
    if get_origin(hint) is tuple:
        return f"a list of {get_args(hint)[0].__name__}"
    return f"a value of type {hint.__name__}"


def _refuse_unknown(keys: list[str], allowed: Mapping[str, Any], origin: str, section: str) -> None:
    place = f"[{section}]" if section else "the sections"
    for key in keys:
        if key not in allowed:
            raise UsageError(f"{origin}: {key!r} is not known in {place}; allowed: {', '.join(allowed)}.")
