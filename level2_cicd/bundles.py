"""A version's bundle, whole: verified where it lies, or fetched from the registry where it is not."""

import shutil
from pathlib import Path, PurePosixPath

from demand.errors import IntegrityError, UsageError
from demand.scoring import Bundle, read_bundle
from level1_pipeline import store
from level1_pipeline.connection import DependencyError
from level2_cicd.environments import Environment
from level2_cicd.evidence import manifest_sha256


def whole_bundle(environment: Environment, version: str, sha256: str | None = None) -> Bundle:
    """The verified bundle of a version: every byte, and a parity certificate for every graph.

    sha256: what its manifest must have, where the ledger knows. A bundle that is missing or damaged is
    fetched from the environment's registry first, where there is one. Raises UsageError for a version that is
    nowhere, IntegrityError for a damaged one that no registry can replace.
    """
    if not version or PurePosixPath(version).name != version or "\\" in version:
        raise UsageError(f"version: expected the name of a bundle, as in 45880a905f64; got {version!r}.")
    try:
        return _verified(environment, version, sha256)
    except IntegrityError as error:
        if not _fetched(environment, version, error):
            _refuse_missing(environment, version)
            raise
    return _verified(environment, version, sha256)


def known_versions(environment: Environment) -> list[str]:
    """The versions whose bundles lie in the store."""
    folder = environment.store / "bundle"
    found = sorted(folder.iterdir()) if folder.is_dir() else []
    return [each.name for each in found if each.is_dir() and not each.name.startswith(".")]


def _verified(environment: Environment, version: str, sha256: str | None) -> Bundle:
    folder = store.bundle_folder(environment.store, version)
    bundle = read_bundle(folder)
    got = bundle.meta.model_version
    if got != version:
        raise IntegrityError(f"{folder}: expected the bundle of {version}; got that of {got}. Restore it.")
    if sha256 is not None and manifest_sha256(environment, version) != sha256:
        raise IntegrityError(
            f"{folder}: expected the manifest that the ledger knows, sha256 {sha256[:12]}; got another one. "
            "Restore the bundle, or register the new one."
        )
    return bundle


def _fetched(environment: Environment, version: str, error: IntegrityError) -> bool:
    """Whether the registry had the bundle, which now takes the place of whatever lay there."""
    if not environment.registry or environment.place is None:
        return False
    from level1_pipeline.registry import fetch

    folder = store.bundle_folder(environment.store, version)
    part = folder.with_name(f".{version}.fetched")
    shutil.rmtree(part, ignore_errors=True)
    try:
        fetch(environment.place, environment.model, version, part)
    except UsageError:  # the registry does not know it
        return False
    except DependencyError as also:
        error.add_note(str(also))
        return False
    _replace(part, folder)
    return True


def _replace(part: Path, folder: Path) -> None:
    if folder.exists():  # damaged, so nobody misses it
        shutil.rmtree(folder)
    part.replace(folder)


def _refuse_missing(environment: Environment, version: str) -> None:
    if not store.bundle_folder(environment.store, version).is_dir():
        there = ", ".join(known_versions(environment)) or "none; train with --await-promotion first"
        raise UsageError(
            f"{environment.name}: expected a version whose bundle is in the store or the registry; got "
            f"{version!r}. There are: {there}."
        )
