"""The container test says what it could not do; what it does itself is done by `make container-test`."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

RUN = Path(__file__).with_name("run.sh")
TOOLS = ("bash", "dirname", "env", "cat")


@pytest.fixture
def bare(tmp_path):
    """A PATH with next to nothing on it."""
    for name in TOOLS:
        (tmp_path / name).symlink_to(shutil.which(name))
    return tmp_path


def run(path, *arguments):
    return subprocess.run(["bash", RUN, *arguments], env={"PATH": str(path)}, capture_output=True, text=True)


def test_without_buildah_it_says_so_and_ends_with_a_code_of_its_own(bare):
    done = run(bare, "package", "store")
    assert done.returncode == 69
    assert done.stdout == "container-test: not run: buildah is not installed; make system-deps\n"


def test_without_a_package_or_a_release_it_is_wrong_usage(bare, tmp_path):
    (bare / "buildah").write_text("#!/bin/sh\nexit 1\n")
    (bare / "buildah").chmod(0o755)
    for arguments in ([], [str(tmp_path), str(tmp_path)]):
        done = run(f"{bare}{os.pathsep}{os.environ['PATH']}", *arguments)
        assert (done.returncode, "expected the folders of a package" in done.stdout) == (64, True)
