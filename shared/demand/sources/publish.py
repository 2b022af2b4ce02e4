"""Files and folders that appear whole or not at all."""

import ctypes
import errno
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from demand.errors import UsageError

PART = ".part"  # how the name of what is not whole yet ends; it begins with a dot
FULL = (errno.ENOSPC, errno.EDQUOT)
AT_FDCWD, RENAME_EXCHANGE = -100, 2  # of Linux's renameat2


class DiskFullError(OSError):
    """No room for a file or folder; the message names it and its bytes. What stood there is unchanged."""

    def __str__(self) -> str:
        return f"{self.filename}: {self.strerror}"


def write_bytes(path: Path, content: bytes, *, mode: int = 0o644) -> None:
    """Writes a file under another name, flushes it to the disk, and renames it; raises DiskFullError."""
    with _telling_full(path, lambda: len(content)):
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=PART, dir=path.parent)
        part = Path(name)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            part.chmod(mode)
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A new empty file that takes the place of `path` when the block ends, and vanishes if it fails.

    Raises DiskFullError.
    """
    with _telling_full(path, lambda: 0):
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=PART, dir=path.parent)
    part = Path(name)
    try:
        with os.fdopen(handle, "rb") as file, _telling_full(path, lambda: part.stat().st_size):
            yield part
            os.fsync(file.fileno())
        part.chmod(0o644)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


@contextmanager
def publishing(folder: Path) -> Iterator[Path]:
    """A new empty folder that takes the place of `folder` when the block ends, and vanishes if it fails.

    Raises UsageError if `folder` holds anything that its own manifest does not list: another's files stay.
    Raises DiskFullError where the disk has no room; for a file of it the message names that file.
    """
    _check_replaceable(folder)
    with _telling_full(folder, lambda: 0):
        folder.parent.mkdir(parents=True, exist_ok=True)
        part = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", suffix=PART, dir=folder.parent))
    part.chmod(0o755)
    try:
        with _telling_full(folder, lambda: sum(path.stat().st_size for path in part.rglob("*"))):
            yield part
            _swap(part, folder)
    finally:
        shutil.rmtree(part, ignore_errors=True)


def sweep(folder: Path, *names: str) -> list[str]:
    """Names of what killed writers of `names` (of any, if none is given) left in `folder`; it is gone now.

    Only for the one writer of these names: what another is writing would go as well.
    """
    left = sorted({path for name in names or ("*",) for path in folder.glob(f".{name}.*{PART}")})
    for path in left:
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
    return [path.name for path in left]


def _swap(part: Path, folder: Path) -> None:
    if not folder.exists():
        part.rename(folder)
        return
    if _exchange(part, folder):  # now `part` is the old one, which goes
        return
    old = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    folder.replace(old)
    try:
        part.rename(folder)
    except OSError:
        old.replace(folder)
        raise
    shutil.rmtree(old)


def _exchange(first: Path, second: Path) -> bool:
    """Whether two folders changed names in one step, no moment without either; not every system can."""
    if not sys.platform.startswith("linux"):
        return False
    rename = getattr(ctypes.CDLL(None), "renameat2", None)
    paths = (AT_FDCWD, os.fsencode(first), AT_FDCWD, os.fsencode(second))
    return rename is not None and rename(*paths, RENAME_EXCHANGE) == 0


@contextmanager
def _telling_full(path: Path, count: Callable[[], int]) -> Iterator[None]:
    """A block in which a full disk becomes an error that names `path` and its bytes."""
    try:
        yield
    except OSError as error:
        if error.errno not in FULL or isinstance(error, DiskFullError):
            raise
        raise DiskFullError(
            error.errno,
            f"expected room for {count():,} bytes; got {os.strerror(error.errno)}. "
            "What stood there is unchanged. Make room and run the same command again.",
            str(path),
        ) from error


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
