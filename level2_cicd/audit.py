"""Audit: whether everything is as it was released, and why a forecast is what it is. It changes nothing."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from demand.bundle import read_files
from demand.errors import IntegrityError
from demand.scoring import read_bundle
from level1_pipeline import store
from level1_pipeline.connection import DependencyError
from level2_cicd.alias import ALIAS, aliased
from level2_cicd.bundles import known_versions
from level2_cicd.environments import Environment
from level2_cicd.ledger import SERVING_KINDS, Row, open_ledger, served, serving_row
from level2_cicd.mirrors import last_scored, pointer_of, read_pointer
from level2_cicd.trail import Trail, why

__all__ = ["Audited", "Trail", "verify", "why"]


@dataclass(frozen=True)
class Audited:
    """What was found as it must be.

    rows: of the ledger. bundles: versions, each byte of which was compared. forecasts: rows of the published
    ones, None where there are none. notes: what is no fault, and worth knowing.
    """

    environment: str
    rows: int
    serving: str | None
    bundles: tuple[str, ...]
    forecasts: int | None
    notes: tuple[str, ...]


def verify(environment: Environment) -> Audited:
    """What was verified: the ledger's chain, the pointer, every bundle, the published forecasts, the alias.

    Raises IntegrityError naming each row and file that is not as the ledger says.
    """
    ledger = open_ledger(environment)
    count = ledger.verify()
    rows = ledger.rows()
    row = serving_row(rows)
    notes: list[str] = []
    checks: list[Callable[[], None]] = [lambda: _check_forecasts(environment, rows)]
    checks += [_check_bundle_of(environment, version, rows) for version in known_versions(environment)]
    if row is not None:
        checks += [lambda: _check_pointer(environment, row), lambda: _check_serving(environment, row)]
        notes += _missing(environment, rows) + _stale(rows, row) + _alias_notes(environment, row)
    faults = [fault for fault in map(_fault, checks) if fault]
    if faults:
        listed = "\n".join(f"- {each}" for each in dict.fromkeys(faults))
        raise IntegrityError(f"{environment.name}: expected everything as it was released; got:\n{listed}")
    scored = last_scored(rows)
    forecasts = int(scored.evidence["rows"]) if scored else None
    versions = tuple(known_versions(environment))
    return Audited(environment.name, count, row.version if row else None, versions, forecasts, tuple(notes))


def _fault(check: Callable[[], None]) -> str:
    """What a check found wrong, "" for nothing."""
    try:
        check()
    except IntegrityError as error:
        return str(error)
    return ""


def _check_bundle_of(environment: Environment, version: str, rows: list[Row]) -> Callable[[], None]:
    known = [row for row in rows if row.version == version and "manifest_sha256" in row.evidence]
    sha256 = known[-1].evidence["manifest_sha256"] if known else None
    folder = store.bundle_folder(environment.store, version)
    return lambda: _check_bundle(folder, sha256)


def _check_bundle(folder: Path, sha256: str | None) -> None:
    manifest, _ = read_files(folder, sha256)
    got = manifest.meta.model_version
    if got != folder.name:
        raise IntegrityError(
            f"{folder}: expected the bundle of {folder.name}; got that of {got}. Restore it."
        )


def _check_serving(environment: Environment, row: Row) -> None:
    """Raises IntegrityError where what serves is missing, or lacks a parity certificate."""
    read_bundle(store.bundle_folder(environment.store, row.version))


def _check_pointer(environment: Environment, row: Row) -> None:
    expected, got = pointer_of(row), read_pointer(environment)
    if got != expected:
        raise IntegrityError(
            f"{environment.store / store.CURRENT}: expected {row.version}, which serves by row {row.seq} of "
            f"the ledger; got {got}. The next command that is no audit, `status` say, makes it follow."
        )


def _check_forecasts(environment: Environment, rows: list[Row]) -> None:
    row = last_scored(rows)
    path = environment.store / store.FORECASTS
    if row is None:
        return
    got = store.sha256_of(path) if path.is_file() else "no file"
    if got != row.evidence["sha256"]:
        raise IntegrityError(
            f"{path}: expected sha256 {row.evidence['sha256']}, as row {row.seq} of the ledger says; got "
            f"{got}. Issue the forecasts again."
        )


def _missing(environment: Environment, rows: list[Row]) -> list[str]:
    """Notes about bundles that served and are not in the store."""
    there = {*known_versions(environment)}
    gone = [row.version for row in rows if row.kind in SERVING_KINDS and row.version not in there]
    hint = "a rollback to it fetches it" if environment.registry else "it cannot be rolled back to"
    current = served(rows)[-1]
    return [f"The bundle of {each} is not here: {hint}." for each in dict.fromkeys(gone) if each != current]


def _stale(rows: list[Row], serving: Row) -> list[str]:
    row = last_scored(rows)
    if row is None:
        return ["No forecasts were issued yet."]
    if row.version == serving.version:
        return []
    return [f"The published forecasts are those of {row.version}; {serving.version} has issued none yet."]


def _alias_notes(environment: Environment, row: Row) -> list[str]:
    if not environment.registry or environment.place is None:
        return []
    try:
        named = aliased(environment)
    except DependencyError:
        return [f"MLflow at {environment.place.public_address} does not answer; the alias was not compared."]
    if named == row.version:
        return []
    return [f"The alias {ALIAS} of {environment.model} names {named or 'no version'}, not {row.version}."]
