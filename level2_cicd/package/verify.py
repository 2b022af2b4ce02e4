"""Verify a package before anything of it is used."""

from pathlib import Path

from demand.errors import IntegrityError, UsageError
from level2_cicd.package.contents import (
    MANIFEST,
    SUMS,
    Package,
    contents_of,
    digest_of,
    package_of,
    sums_of,
)

REDO = "Fetch the package again, or build it again."


def verify(folder: Path, digest: str | None = None) -> Package:
    """The package in a folder, every byte of it verified.

    digest: what it must have, as another job or person was told; without it the files are held against their
    own list alone. Raises UsageError where there is no package, IntegrityError for any other byte, a file
    that is missing, or one too many.
    """
    if not (folder / SUMS).is_file():
        raise UsageError(
            f"{folder}: expected a package with its {SUMS}; got none. Build it with `package build`."
        )
    expected, contents = (folder / SUMS).read_bytes(), contents_of(folder)
    got = sums_of(contents)
    if got != expected:
        raise IntegrityError(f"{folder}: {_difference(expected, got)} {REDO}")
    found = digest_of(expected)
    if digest not in (None, found):
        raise IntegrityError(f"{folder}: expected the package with digest {digest}; got {found}. {REDO}")
    return package_of(folder, found, contents.get(MANIFEST, b""))


def _difference(expected: bytes, got: bytes) -> str:
    """The first line in which two lists differ, in words."""
    lists = [content.decode(errors="replace").split("\n") for content in (expected, got)]
    pairs = [pair for pair in zip(*lists, strict=False) if pair[0] != pair[1]]
    listed, there = pairs[0] if pairs else (lists[0][-1], lists[1][-1])
    return f"expected the files that {SUMS} lists, in it {listed!r}; got {there!r}."
