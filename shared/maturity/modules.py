"""Which file of the tree an import, a command's path or a module's name means."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase
from functools import cached_property
from itertools import takewhile
from pathlib import PurePosixPath


class Modules:
    """The files of a tree by the names under which code and commands know them."""

    def __init__(self, paths: Iterable[str]) -> None:
        self.paths = frozenset(paths)
        self._found: dict[tuple[str, str], str | None] = {}

    @cached_property
    def _by_module(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = defaultdict(list)
        for path in sorted(self.paths):
            if path.endswith(".py"):
                for name in self._names(path):
                    found[name].append(path)
        return found

    @cached_property
    def _by_last(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = defaultdict(list)
        for path in sorted(self.paths):
            found[path.rpartition("/")[2]].append(path)
        return found

    def _names(self, path: str) -> Iterator[str]:
        """From the repository's root, and from the folder above the outermost package."""
        parts = list(PurePosixPath(path).with_suffix("").parts)
        parts = parts[:-1] if parts[-1] == "__init__" else parts
        if not parts:
            return
        yield ".".join(parts)
        outer = len(PurePosixPath(path).parts) - 1
        while outer > 0 and "/".join((*parts[:outer], "__init__.py")) in self.paths:
            outer -= 1
        if 0 < outer < len(parts):
            yield ".".join(parts[outer:])

    def of_import(self, name: str, importer: str) -> str | None:
        """The file of an import as written, None where it is foreign; its last part may be no module."""
        asked = (name, importer.rpartition("/")[0])
        if asked not in self._found:
            self._found[asked] = self._import(*asked, importer)
        return self._found[asked]

    def _import(self, name: str, folder: str, importer: str) -> str | None:
        if name.startswith("."):
            return self._relative(name, folder)
        return self._beside(name, folder) or self._anywhere(name, importer)

    def _relative(self, name: str, folder: str) -> str | None:
        bare = name.lstrip(".")
        parts = folder.split("/") if folder else []
        up = len(name) - len(bare) - 1
        base = "/".join(parts[: len(parts) - up] if up else parts)
        return self._beside(bare, base) if bare else self._first(f"{base}/__init__.py")

    def _beside(self, name: str, folder: str) -> str | None:
        parts = name.split(".")
        for known in (parts, parts[:-1]):
            if known:
                inner = "/".join(known)
                start = f"{folder}/{inner}" if folder else inner
                if found := self._first(f"{start}.py", f"{start}/__init__.py"):
                    return found
        return None

    def _anywhere(self, name: str, importer: str) -> str | None:
        for known in (name, name.rpartition(".")[0]):
            if known and (found := self._by_module.get(known)):
                return _nearest(found, importer)
        return None

    def _first(self, *paths: str) -> str | None:
        return next((path for path in (each.lstrip("/") for each in paths) if path in self.paths), None)

    def like(self, pattern: str) -> set[str]:
        """The files of the modules whose name fits a pattern with `*`."""
        return {
            path for name, paths in self._by_module.items() if fnmatchcase(name, pattern) for path in paths
        }

    def of_module(self, name: str, asker: str = "") -> str | None:
        """The file that `python -m NAME` runs."""
        own = name.partition(":")[0]
        return self._exactly(f"{own}.__main__", asker) or self._exactly(own, asker)

    def _exactly(self, name: str, asker: str) -> str | None:
        found = self._by_module.get(name)
        return _nearest(found, asker) if found else self._first(name.replace(".", "/") + ".py")

    def of_path(self, word: str, asker: str) -> str | None:
        """The file that a command means by a path, wherever it was started."""
        wanted = "/".join(part for part in word.split("/") if part not in {"", ".", "..", "_"})
        if wanted in self.paths:
            return wanted
        last = wanted.rpartition("/")[2]
        found = [path for path in self._by_last.get(last, []) if path.endswith("/" + wanted)]
        return _nearest(found, asker) if found else None

    @cached_property
    def folders(self) -> frozenset[str]:
        """Every folder that holds a file, at any depth."""
        return frozenset(str(parent) for path in self.paths for parent in PurePosixPath(path).parents)


def _nearest(paths: list[str], asker: str) -> str:
    return max(paths, key=lambda path: (_shared(path, asker), -len(path)))


def _shared(path: str, asker: str) -> int:
    """How many folders, from the root on, two files have in common."""
    pairs = zip(path.split("/"), asker.split("/"), strict=False)
    return len(list(takewhile(lambda pair: pair[0] == pair[1], pairs)))
