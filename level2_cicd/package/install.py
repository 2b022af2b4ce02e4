"""Install a package away from every checkout: a virtual environment of its own, made without a network."""

import json
import os
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from demand.errors import IntegrityError, UsageError
from demand.sources.publish import files_in, write_bytes
from level1_pipeline.versions import PRODUCT
from level2_cicd.package.contents import Package
from level2_cicd.package.wheel import files_of

VENV, DONE = "venv", "installed.json"
OUTER = "_outer.pth"  # names where the libraries lie; what is editable there is not looked at
WRITTEN_BY_PIP = ("INSTALLER", "RECORD", "REQUESTED", "direct_url.json")


@dataclass(frozen=True)
class Installed:
    """An installed package: its folder, and the interpreter that sees it and no checkout."""

    package: Package
    folder: Path

    @property
    def python(self) -> Path:
        """The interpreter of its virtual environment."""
        return interpreter(self.folder / VENV)

    def command(self, *arguments: str) -> list[str]:
        """A command of level 2 as the package has it, whatever PYTHONPATH or the current folder says."""
        return [str(self.python), "-I", "-B", "-m", "level2_cicd", *arguments]


def install(package: Package, where: Path) -> Installed:
    """The package installed in a folder of `where` named by its digest; done once, verified each time.

    An installation that was cut off, or that came here from another machine, is made anew. Raises
    IntegrityError where an installed file is not the package's, UsageError where pip is missing.
    """
    installed = Installed(package, where.resolve() / package.name)
    if not _is_whole(installed):
        shutil.rmtree(installed.folder, ignore_errors=True)
        _install(installed)
    check_installed(installed)
    return installed


def check_installed(installed: Installed) -> None:
    """Raises IntegrityError unless what is installed is the wheel's, byte for byte, and nothing else."""
    site, wheel = site_of(installed.folder / VENV), installed.package.folder / installed.package.wheel
    expected = {OUTER: _outer_line(), **files_of(wheel.read_bytes())}
    ignored = set(_written_by_pip(expected))
    found = set(files_in(site)) - ignored
    wrong = sorted(found ^ (set(expected) - ignored))
    wrong += [name for name in sorted(found & set(expected)) if (site / name).read_bytes() != expected[name]]
    if wrong:
        raise IntegrityError(
            f"{site}: expected the files of {wheel.name} and no other; {len(wrong)} differ, first "
            f"{wrong[0]}. Remove {installed.folder} and run the same command again."
        )


def site_of(venv: Path) -> Path:
    """The folder of a virtual environment into which packages are installed."""
    return Path(sysconfig.get_path("purelib", "venv", {"base": str(venv), "platbase": str(venv)}))


def interpreter(venv: Path) -> Path:
    """The interpreter of a virtual environment."""
    scripts = Path(sysconfig.get_path("scripts", "venv", {"base": str(venv), "platbase": str(venv)}))
    return scripts / ("python.exe" if sys.platform == "win32" else "python")


def _is_whole(installed: Installed) -> bool:
    """Whether it was installed to the end, by this very environment."""
    try:
        found = json.loads((installed.folder / DONE).read_bytes())
    except (OSError, ValueError):
        return False
    return bool(found == _told(installed)) and os.access(installed.python, os.X_OK)


def _told(installed: Installed) -> dict[str, str]:
    """What is written last: which package was installed, where, and whose libraries it uses."""
    digest = installed.package.digest
    return {"digest": digest, "folder": str(installed.folder), "libraries": sysconfig.get_path("purelib")}


def _install(installed: Installed) -> None:
    package, venv = installed.package, installed.folder / VENV
    _run([sys.executable, "-m", "venv", "--without-pip", str(venv)])
    pip = [sys.executable, "-m", "pip", "--python", str(installed.python), "--disable-pip-version-check"]
    wheel = str(package.folder / package.wheel)
    # Not compiled: every file of the environment can then be held against the wheel.
    _run([*pip, "install", "--quiet", "--no-deps", "--no-index", "--no-compile", wheel])
    (site_of(venv) / OUTER).write_bytes(_outer_line())
    write_bytes(installed.folder / DONE, (json.dumps(_told(installed), indent=1) + "\n").encode())


def _outer_line() -> bytes:
    """The folder of libraries of the environment that installs, as a line of a .pth file.

    Python adds such a folder to its path without reading the .pth files in it, so an editable checkout that
    is installed there stays out of sight.
    """
    return f"{sysconfig.get_path('purelib')}\n".encode()


def _written_by_pip(names: dict[str, bytes]) -> Iterator[str]:
    """Names of the files that pip writes itself beside those of the wheel."""
    (info,) = {name.partition("/")[0] for name in names if name.partition("/")[0].endswith(".dist-info")}
    yield from (f"{info}/{name}" for name in WRITTEN_BY_PIP)


def _run(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise UsageError(
            f"{PRODUCT}: expected the package to install; got: {done.stderr.strip()[-500:]}\n"
            "Run `make setup`."
        )
