import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from demand.errors import IntegrityError
from level2_cicd.package import Installed, Package, install, prove_origin
from level2_cicd.package.install import site_of

ASK = """
import importlib, json, sys
names = ("demand", "level1_pipeline", "level2_cicd", "numpy")
print(json.dumps({name: importlib.import_module(name).__file__ for name in names}))
"""


@pytest.fixture(scope="session")
def installed(built: Package, tmp_path_factory: pytest.TempPathFactory) -> Installed:
    return install(built, tmp_path_factory.mktemp("installed"))


@pytest.fixture
def spoilable(built: Package, installed: Installed) -> Installed:
    """The installed package, to spoil; the test mends it."""
    return install(built, installed.folder.parent)


def test_code_comes_from_the_wheel_and_libraries_from_outside(installed: Installed, root: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(root)}
    done = subprocess.run(
        [str(installed.python), "-I", "-B", "-c", ASK],
        cwd=root,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    found = json.loads(done.stdout)
    for name in ("demand", "level1_pipeline", "level2_cicd"):
        assert found[name].startswith(str(site_of(installed.folder / "venv"))), name
    assert not found["numpy"].startswith(str(installed.folder))


def test_it_is_installed_once(built: Package, installed: Installed) -> None:
    before = installed.python.lstat().st_mtime_ns
    assert install(built, installed.folder.parent) == installed
    assert installed.python.lstat().st_mtime_ns == before


@pytest.mark.parametrize("left", ["nothing", "another folder's"])
def test_an_installation_that_is_not_whole_is_made_anew(spoilable: Installed, left: str) -> None:
    marker = spoilable.folder / "installed.json"
    (site_of(spoilable.folder / "venv") / "demand/errors.py").unlink()
    marker.unlink()
    if left != "nothing":
        marker.write_text(json.dumps({"digest": spoilable.package.digest, "folder": "/elsewhere"}))
    install(spoilable.package, spoilable.folder.parent)
    assert (site_of(spoilable.folder / "venv") / "demand/errors.py").is_file()


@pytest.mark.parametrize("name", ["demand/errors.py", "_outer.pth", "sitecustomize.py"])
def test_a_file_that_is_not_the_wheels_is_refused(spoilable: Installed, name: str) -> None:
    path = site_of(spoilable.folder / "venv") / name
    before = path.read_bytes() if path.exists() else None
    path.write_bytes((before or b"") + b"\n")
    with pytest.raises(IntegrityError, match=f"first {name}"):
        install(spoilable.package, spoilable.folder.parent)
    path.unlink() if before is None else path.write_bytes(before)
    install(spoilable.package, spoilable.folder.parent)


def test_a_process_of_a_checkout_cannot_pass_for_the_package(built: Package) -> None:
    with pytest.raises(IntegrityError, match="expected that of the installed package"):
        prove_origin(built)


def test_the_installed_command_proves_where_it_comes_from(installed: Installed, tmp_path: Path) -> None:
    ask = (
        "from pathlib import Path; from level2_cicd.package import prove_origin, verify;"
        f"found = prove_origin(verify(Path({str(installed.package.folder)!r})));"
        "print(found.folder, found.versions)"
    )
    done = subprocess.run(
        [str(installed.python), "-I", "-B", "-c", ask], capture_output=True, text=True, check=True
    )
    folder, versions = done.stdout.split()
    assert Path(folder) == site_of(installed.folder / "venv")
    assert int(versions) > 50


def test_a_library_of_another_version_is_refused(built: Package, tmp_path: Path) -> None:
    from demand.errors import UsageError
    from level2_cicd.package.closure import check_versions, constrained

    text = (built.folder / "constraints.txt").read_text()
    assert check_versions(["numpy", "pandas"], constrained(text)) == 2
    with pytest.raises(UsageError, match=r"1 of 1 differ, first numpy .* instead of 0\.1"):
        check_versions(["numpy"], {"numpy": "0.1"})


def test_constraints_of_other_platforms_do_not_count() -> None:
    from level2_cicd.package.closure import constrained

    text = "# exact\nnumpy==2.0\nappnope==1.0 ; sys_platform == 'nowhere'\n"
    assert constrained(text) == {"numpy": "2.0"}


def test_a_wheel_that_does_not_install_is_told(built: Package, tmp_path: Path) -> None:
    from demand.errors import UsageError

    folder = Path(shutil.copytree(built.folder, tmp_path / "level2"))
    (folder / built.wheel).write_bytes(b"no wheel")
    broken = Package(folder, built.digest, built.commit, built.wheel)
    with pytest.raises(UsageError, match="expected the package to install"):
        install(broken, tmp_path / "installed")
    assert not (tmp_path / "installed" / built.name / "installed.json").exists()
