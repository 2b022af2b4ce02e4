"""Ask whether a known fault is reported for any version that a package runs with."""

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from demand.errors import IntegrityError
from level1_pipeline.connection import DependencyError
from level2_cicd.package.closure import closure, constrained
from level2_cicd.package.contents import CONSTRAINTS, Package

PATIENCE = 300.0  # seconds for the whole audit


@dataclass(frozen=True)
class Audited:
    """What an audit found: distributions that were looked up, and the known faults of each, if it has any."""

    names: list[str]
    faults: dict[str, list[str]]


def audit(package: Package) -> Audited:
    """What the advisory database knows of the package's versions; it has to be reached over the network.

    Raises DependencyError where any could not be looked up: an audit of nothing is none.
    """
    versions = constrained((package.folder / CONSTRAINTS).read_text(encoding="utf-8"))
    # A local build such as 2.13.0+cpu has the faults of the release that it was built from.
    wanted = {name: versions[name].partition("+")[0] for name in closure() if name in versions}
    found = _looked_up("".join(f"{name}=={version}\n" for name, version in wanted.items()))
    names = sorted(str(each["name"]) for each in found if "vulns" in each)
    lost = sorted(set(wanted) - set(names))
    if lost:
        raise DependencyError(
            f"audit: expected an answer for {len(wanted)} distributions; {len(lost)} could not be looked up, "
            f"first {', '.join(lost[:3])}. Run it again where the advisory database can be reached."
        )
    return Audited(names, {str(each["name"]): _ids(each) for each in found if each["vulns"]})


def refuse_faults(audited: Audited) -> None:
    """Raises IntegrityError where a version has a known fault."""
    if audited.faults:
        told = "\n".join(f"- {name}: {', '.join(ids)}" for name, ids in audited.faults.items())
        raise IntegrityError(
            f"audit: expected no known fault in {len(audited.names)} distributions; got\n{told}\nRaise their "
            "versions with `make constraints` and build the package again."
        )


def _ids(found: dict[str, Any]) -> list[str]:
    return [str(each["id"]) for each in found["vulns"]]


def _looked_up(requirements: str) -> list[dict[str, Any]]:
    """What pip-audit says of each requirement; raises DependencyError where it says nothing."""
    options = ["--no-deps", "--disable-pip", "--format", "json", "--progress-spinner", "off"]
    try:
        with TemporaryDirectory() as folder:
            file = Path(folder) / "requirements.txt"
            file.write_text(requirements, encoding="utf-8")
            done = subprocess.run(
                [sys.executable, "-m", "pip_audit", "--requirement", str(file), *options],
                capture_output=True,
                text=True,
                timeout=PATIENCE,
            )
        return list(json.loads(done.stdout)["dependencies"])
    except (subprocess.TimeoutExpired, ValueError, KeyError) as error:
        told = error if isinstance(error, subprocess.TimeoutExpired) else done.stderr.strip()[-300:]
        raise DependencyError(
            f"audit: expected an answer of the advisory database; got: {told or error}. Run it again "
            "where it can be reached."
        ) from None
