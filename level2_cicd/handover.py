"""Hands a command over to the package: verified or built, installed away from checkouts, started there."""

import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import typer

from level1_pipeline.lock import held
from level1_pipeline.tables import say
from level1_pipeline.versions import code_version
from level2_cicd.environments import Environment, claim
from level2_cicd.package import Installed, Package, build, install, verify
from level2_cicd.package.contents import SUMS

FOLDER = "package"  # in an environment's store: what was installed there
CHECKOUTS = (
    "PYTHONPATH",
    "PYTHONHOME",
    "PYTHONSTARTUP",
)  # variables by which a process could find a checkout


@dataclass(frozen=True)
class Handover:
    """A command to hand over: its verb, the environment, the package, and its options by name.

    paths: given to the package as absolute ones, left out where they are None. said: all other options.
    """

    verb: str
    environment: Environment
    package: Path
    digest: str | None
    paths: Mapping[str, Path | None]
    said: Mapping[str, str] = field(default_factory=dict)
    quiet: bool = False


def hand_over(asked: Handover) -> None:
    """Ends this command with the exit code of the same one, as the installed package has it.

    Raises LockHeld where another process installs just now, IntegrityError for a package that was changed,
    UsageError where there is none and none can be built.
    """
    claim(asked.environment)
    where = asked.environment.store / FOLDER
    say("== package")
    with held(where):
        package = ready(asked.package, asked.digest, Path.cwd())
        installed = install(package, where)
    say(f"   {package.name} of commit {package.commit}, installed in {installed.folder}")
    raise typer.Exit(_run(installed, _options(asked, package)))


def ready(folder: Path, digest: str | None, checkout: Path) -> Package:
    """The verified package of a folder; without a digest it is built where it is not this checkout's."""
    is_checkout = (checkout / "pyproject.toml").is_file()
    if digest is not None or not is_checkout:
        return verify(folder, digest)
    commit = code_version(checkout / "level1_pipeline")
    package = verify(folder) if (folder / SUMS).is_file() else None
    # With files that differ from the commit, its name does not tell which code a package holds.
    if package is not None and package.commit == commit and not commit.endswith("-dirty"):
        return package
    why = "there is none" if package is None else "the code may differ"
    say(f"   building it from this checkout: {why}")
    return build(checkout, folder)


def _options(asked: Handover, package: Package) -> list[str]:
    every = {**asked.paths, "--package": package.folder}
    paths = {name: str(path.resolve()) for name, path in every.items() if path is not None}
    options = {**paths, **asked.said, "--digest": package.digest}
    quiet = ["--quiet"] if asked.quiet else []
    return [asked.verb, "--installed", *quiet, *(f"{name}={value}" for name, value in options.items())]


def _run(installed: Installed, options: list[str]) -> int:
    """The exit code of a command of the package, run in a folder that holds no code."""
    own = {name: value for name, value in os.environ.items() if name not in CHECKOUTS}
    # Processes that the package starts must not compile into its environment: it is held to the wheel.
    done = subprocess.run(
        installed.command(*options), cwd=installed.folder, env={**own, "PYTHONDONTWRITEBYTECODE": "1"}
    )
    return done.returncode if done.returncode >= 0 else 128 - done.returncode
