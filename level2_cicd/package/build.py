"""Build the package: wheel, constraints, settings, bill of materials; a commit always gives one digest."""

import json
import tempfile
from collections.abc import Mapping
from pathlib import Path

from demand.errors import UsageError
from demand.sources.publish import publishing, write_bytes
from level1_pipeline.versions import code_version
from level2_cicd.package.contents import (
    CONSTRAINTS,
    MANIFEST,
    SBOM,
    SETTINGS,
    SUMS,
    Package,
    digest_of,
    manifest_content,
    package_of,
    sums_of,
)
from level2_cicd.package.sbom import bill_of_materials
from level2_cicd.package.tools import run_tool
from level2_cicd.package.wheel import files_of


def build(root: Path, out: Path) -> Package:
    """The package of the checkout in `root`, written to `out`, which appears whole; asks no network.

    Raises UsageError where `root` is no checkout, or where the tools to build with are not installed.
    """
    if not (root / "pyproject.toml").is_file() or not (root / CONSTRAINTS).is_file():
        raise UsageError(
            f"{root}: expected a checkout with pyproject.toml and {CONSTRAINTS}; got none. Build in its root."
        )
    name, wheel = _wheel(root)
    constraints = (root / CONSTRAINTS).read_bytes()
    contents = {
        name: wheel[name],
        CONSTRAINTS: constraints,
        SBOM: bill_of_materials(root, constraints.decode(), wheel[name]),
        **{f"{SETTINGS}/{path}": content for path, content in _settings(wheel[name]).items()},
    }
    return _written(contents, code_version(root / "level1_pipeline"), name, out)


def _written(contents: Mapping[str, bytes], commit: str, wheel: str, out: Path) -> Package:
    told = manifest_content(commit, wheel, [*contents, SUMS])
    every = {**contents, MANIFEST: (json.dumps(told, indent=1) + "\n").encode()}
    sums = sums_of(every)
    with publishing(out) as part:
        for path, content in every.items():
            write_bytes(part / path, content)
        write_bytes(part / SUMS, sums)
    return package_of(out, digest_of(sums), every[MANIFEST])


def _wheel(root: Path) -> tuple[str, dict[str, bytes]]:
    """The name of the wheel, and its bytes by that name."""
    with tempfile.TemporaryDirectory() as folder:
        run_tool(["hatchling", "build", "-t", "wheel", "-d", folder], root)
        (path,) = Path(folder).glob("*.whl")
        return path.name, {path.name: path.read_bytes()}


def _settings(wheel: bytes) -> dict[str, bytes]:
    """Every settings file of the wheel by its path, for people to read: a run reads the wheel's own."""
    return {name: content for name, content in files_of(wheel).items() if name.endswith(".toml")}
