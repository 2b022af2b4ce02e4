"""Artifacts of runs, kept on disk, found and named as on GitHub."""

import hashlib
import io
import os
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

EPOCH = datetime(2026, 1, 5, tzinfo=UTC)


class ActionError(Exception):
    """An action fails, as on GitHub."""


@dataclass
class Artifact:
    """A zip of files; `digest` is what was noted at upload, `content` what a download gets."""

    id: int
    name: str
    run: int
    created: datetime
    digest: str
    content: bytes
    expired: bool = False

    def names(self) -> list[str]:
        """The names of its files, sorted."""
        with zipfile.ZipFile(io.BytesIO(self.content)) as archive:
            return sorted(archive.namelist())

    def replace(self, name: str, text: str, *, forge: bool = True) -> None:
        """Changes one of its files, as an attacker would; `forge`: and what GitHub noted of its digest."""
        with zipfile.ZipFile(io.BytesIO(self.content)) as archive:
            files = {each: archive.read(each) for each in archive.namelist()}
        self.content = packed(files | {name: text.encode()})
        if forge:
            self.digest = hashlib.sha256(self.content).hexdigest()


class Artifacts:
    """Every artifact of a repository, oldest first."""

    def __init__(self) -> None:
        self.all: list[Artifact] = []
        self._made = 0

    def add(self, run: int, name: str, content: bytes, *, overwrite: bool = False) -> Artifact:
        """The new artifact; raises ActionError where the run has one of that name already."""
        same = [each for each in self.all if (each.run, each.name) == (run, name)]
        if same and not overwrite:
            raise ActionError(f"409: an artifact with the name {name} already exists on the workflow run")
        self._made += 1
        digest = hashlib.sha256(content).hexdigest()
        when = EPOCH + timedelta(minutes=self._made)
        made = Artifact(7000 + self._made, name, run, when, digest, content)
        self.all = [each for each in self.all if each not in same] + [made]
        return made

    def of(self, run: int, *, name: str | None = None, id: int | None = None) -> Artifact:
        """The artifact of a run with that name or id; raises ActionError where there is none."""
        for each in self.all:
            if each.run == run and not each.expired and name in (None, each.name) and id in (None, each.id):
                return each
        raise ActionError(f"Artifact not found: {name or id} of run {run}")


def packed(files: dict[str, bytes]) -> bytes:
    """A zip of these files, the same bytes each time."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name in sorted(files):
            archive.writestr(zipfile.ZipInfo(name), files[name])
    return buffer.getvalue()


def collected(workspace: Path, patterns: Sequence[str], *, hidden: bool) -> dict[str, bytes]:
    """The files that upload-artifact takes: paths from the folder they have in common."""
    found: set[Path] = set()
    without = [each.removeprefix("!") for each in patterns if each.startswith("!")]
    patterns = [each for each in patterns if not each.startswith("!")]
    for pattern in patterns:
        for path in [workspace / pattern] if "*" not in pattern else sorted(workspace.glob(pattern)):
            found |= {path} if path.is_file() else {each for each in path.rglob("*") if each.is_file()}
    if not hidden:
        found = {each for each in found if not _is_hidden(each.relative_to(workspace))}
    found = {each for each in found if not any(_under(each, workspace / pattern) for pattern in without)}
    if not found:
        return {}
    folders = [workspace / each for each in patterns if (workspace / each).is_dir()]
    roots = folders if len(patterns) == len(folders) else [*folders, *(each.parent for each in found)]
    base = Path(os.path.commonpath(roots))
    return {each.relative_to(base).as_posix(): each.read_bytes() for each in found}


def unpacked(content: bytes, where: Path) -> None:
    """Writes the files of an artifact into a folder."""
    where.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        archive.extractall(where)


def _under(path: Path, pattern: Path) -> bool:
    """Whether a pattern FOLDER/** means the path; raises ValueError for another kind of pattern."""
    if pattern.name != "**" or "*" in str(pattern.parent):
        raise ValueError(f"!{pattern}: the host runner leaves out whole folders alone, as !FOLDER/**")
    return pattern.parent in path.parents


def _is_hidden(path: Path) -> bool:
    return any(part.startswith(".") for part in path.parts)
