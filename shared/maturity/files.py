"""The files of a folder, as text; what is broken, too big or a link to elsewhere is left out and named."""

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path, PurePosixPath

SKIPPED = frozenset(
    [
        "node_modules",
        "site-packages",
        "__pycache__",
        "dist",
        "htmlcov",
        "mlruns",
        "third_party",
        "vendor",
        "venv",
        "virtualenv",
    ]
)
HIDDEN = frozenset(
    [
        ".github",
        ".gitlab",
        ".gitlab-ci",
        ".dvc",
        ".circleci",
        ".azure",
        ".azuredevops",
        ".azure-pipelines",
        ".pipelines",
        ".ci",
        ".mise",
        ".config",
    ]
)
KEPT_BY_TOOLS = frozenset({".dvc/cache", ".dvc/tmp"})
MOST_FILES = 20_000
MOST_BYTES = {".ipynb": 24 << 20, ".py": 1 << 20}
OTHER_BYTES = 512 << 10
MARKS = ((b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"), (b"\xef\xbb\xbf", "utf-8-sig"))


@dataclass
class Tree:
    """A folder that is looked at: `paths` relative to `root` in order, `problems` as path and reason."""

    root: Path
    paths: tuple[str, ...]
    problems: dict[str, str] = field(default_factory=dict)
    _texts: dict[str, str | None] = field(default_factory=dict)

    @cached_property
    def known(self) -> frozenset[str]:
        """Every path, for a quick look."""
        return frozenset(self.paths)

    def text(self, path: str) -> str | None:
        """A file's text, None where it cannot be had; then `problems` says why."""
        if path not in self._texts:
            self._texts[path] = self._read(path)
        return self._texts[path]

    def _read(self, path: str) -> str | None:
        limit = MOST_BYTES.get(PurePosixPath(path).suffix, OTHER_BYTES)
        try:
            with (self.root / path).open("rb") as file:
                content = file.read(limit + 1)
        except (OSError, ValueError) as error:
            self.problems[path] = f"cannot be read: {type(error).__name__}"
            return None
        if len(content) > limit:
            self.problems[path] = f"not looked at: more than {limit:,} bytes"
            return None
        return decoded(content)

    def ending(self, *suffixes: str) -> Iterator[str]:
        """The paths with one of these suffixes."""
        return (path for path in self.paths if path.endswith(suffixes))

    def named(self, *names: str) -> Iterator[str]:
        """The paths whose last part is one of these, upper and lower case alike."""
        wanted = {name.lower() for name in names}
        return (path for path in self.paths if path.rpartition("/")[2].lower() in wanted)


def decoded(content: bytes) -> str:
    """Bytes as text: the encoding they announce, else UTF-8, else Latin-1; lines end as on Unix."""
    for mark, encoding in MARKS:
        if content.startswith(mark):
            text = content.decode(encoding, "replace")
            break
    else:
        try:
            text = content.decode("utf-8")
        except UnicodeDecodeError:
            text = content.decode("latin-1")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def read_tree(root: Path) -> Tree:
    """The tree below a folder; raises NotADirectoryError where there is none."""
    if not root.is_dir():
        raise NotADirectoryError(root)
    tree = Tree(root, ())
    found = sorted(_walk(tree, "", _Budget(MOST_FILES)))
    tree.paths = tuple(found)
    return tree


@dataclass
class _Budget:
    left: int


def _walk(tree: Tree, start: str, budget: _Budget) -> Iterator[str]:
    folders = [start]
    while folders:
        folder = folders.pop()
        for entry in _entries(tree, folder):
            path = f"{folder}/{entry.name}" if folder else entry.name
            kind = _kind(tree, entry, path)
            if kind == "folder":
                folders.append(path)
            elif kind == "file" and budget.left > 0:
                budget.left -= 1
                yield path
            elif kind == "file":
                tree.problems["."] = f"only the first {MOST_FILES:,} files were looked at"
                return


def _entries(tree: Tree, folder: str) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(tree.root / folder) as entries:
            found = sorted(entries, key=lambda entry: entry.name)
    except OSError as error:
        tree.problems[folder or "."] = f"cannot be listed: {type(error).__name__}"
        return []
    return [] if folder and _made(folder, {entry.name for entry in found}) else found


def _made(folder: str, names: set[str]) -> bool:
    """Whether a tool made it: an environment, or a folder `build` without scripts of its own."""
    if "pyvenv.cfg" in names:
        return True
    scripts = any(name.endswith((".py", ".sh")) for name in names)
    return folder.rpartition("/")[2] == "build" and (not scripts or "lib" in names)


def _kind(tree: Tree, entry: os.DirEntry[str], path: str) -> str:
    """folder, file or nothing; links count where they lead to a file inside the tree."""
    try:
        entry.name.encode()
        if entry.is_symlink():
            return _linked(tree, path)
        if entry.is_dir(follow_symlinks=False):
            return "" if _skipped(entry.name) or path in KEPT_BY_TOOLS else "folder"
        return "file" if entry.is_file(follow_symlinks=False) else ""
    except (OSError, ValueError, RuntimeError) as error:  # RuntimeError: links that loop
        tree.problems[path.encode("utf-8", "replace").decode()] = f"left out: {type(error).__name__}"
        return ""


def _linked(tree: Tree, path: str) -> str:
    target = (tree.root / path).resolve()
    inside = target.is_relative_to(tree.root.resolve())
    return "file" if inside and stat.S_ISREG(target.stat().st_mode) else ""


def _skipped(name: str) -> bool:
    return name in SKIPPED or (name.startswith(".") and name not in HIDDEN) or name.endswith(".egg-info")
