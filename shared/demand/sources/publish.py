"""Files and folders that appear whole or not at all."""

import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from demand.errors import UsageError


def write_bytes(path: Path, content: bytes) -> None:
    """Writes a file under another name, flushes it to the disk, and renames it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    part = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        part.chmod(0o644)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


@contextmanager
def publishing(folder: Path) -> Iterator[Path]:
    """A new empty folder that takes the place of `folder` when the block ends, and vanishes if it fails.

    Raises UsageError if `folder` holds anything that its own manifest does not list: another's files stay.
    """
    _check_replaceable(folder)
    folder.parent.mkdir(parents=True, exist_ok=True)
    part = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    part.chmod(0o755)
    try:
        yield part
        _swap(part, folder)
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _swap(part: Path, folder: Path) -> None:
    if not folder.exists():
        part.rename(folder)
        return
    old = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    folder.replace(old)
    try:
        part.rename(folder)
    except OSError:
        old.replace(folder)
        raise
    shutil.rmtree(old)


def _check_replaceable(folder: Path) -> None:
    if not folder.exists():
        return
    foreign = sorted(set(files_in(folder)) - _listed(folder)) if folder.is_dir() else [folder.name]
    if foreign:
        raise UsageError(
            f"{folder}: expected a new or empty folder, or one written before; "
            f"it holds {len(foreign)} other files, first {', '.join(foreign[:3])}. Choose another folder."
        )


def _listed(folder: Path) -> set[str]:
    try:
        return {"manifest.json", *json.loads((folder / "manifest.json").read_bytes())["files"]}
    except (OSError, ValueError, KeyError, TypeError):
        return set()


def files_in(folder: Path) -> list[str]:
    """Sorted relative paths, with forward slashes, of the files in a folder and below."""
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
