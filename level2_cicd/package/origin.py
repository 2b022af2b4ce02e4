"""Proves, in a process of an installed package, that its code is the package's and not a checkout's."""

import sys
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

from demand.errors import IntegrityError
from level2_cicd.package.closure import check_versions, closure, constrained
from level2_cicd.package.contents import CONSTRAINTS, Package

OWN = ("demand", "level1_pipeline", "level2_cicd")


@dataclass(frozen=True)
class Origin:
    """Where this process's code comes from.

    versions: how many of the libraries that it runs with have the version of the package's constraints.
    """

    folder: Path
    versions: int


def prove_origin(package: Package) -> Origin:
    """Where the product's code was imported from: the environment that belongs to this interpreter.

    Raises IntegrityError where any of it comes from elsewhere, UsageError for a library of another version.
    """
    prefix = Path(sys.prefix).resolve()
    folders = {name: Path(str(import_module(name).__file__)).resolve().parent for name in OWN}
    odd = [f"{name} in {folder}" for name, folder in folders.items() if prefix not in folder.parents]
    if odd:
        raise IntegrityError(
            f"code: expected that of the installed package, below {prefix}; got {', '.join(odd)}. Let "
            "`make level2-release` start it."
        )
    wanted = constrained((package.folder / CONSTRAINTS).read_text(encoding="utf-8"))
    return Origin(folders["level2_cicd"].parent, check_versions(closure(), wanted))
