"""What belongs to one folder of a repository: its files, what they import, their tests and workflows."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from maturity.derived import BUILDS
from maturity.facts import Fact, area
from maturity.graph import Graph


@dataclass(frozen=True)
class Scope:
    """A folder and the files that count for it; the empty folder is the whole repository."""

    folder: str = ""
    files: frozenset[str] = frozenset()
    above: frozenset[str] = field(default=frozenset())
    packed: frozenset[str] | None = None

    def holds(self, fact: Fact) -> bool:
        """Whether a fact says something about the folder."""
        if not self.folder:
            return True
        if fact.kind == "package" or (fact.kind == "command" and BUILDS.search(fact.name)):
            held = fact.covers if fact.kind == "package" else self.packed
            return held is None or any(self._own(each) for each in held)
        if fact.kind in {"uses", "event"} or fact.path.startswith(".") or "/" not in fact.path:
            return self._covered(fact.covers)
        if fact.kind == "command" and fact.events and fact.covers is None:
            return True
        return fact.path in self.files and (fact.kind != "command" or self._covered(fact.covers))

    def _own(self, path: str) -> bool:
        return f"{path}/".startswith(f"{self.folder}/") or f"{self.folder}/".startswith(f"{path}/")

    def _covered(self, covers: frozenset[str] | None) -> bool:
        if covers is None:
            return True
        return any(each in self.files or each in self.above for each in covers)


def whole() -> Scope:
    """The scope of a whole repository."""
    return Scope()


def scope_of(folder: str, graph: Graph, packed: frozenset[str] | None) -> Scope:
    """The scope of a folder: its files, what they import with the data beside it, and the tests of both.

    packed: the folders that the repository's packages hold, None for all of it.
    """
    paths = graph.links.modules.paths
    own = {path for path in paths if path.startswith(folder + "/")}
    used = _closure({path for path in own if area(path) != "test"}, graph)
    name = folder.rpartition("/")[2]
    tests = {p for p in paths if area(p) == "test" and (name in p.split("/") or _targets(graph, p) & used)}
    beside = {path.rpartition("/")[0] for path in used} - {""}
    data = {
        p for p in paths if p.rpartition("/")[0] in beside and not p.endswith(".py") and area(p) != "test"
    }
    files = frozenset(own | used | tests | data)
    return Scope(folder, files, frozenset(parent for path in files for parent in _parents(path)), packed)


def _closure(start: Iterable[str], graph: Graph) -> set[str]:
    found, waiting = set(start), list(start)
    while waiting:
        for path in _targets(graph, waiting.pop()) - found:
            found.add(path)
            waiting.append(path)
    return found


def _targets(graph: Graph, path: str) -> set[str]:
    return {what for kind, what in graph.edges.get(("test", path), ()) if kind == "test"}


def _parents(path: str) -> Iterable[str]:
    parts = path.split("/")[:-1]
    return ("/".join(parts[:depth]) for depth in range(1, len(parts) + 1))
