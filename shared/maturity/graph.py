"""What runs what: from the jobs of workflows over tasks and scripts to modules, and what starts each."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from maturity.documents import read_yaml
from maturity.facts import Fact
from maturity.files import Tree
from maturity.jobs import Job
from maturity.links import IDLE, Link, Links
from maturity.python_code import Code
from maturity.shell import Command, read_shell
from maturity.workflows import BY_HAND

MOST_CHARACTERS = 400
Node = tuple[str, str]  # job, task or file (in a run or in a test), and which
Starts = dict[Node, frozenset[str]]


@dataclass
class Graph:
    """Nodes with their commands and the edges between them; `starts` says which events reach a node."""

    links: Links
    commands: dict[Node, list[tuple[Command, str]]] = field(default_factory=lambda: defaultdict(list))
    edges: dict[Node, set[Node]] = field(default_factory=lambda: defaultdict(set))
    starts: dict[Node, set[str]] = field(default_factory=lambda: defaultdict(set))

    def add(self, node: Node, commands: Iterable[Command], path: str) -> None:
        """A node's commands, and edges to where those lead whose failure matters."""
        for command in commands:
            self.commands[node].append((command, path))
            if not command.soft:
                self.edges[node].update(_node(link) for link in self.links.of(command, path))

    def spread(self) -> None:
        """Carry the events along the edges until nothing changes."""
        waiting = list(self.starts)
        while waiting:
            node = waiting.pop()
            events = self.starts[node]
            for target in self.edges.get(node, ()):
                if not events <= self.starts[target]:
                    self.starts[target] |= events
                    waiting.append(target)


def _node(link: Link) -> Node:
    return link


def build_graph(tree: Tree, codes: dict[str, Code], jobs: list[Job], links: Links) -> Graph:
    """The graph of a tree, events spread."""
    graph = Graph(links)
    _add_tasks(graph)
    _add_files(graph, tree, codes)
    _add_jobs(graph, jobs)
    _add_specs(graph, tree, {job.path for job in jobs})
    graph.spread()
    return graph


def _add_tasks(graph: Graph) -> None:
    for number, task in enumerate(graph.links.tasks):
        node = ("task", str(number))
        graph.add(node, task.commands, task.path)
        graph.edges[node].update(graph.links.needs(task))


def _add_files(graph: Graph, tree: Tree, codes: dict[str, Code]) -> None:
    for path, code in codes.items():
        imported = set(_imported(graph, path, code))
        for kind in ("run", "test"):
            graph.edges[kind, path].update((kind, other) for other in imported - {path})
        if path.rpartition("/")[2] not in {"noxfile.py", "tasks.py"}:
            graph.add(
                ("run", path), (c for text, line in code.commands for c in read_shell(text, line)), path
            )
    for path in tree.ending(".sh", ".bash"):
        graph.add(("run", path), read_shell(tree.text(path) or ""), path)


def _imported(graph: Graph, path: str, code: Code) -> Iterator[str]:
    modules = graph.links.modules
    for name, _ in code.imports:
        if "*" in name and name.strip("*."):
            yield from modules.like(name)
        elif found := modules.of_import(name, path):
            yield found


SPECS = frozenset(["entrypoint", "command", "cmd", "script", "run", "args"])


def _add_specs(graph: Graph, tree: Tree, jobs: set[str]) -> None:
    """Job files that a command hands over (to Ray, Kubernetes, Azure ML) run what they name."""
    named = {
        what for edges in graph.edges.values() for kind, what in edges if what.endswith((".yml", ".yaml"))
    }
    for path in sorted(named - jobs):
        texts = [
            (text, line)
            for each in read_yaml(tree.text(path) or "")
            for key, text, line in each.flat()
            if key.rpartition(".")[2].removesuffix("[]") in SPECS
        ]
        graph.add(("run", path), (c for text, line in texts for c in read_shell(text, line)), path)


def _add_jobs(graph: Graph, jobs: list[Job]) -> None:
    by_path: dict[str, list[Node]] = defaultdict(list)
    for number, job in enumerate(jobs):
        node = ("job", str(number))
        by_path[job.path].append(node)
        graph.add(node, job.commands, job.path)
        graph.starts[node] |= {f"{event}@{job.path}" for event in job.events - BY_HAND}
    for number, job in enumerate(jobs):
        graph.edges["job", str(number)].update(node for path in job.calls for node in by_path.get(path, ()))


def command_facts(graph: Graph) -> Iterator[Fact]:
    """Every command, with what starts it and what it covers."""
    for node, commands in graph.commands.items():
        events = frozenset(graph.starts.get(node, ()))
        for command, path in commands:
            if command.words[0] in IDLE or graph.links.missing(command, path):
                continue
            yield Fact(
                "command",
                command.text[:MOST_CHARACTERS],
                path,
                command.line,
                events,
                command.soft,
                covered(graph, command, path),
            )


def job_facts(graph: Graph, jobs: list[Job]) -> Iterator[Fact]:
    """What each job uses and what starts it."""
    for number, job in enumerate(jobs):
        node = ("job", str(number))
        events = frozenset(graph.starts.get(node, ()))
        covers = union(graph, graph.commands.get(node, []), frozenset())
        for text, line, soft in job.uses:
            yield Fact("uses", text, job.path, line, events, soft, covers)
        for event in sorted(job.events):
            yield Fact("event", event, job.path, job.line, events, False, covers)


def recipe_covers(graph: Graph) -> Iterator[Fact]:
    """One fact per file of tasks that is a pipeline by itself (dvc.yaml, MLproject), with what it covers."""
    for number, task in enumerate(graph.links.tasks):
        if task.tool in {"dvc", "mlflow"}:
            commands = graph.commands.get(("task", str(number)), [])
            yield Fact("file", task.path, task.path, task.line, covers=union(graph, commands, frozenset()))


def covered(
    graph: Graph, command: Command, path: str, seen: frozenset[Node] = frozenset()
) -> frozenset[str] | None:
    """The paths that a command works on; None where it is the whole repository."""
    links = graph.links.of(command, path)
    runs = frozenset(what for kind, what in links if kind == "run")
    if runs:
        return runs
    inner = [link for link in links if link[0] == "task" and link not in seen]
    if inner:
        below = [pair for link in inner for pair in graph.commands.get(link, [])]
        return union(graph, below, seen | set(inner))
    known = graph.links.modules
    named = {word.strip("/").removeprefix("./") for word in command.words[1:] if not word.startswith("-")}
    return frozenset(word for word in named if word in known.folders and word != ".") or None


NEUTRAL = re.compile(
    r"^(pip|uv (sync|pip|venv|lock)|npm (ci|i|install)|apt|conda|poetry install|python -m (pip|venv)|touch)\b"
)


def union(graph: Graph, commands: list[tuple[Command, str]], seen: frozenset[Node]) -> frozenset[str] | None:
    """The paths that commands cover together; None where one of them covers the whole repository."""
    found: set[str] = set()
    for command, path in commands:
        if command.words[0] in IDLE or NEUTRAL.match(command.text) or len(seen) > 60:
            continue
        inner = covered(graph, command, path, seen)
        if inner is None:
            return None
        found |= inner
    return frozenset(found) or None
