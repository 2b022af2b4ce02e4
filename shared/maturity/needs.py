"""The dependencies that a repository declares, and the lock files that fix them."""

import re
from collections.abc import Iterator

from maturity.documents import Item, read_toml, read_yaml
from maturity.facts import Fact
from maturity.files import Tree

REQUIREMENT = re.compile(r"^\s*([A-Za-z0-9][\w.-]*(?:\[[^\]]*\])?\s*(?:[=<>!~]=?[^;#]*)?)")
PINNED = re.compile(r"^[\w.-]+(\[[^\]]*\])?\s*={1,3}\s*\d")
NEARLY_ALL = 0.8
LISTS = re.compile(r"(^|/)(requirements|constraints)[\w.-]*\.(txt|in)$", re.IGNORECASE)
BESIDE = re.compile(
    r"(^|/)(notebooks?|docs?|examples?|scripts|tests?|tools)/|(requirements|constraints)\w*[-_.]?(nb|notebooks?|docs?|dev|develop\w*"
    r"|tests?|testing|ci|cicd|lint|build)\w*\.(txt|in)$|(dev|test|docs?)[-_]requirements",
    re.IGNORECASE,
)
ENVIRONMENTS = re.compile(r"(^|/)[\w-]*(environment|conda)[\w-]*\.ya?ml$", re.IGNORECASE)


def read_needs(tree: Tree) -> Iterator[Fact]:
    """One fact per declared dependency, and one for each file that fixes nearly all of its own.

    Where there are lists for the product, those of notebooks, documents and tools do not speak for it.
    """
    lists = {path: found for path in tree.paths if (found := list(_needs(path, tree)))}
    yield from (fact for found in lists.values() for fact in found)
    main = [*tree.named("pyproject.toml", "setup.py")]
    main += [path for path in lists if LISTS.search(path) and not BESIDE.search(path)]
    for path, found in lists.items():
        if main and LISTS.search(path) and BESIDE.search(path):
            continue
        own = _own(path, tree) or found
        if sum(bool(PINNED.match(fact.name)) for fact in own) >= NEARLY_ALL * len(own):
            yield Fact("need", f"pinned: {path}", path, found[0].line)


def _own(path: str, tree: Tree) -> list[Fact]:
    """What the product itself needs by its project's table, without extras and groups."""
    if not path.endswith("pyproject.toml"):
        return []
    item = read_toml(tree.text(path) or "")
    needed = (item.get("project", "dependencies") if item else None) or Item(0, named={})
    return [Fact("need", text, path, line) for _, text, line in needed.flat()]


def _needs(path: str, tree: Tree) -> Iterator[Fact]:
    if LISTS.search(path):
        yield from _lines(path, tree.text(path) or "")
    elif path.endswith("pyproject.toml"):
        yield from _project(path, read_toml(tree.text(path) or ""))
    elif ENVIRONMENTS.search(path):
        for document in read_yaml(tree.text(path) or ""):
            yield from _conda(path, document)


def _lines(path: str, text: str) -> Iterator[Fact]:
    for number, line in enumerate(text.split("\n"), 1):
        if found := REQUIREMENT.match(line):
            yield Fact("need", found[1].strip(), path, number)


def _project(path: str, item: Item | None) -> Iterator[Fact]:
    if item is None:
        return
    for keys in (("project", "dependencies"), ("project", "optional-dependencies"), ("dependency-groups",)):
        for _, text, line in (item.get(*keys) or Item(0, named={})).flat():
            yield Fact("need", text, path, line)
    for key, text, line in (item.get("tool", "poetry") or Item(0, named={})).flat():
        if found := re.match(r"(?:group\.[\w-]+\.)?(?:dev-)?dependencies\.([\w-]+)", key):
            yield Fact("need", f"{found[1]} {text}", path, line)


def _conda(path: str, document: Item) -> Iterator[Fact]:
    for _, text, line in (document.get("dependencies") or Item(0, named={})).flat():
        yield Fact("need", text, path, line)
