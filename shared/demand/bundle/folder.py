"""A bundle's folder: the manifest, and files that are, byte for byte, the ones it lists."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from demand.bundle.manifest import MANIFEST, Manifest, decode_manifest, file_entry
from demand.errors import IntegrityError

REDO = "Fetch the bundle again, or train again."


def read_files(folder: Path, sha256: str | None = None) -> tuple[Manifest, dict[str, bytes]]:
    """The manifest of a bundle and the bytes of its files, by name; none of the files is parsed.

    sha256: what the manifest's own bytes must have, where it is known from elsewhere.
    Raises IntegrityError naming file, expected and got where a file is missing, is not listed, or differs.
    """
    manifest = read_manifest(folder, sha256)
    there = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if not _is_folder(path)}
    extra = sorted(there - set(manifest.files) - {MANIFEST})
    if extra:
        raise IntegrityError(
            f"{folder / extra[0]}: expected only the {len(manifest.files)} files of the manifest; "
            f"got this one too. {REDO}"
        )
    return manifest, {name: verified(folder / name, entry) for name, entry in manifest.files.items()}


def read_manifest(folder: Path, sha256: str | None = None) -> Manifest:
    """The manifest of a bundle's folder; raises IntegrityError where it is none, or has another sha256."""
    path = folder / MANIFEST
    try:
        content = path.read_bytes()
        got = file_entry(content)["sha256"]
        if sha256 not in (None, got):
            raise ValueError(f"sha256 {got} instead of {sha256}")
        return decode_manifest(content)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise IntegrityError(
            f"{path}: expected the manifest of a bundle; got {type(error).__name__}: {error}. {REDO}"
        ) from error


def verified(path: Path, expected: Mapping[str, Any]) -> bytes:
    """The bytes of a file; raises IntegrityError where they are not those the manifest lists."""
    wanted = f"{path}: expected {expected['bytes']} bytes with sha256 {expected['sha256']}"
    if not path.is_file():
        raise IntegrityError(f"{wanted}; got no file. {REDO}")
    content = path.read_bytes()
    got = file_entry(content)
    if got != expected:
        raise IntegrityError(f"{wanted}; got {got['bytes']} bytes with sha256 {got['sha256']}. {REDO}")
    return content


def _is_folder(path: Path) -> bool:
    """Whether it is a folder of its own, not a link to one elsewhere."""
    return path.is_dir() and not path.is_symlink()
