import random
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from demand.errors import IntegrityError, UsageError
from demand.sources.publish import files_in
from level2_cicd.package import Package, verify

FLIPS = 60  # the drill tampers with more


@pytest.fixture
def copied(built: Package, tmp_path: Path) -> Path:
    return Path(shutil.copytree(built.folder, tmp_path / "level2"))


def test_what_was_built_is_verified(built: Package) -> None:
    assert verify(built.folder) == built
    assert verify(built.folder, built.digest) == built


def test_any_flipped_bit_is_found(built: Package, copied: Path) -> None:
    draw, names = random.Random(7), files_in(built.folder)
    for flip in range(FLIPS):
        path = copied / names[flip % len(names)]
        content = bytearray(path.read_bytes())
        content[draw.randrange(len(content))] ^= 1 << draw.randrange(8)
        path.write_bytes(content)
        with pytest.raises(IntegrityError):
            verify(copied)
        shutil.copy(built.folder / names[flip % len(names)], path)
    assert verify(copied).digest == built.digest


def test_a_missing_file_and_one_too_many_are_found(copied: Path) -> None:
    (copied / "extra.py").write_text("print()\n")
    with pytest.raises(IntegrityError, match=r"extra\.py"):
        verify(copied)
    (copied / "extra.py").unlink()
    (copied / "constraints.txt").unlink()
    with pytest.raises(IntegrityError, match=r"constraints\.txt"):
        verify(copied)


def test_a_package_that_was_changed_and_listed_anew_has_another_digest(built: Package, copied: Path) -> None:
    from level2_cicd.package.contents import contents_of, sums_of

    (copied / "constraints.txt").write_text("evil==1.0\n")
    (copied / "SHA256SUMS").write_bytes(sums_of(contents_of(copied)))
    assert verify(copied).digest != built.digest
    with pytest.raises(IntegrityError, match=f"expected the package with digest {built.digest}"):
        verify(copied, built.digest)


def test_a_folder_without_a_package_is_no_fault_of_a_package(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="expected a package with its SHA256SUMS"):
        verify(tmp_path)


def test_another_products_manifest_is_refused(copied: Path) -> None:
    from level2_cicd.package.contents import contents_of, sums_of

    (copied / "manifest.json").write_text('{"format": 1, "product": "other"}')
    (copied / "SHA256SUMS").write_bytes(sums_of(contents_of(copied)))
    with pytest.raises(IntegrityError, match=r"format 1 of 'other'"):
        verify(copied)


def test_the_command_ends_with_4_for_a_changed_package_and_tells_later_steps_the_digest(
    built: Package,
    copied: Path,
    tmp_path: Path,
    cli: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    outcome = cli("package", "verify", "--package", copied, "--digest", built.digest)
    assert (outcome.code, outcome.err) == (0, "")
    assert f"digest:  {built.digest}" in outcome.out
    assert cli("package", "verify", "--package", copied, "--digest", "0" * 64).code == 4
    monkeypatch.setenv("PACKAGE_DIGEST", "1" * 64)
    assert cli("package", "verify", "--package", copied).code == 4
