"""The environments: what each may use, where it keeps its things, and that no two of them share any."""

import json
import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, get_type_hints

from demand.config import Config, load_config
from demand.errors import UsageError
from demand.sources.publish import write_bytes
from level1_pipeline.connection import DATABASE, Place
from level2_cicd.addresses import own_address, same_address, sqlite_address

ROOT = Path(".store/level2")
FILE = Path(__file__).with_name("environments.toml")
MARKER, LEDGER = "environment.json", "ledger.db"
SIZES = ("tiny", "demo", "full")


@dataclass(frozen=True)
class EnvironmentGate:
    """What a release as a whole must show, beside each segment's own gate.

    max_mape: %, of a segment that counts as good. min_segments_share: share of the segments that must be.
    min_gain: % by which the MAPE of all rows lies below the historical average's.
    """

    max_mape: float = 45.0
    min_segments_share: float = 0.9
    min_gain: float = 40.0


@dataclass(frozen=True)
class Serving:
    """What the REST service of an environment demands."""

    token_required: bool = True


@dataclass(frozen=True)
class Environment:
    """One environment.

    store: its folder, which is a store of level 1. database: SQLAlchemy address of its ledger, with password.
    tracking: address of MLflow, None where nothing is tracked. registry: whether bundles are registered, as
    versions of `model`. size: of its synthetic data. settings: "section.key" to its value as text.
    """

    name: str
    store: Path
    database: str
    tracking: str | None
    registry: bool
    model: str
    size: str
    settings: Mapping[str, str] = field(default_factory=dict)
    gate: EnvironmentGate = EnvironmentGate()
    serving: Serving = Serving()

    @property
    def place(self) -> Place | None:
        """Where level 1 tracks runs; None where nothing is tracked."""
        return Place(self.store, self.tracking) if self.tracking else None

    @property
    def data(self) -> Path:
        """The folder of its synthetic data."""
        return self.store / "data" / self.size


@dataclass(frozen=True)
class _Section:
    """One environment as the file has it."""

    size: str
    tracking: bool
    registry: bool
    model: str
    settings: dict[str, Any] = field(default_factory=dict)
    gate: EnvironmentGate = EnvironmentGate()
    serving: Serving = Serving()


def environment(name: str, root: Path = ROOT, file: Path | None = None) -> Environment:
    """The environment of that name, its store below `root`; addresses of servers come from the process's own.

    Raises UsageError naming file, key and what is allowed where the file is not as it must be, and where the
    environment's database or tracking is another environment's as well.
    """
    file = file or FILE
    sections = {each: _section(table, file, each) for each, table in _read(file).items()}
    if name not in sections:
        raise UsageError(f"environment: expected one of {', '.join(sections)}; got {name!r}. Choose one.")
    found = _environment(name, sections[name], root)
    config(found, file)
    for other in sections:
        if other != name:
            _refuse_shared(found, other, root / other)
    return found


def config(found: Environment, file: Path | None = None) -> Config:
    """The settings under which the environment trains; raises UsageError naming the file."""
    try:
        return load_config(None, found.settings)
    except UsageError as error:
        text = str(error).removeprefix("--set: ")
        raise UsageError(f"{file or FILE}, [{found.name}.settings]: {text}") from None


def claim(found: Environment) -> Path:
    """The environment's store, marked as its own; raises UsageError where it is another environment's."""
    path = found.store / MARKER
    if not path.is_file():
        write_bytes(path, (json.dumps({"environment": found.name}) + "\n").encode())
    try:
        owner = json.loads(path.read_bytes())["environment"]
    except (ValueError, KeyError, TypeError) as error:
        raise UsageError(
            f'{path}: expected {{"environment": "{found.name}"}}; got {error!r}. Restore the file.'
        ) from None
    refuse_foreign(str(found.store), str(owner), found.name)
    return found.store


def refuse_foreign(what: str, owner: str, name: str) -> None:
    """Raises UsageError where `what` belongs to another environment than the one of that name."""
    if owner != name:
        raise UsageError(
            f"{what}: expected what belongs to the environment {name}; it belongs to {owner}. No two "
            "environments share anything: name another folder, database or tracking server."
        )


def _environment(name: str, section: _Section, root: Path) -> Environment:
    store = root / name
    anyones = os.environ.get("MLFLOW_TRACKING_URI")  # speaks for whichever environment is asked for
    tracking = os.environ.get(_variable(name, "TRACKING_URI")) or anyones or sqlite_address(store / DATABASE)
    return Environment(
        name=name,
        store=store,
        database=_database(name, store),
        tracking=tracking if section.tracking else None,
        registry=section.registry,
        model=section.model,
        size=section.size,
        settings=_flat(section.settings),
        gate=section.gate,
        serving=section.serving,
    )


def _database(name: str, store: Path) -> str:
    variable = _variable(name, "DATABASE_URL")
    return own_address(os.environ.get(variable) or sqlite_address(store / LEDGER), variable)


def _variable(name: str, what: str) -> str:
    """The environment variable that holds an address, as in LEVEL2_PROD_DATABASE_URL."""
    return f"LEVEL2_{name.upper().replace('-', '_')}_{what}"


def _refuse_shared(found: Environment, other: str, store: Path) -> None:
    own = os.environ.get(_variable(other, "TRACKING_URI")) or sqlite_address(store / DATABASE)
    pairs = {"database": (found.database, _database(other, store)), "tracking": (found.tracking, own)}
    for what, (mine, others) in pairs.items():
        if mine and same_address(mine, others):
            raise UsageError(
                f"{what} of the environment {found.name}: expected one of its own; got that of {other}. "
                "No two environments share anything: name another."
            )


def _section(table: Any, file: Path, name: str) -> _Section:
    section: _Section = _build(_Section, table, (file, name))
    if section.size not in SIZES:
        raise UsageError(f"{file}: {name}.size must be one of {', '.join(SIZES)}, got {section.size!r}.")
    if section.registry and not section.tracking:
        raise UsageError(f"{file}: {name}.registry must be false where {name}.tracking is, got true.")
    return section


def _build(kind: type[Any], table: Any, place: tuple[Path, str]) -> Any:
    """A `kind` filled from a table of the file; nothing unknown, nothing missing, no other type passes."""
    file, name = place
    if not isinstance(table, dict):
        raise UsageError(f"{file}: [{name}] must be a table of settings, got {table!r}.")
    hints = get_type_hints(kind)
    for key in table:
        if key not in hints:
            raise UsageError(f"{file}: {key!r} is not known in [{name}]; allowed: {', '.join(hints)}.")
    values = {key: _value(hints[key], value, (file, f"{name}.{key}")) for key, value in table.items()}
    missing = [key for key in _needed(kind) if key not in values]
    if missing:
        raise UsageError(f"{file}: [{name}] must say {missing[0]!r}; it has {', '.join(table) or 'nothing'}.")
    return kind(**values)


def _value(hint: Any, value: Any, place: tuple[Path, str]) -> Any:
    if hasattr(hint, "__dataclass_fields__"):
        return _build(hint, value, place)
    kind = dict if hint == dict[str, Any] else hint
    if kind is float and isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    if type(value) is not kind:
        raise UsageError(f"{place[0]}: {place[1]} must be of type {kind.__name__}, got {value!r}.")
    return value


def _needed(kind: type[Any]) -> list[str]:
    return [each.name for each in fields(kind) if each.name in ("size", "tracking", "registry", "model")]


def _flat(settings: Mapping[str, Any]) -> dict[str, str]:
    """{"network": {"epochs": 4}} as {"network.epochs": "4"}."""
    return {
        f"{section}.{key}": value if isinstance(value, str) else json.dumps(value)
        for section, table in settings.items()
        for key, value in (table.items() if isinstance(table, dict) else {"": table}.items())
    }


def _read(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UsageError(f"{file}: expected readable TOML, got: {error}. Mend the file.") from error
