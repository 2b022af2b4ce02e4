"""The finished pieces of a run that is not done: a run that was killed goes on where it was."""

import hashlib
import json
import os
import pickle
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from demand.errors import UsageError
from demand.sources.publish import sweep, write_bytes

FOLDER, BEGUN, DONE = "work", "begun.json", "done.json"
FORMAT = b"level1 piece 1"  # the first line of a piece; another format counts as no piece
SUFFIX = ".piece"
OWN_FILES, OTHERS = 0o600, 0o022  # modes: of what is written here, and what no other account may have
OF_A_RUN = ("report.csv", "run.json", "current.json")  # files of a store that only the lock's holder writes
# What a piece of other code can raise when it is read back; the run then does it again.
UNREADABLE = (
    pickle.UnpicklingError,
    AttributeError,
    ImportError,
    EOFError,
    ValueError,
    TypeError,
    LookupError,
)


@dataclass(frozen=True)
class Work:
    """The work folder of one model version; its pieces are pickled, and only this account's are read back."""

    folder: Path
    version: str

    @classmethod
    def open(cls, store: Path, version: str) -> "Work":
        """The work on a version, empty at first; for the holder of the store's lock.

        Raises UsageError where another account owns the folder or may write into it.
        """
        if not re.fullmatch(r"[0-9A-Za-z][0-9A-Za-z_-]*", version):
            raise UsageError(f"model version: expected letters, digits, - and _; got {version!r}.")
        work = cls(store / FOLDER / version, version)
        for folder in (work.folder.parent, work.folder):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            _check_own(folder)
        for folder in (work.folder, store / "bundle"):
            sweep(folder)
        sweep(store, *OF_A_RUN)
        if work.done() is not None:  # the run that finished it was killed before it removed the pieces
            work.clear()
        return work

    def find(self, name: str) -> Any | None:
        """The piece of that name; None where there is none, or none that is whole and of this format."""
        try:
            content = self._path(name).read_bytes()
        except FileNotFoundError:
            return None
        head, _, body = content.partition(b"\n\n")
        if head != _head(name, body):
            return None
        try:
            return pickle.loads(body)
        except UNREADABLE:
            return None

    def keep(self, name: str, value: Any) -> None:
        """Keeps a piece, whole or not at all; raises DiskFullError."""
        body = pickle.dumps(value, protocol=5)
        write_bytes(self._path(name), _head(name, body) + b"\n\n" + body, mode=OWN_FILES)

    def begun(self, now: datetime) -> datetime:
        """When work on this version first began: `now`, or what an earlier run kept."""
        found = self._read(BEGUN)
        if found is not None:
            return datetime.fromisoformat(found["trained_at"])
        self._write(BEGUN, {"trained_at": now.isoformat()})
        return now

    def done(self) -> dict[str, Any] | None:
        """What `finish` was told by the run that finished this version; None where none did."""
        found = self._read(DONE)
        return found["result"] if found else None

    def finish(self, result: Mapping[str, Any]) -> None:
        """Marks the version as done, the last step of a run; then removes pieces and all other work."""
        self._write(DONE, {"result": dict(result)})
        self.clear()
        for other in self.folder.parent.iterdir():
            if other.is_dir() and other != self.folder:
                shutil.rmtree(other)

    def clear(self) -> None:
        """Removes the pieces; when the work began, and that it is done, stays known."""
        for path in self.folder.glob(f"*{SUFFIX}"):
            path.unlink()

    def forget(self) -> None:
        """Removes the work of this version, as if it had never begun."""
        (self.folder / DONE).unlink(missing_ok=True)
        self.clear()
        (self.folder / BEGUN).unlink(missing_ok=True)

    def _path(self, name: str) -> Path:
        """A file name that any file system takes, and that no two names share."""
        if not name or len(name) > 1000:
            raise UsageError(f"piece: expected a name of 1 to 1000 characters; got {len(name)}.")
        readable = re.sub(r"[^0-9A-Za-z_-]+", "-", name)[:80]
        return self.folder / f"{readable}-{hashlib.sha256(name.encode()).hexdigest()[:16]}{SUFFIX}"

    def _read(self, name: str) -> dict[str, Any] | None:
        try:
            content = json.loads((self.folder / name).read_bytes())
        except (FileNotFoundError, ValueError):
            return None
        known = isinstance(content, dict) and content.get("format") == 1
        return content if known and content.get("model_version") == self.version else None

    def _write(self, name: str, content: Mapping[str, Any]) -> None:
        content = {"format": 1, "model_version": self.version, **content}
        write_bytes(
            self.folder / name,
            (json.dumps(content, indent=1, allow_nan=False) + "\n").encode(),
            mode=OWN_FILES,
        )


def _head(name: str, body: bytes) -> bytes:
    """The lines before a piece: its format, the sha256 of its name, and that of its bytes."""
    hashes = (hashlib.sha256(part).hexdigest().encode() for part in (name.encode(), body))
    return b"\n".join((FORMAT, *hashes))


def _check_own(folder: Path) -> None:
    """Raises UsageError where another account could have put a piece: reading one runs what it says."""
    if not hasattr(os, "getuid"):
        return
    found = folder.stat()
    if found.st_uid != os.getuid() or found.st_mode & OTHERS:
        raise UsageError(
            f"{folder}: expected a folder that only this account may write; got owner {found.st_uid}, "
            f"mode {found.st_mode & 0o777:o}. Look into it, remove it, and run the same command again."
        )
