"""What a package consists of: a folder of files, the sha256 of each, and one digest over all."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from demand.errors import IntegrityError
from demand.sources.publish import files_in
from level1_pipeline.versions import PRODUCT

PACKAGE = Path("dist/level2")  # where `build` puts it, below the root of a checkout
MANIFEST, SUMS = "manifest.json", "SHA256SUMS"
CONSTRAINTS, SBOM, SETTINGS = "constraints.txt", "sbom.cdx.json", "config"
FORMAT = 1
DIGEST_DIGITS = 12  # of the digest, where people read it


@dataclass(frozen=True)
class Package:
    """A package that was verified, or has just been built.

    digest: sha256 of the list of all files' sha256. commit: of the code, "-dirty" where files differed from
    it, the product's version where there was no checkout. wheel: name of its file.
    """

    folder: Path
    digest: str
    commit: str
    wheel: str

    @property
    def name(self) -> str:
        """The beginning of the digest, which names the package among people and in folders."""
        return self.digest[:DIGEST_DIGITS]


def manifest_content(commit: str, wheel: str, names: list[str]) -> dict[str, Any]:
    """What the package says of itself; `names`: of all its files but the manifest."""
    return {"format": FORMAT, "product": PRODUCT, "commit": commit, "wheel": wheel, "files": sorted(names)}


def sums_of(contents: Mapping[str, bytes]) -> bytes:
    """The list of sha256 and file name that `sha256sum --check` reads, sorted by name."""
    lines = [f"{hashlib.sha256(contents[name]).hexdigest()}  {name}\n" for name in sorted(contents)]
    return "".join(lines).encode()


def digest_of(sums: bytes) -> str:
    """The one digest over all files: the sha256 of the list of theirs."""
    return hashlib.sha256(sums).hexdigest()


def contents_of(folder: Path) -> dict[str, bytes]:
    """The bytes of every file of a package's folder but the list of their sha256, by name."""
    return {name: (folder / name).read_bytes() for name in files_in(folder) if name != SUMS}


def package_of(folder: Path, digest: str, manifest: bytes) -> Package:
    """The package that a manifest describes; raises IntegrityError where it is none."""
    try:
        found = json.loads(manifest)
        if (found["format"], found["product"]) != (FORMAT, PRODUCT):
            raise ValueError(f"format {found['format']!r} of {found['product']!r}")
        return Package(folder, digest, str(found["commit"]), str(found["wheel"]))
    except (ValueError, KeyError, TypeError) as error:
        raise IntegrityError(
            f"{folder / MANIFEST}: expected what a package of {PRODUCT}, format {FORMAT}, says of itself; "
            f"got {error!r}. Build the package again."
        ) from None
