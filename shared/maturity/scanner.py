"""Reads a repository into facts. It parses and follows; it executes nothing."""

import gc
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from maturity.derived import derived_facts, packed_folders
from maturity.documents import Item, read_toml, read_yaml
from maturity.facts import Fact, Facts, area
from maturity.files import Tree, read_tree
from maturity.graph import Graph, build_graph, command_facts, job_facts, recipe_covers
from maturity.infrastructure import declared_facts
from maturity.jobs import Job
from maturity.links import Links
from maturity.modules import Modules
from maturity.needs import NEARLY_ALL, read_needs
from maturity.notebooks import read_notebook
from maturity.python_code import Code, read_code
from maturity.recipes import read_tasks
from maturity.scope import Scope, scope_of, whole
from maturity.workflows import read_jobs

CONFIGS = re.compile(
    r"(^|/)(pyproject|mise|environments?|tox|pixi)\.toml$|\.ya?ml$|(^|/)MLproject$|(^|/)renovate\.json5?$",
    re.IGNORECASE,
)
JOB = re.compile(r"^jobs\.([^.]+)")
SITES = re.compile(
    r"(^|/)(mkdocs|_config|_toc|_quarto|codecov|\.?readthedocs)[\w.-]*\.ya?ml$|(^|/)ISSUE_TEMPLATE/|^docs?/|(^|/)openapi\.",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Scan:
    """What a repository says: its facts within a scope, its files, and what could not be read."""

    tree: Tree
    facts: Facts
    scope: Scope

    @property
    def problems(self) -> dict[str, str]:
        """Path to why it was not looked at."""
        return dict(self.tree.problems)


def scan(root: Path, folder: str = "") -> Scan:
    """The facts of a repository, or of one folder of it with what it uses and the workflows that run it."""
    return scan_tree(read_tree(root), folder)


def scan_tree(tree: Tree, folder: str = "") -> Scan:
    """The facts of a tree whose files are listed already."""
    with _uncollected():
        codes = dict(_codes(tree))
        tasks, jobs = read_tasks(tree, codes), read_jobs(tree)
        links = Links(Modules(tree.paths), tasks, dict(_scripts(tree)))
        graph = build_graph(tree, codes, jobs, links)
        scope = scope_of(folder, graph, packed_folders(tree, graph)) if folder else whole()
        facts = Facts()
        facts.add(fact for fact in _all(tree, codes, jobs, graph) if scope.holds(fact))
    return Scan(tree, facts, scope)


@contextmanager
def _uncollected() -> Iterator[None]:
    """Without garbage collection: syntax trees are many, and none outlives its file."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


def _codes(tree: Tree) -> Iterator[tuple[str, Code]]:
    for path in tree.ending(".py", ".ipynb"):
        text = tree.text(path)
        if text is None:
            continue
        code = read_notebook(path, text) if path.endswith(".ipynb") else read_code(path, text)
        if code is None:
            tree.problems[path] = (
                "is no notebook" if path.endswith(".ipynb") else "is no Python of this version"
            )
        else:
            yield path, code


def _all(tree: Tree, codes: dict[str, Code], jobs: list[Job], graph: Graph) -> Iterator[Fact]:
    for path, code in codes.items():
        kind = "test" if area(path) == "test" else "run"
        events = frozenset(graph.starts.get((kind, path), ()))
        yield from (Fact(*fact[:4], events) for fact in code.facts) if events else iter(code.facts)
    yield from command_facts(graph)
    used = list(job_facts(graph, jobs))
    yield from used
    yield from _pinned(used)
    covers = {(fact.path, fact.name): fact.covers for fact in _job_covers(graph, jobs)}
    covers |= {(fact.path, ""): fact.covers for fact in recipe_covers(graph)}
    yield from _keys(tree, covers)
    yield from read_needs(tree)
    yield from derived_facts(tree, graph, codes)
    yield from declared_facts(tree)
    yield from (Fact("file", path, path, 1) for path in tree.paths)


def _pinned(used: list[Fact]) -> Iterator[Fact]:
    """One fact where nearly all actions are fixed by their commit, this repository's own left out."""
    foreign = [fact for fact in used if fact.kind == "uses" and re.match(r"[\w.-]+/[\w./-]+@", fact.name)]
    fixed = [fact for fact in foreign if re.search(r"@[0-9a-f]{40}$", fact.name)]
    if fixed and len(fixed) >= NEARLY_ALL * len(foreign):
        yield fixed[0]._replace(name=f"pinned: {fixed[0].name}")


def _job_covers(graph: Graph, jobs: list[Job]) -> Iterator[Fact]:
    for job, fact in zip(jobs, _events_of(graph, jobs), strict=True):
        yield fact._replace(name=job.name)


def _events_of(graph: Graph, jobs: list[Job]) -> Iterator[Fact]:
    for job in jobs:
        single = replace(job, uses=[("job", job.line, False)], events=frozenset())
        yield next(job_facts(graph, [single]))


def _keys(tree: Tree, covers: dict[tuple[str, str], frozenset[str] | None]) -> Iterator[Fact]:
    for path in tree.paths:
        if not CONFIGS.search(path) or SITES.search(path) or area(path) == "test":
            continue
        for document in _documents(path, tree.text(path) or ""):
            for key, text, line in document.flat():
                job = JOB.match(key)
                covered = covers.get((path, job[1] if job else ""))
                yield Fact("key", f"{path}:{key}={text[:120]}", path, line, covers=covered)


def _documents(path: str, text: str) -> list[Item]:
    if path.endswith(".toml"):
        item = read_toml(text)
        return [item] if item else []
    return read_yaml(text)


def _scripts(tree: Tree) -> Iterator[tuple[str, str]]:
    """The console scripts that the project declares: name and module."""
    for path in tree.named("pyproject.toml"):
        item = read_toml(tree.text(path) or "")
        for keys in (("project", "scripts"), ("tool", "poetry", "scripts")):
            table = item.get(*keys) if item else None
            yield from (
                (name, each.text.partition(":")[0]) for name, each in (table.items() if table else ())
            )
