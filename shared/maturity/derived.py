"""Facts that no single line says: chains of steps, code that two sides share, settings, packages."""

import re
from collections.abc import Iterable, Iterator
from pathlib import PurePosixPath

from maturity.documents import Item, read_toml
from maturity.facts import Fact, area
from maturity.files import Tree
from maturity.graph import Graph, Node, union
from maturity.purposes import TRAINS, purposes
from maturity.python_code import Code
from maturity.shell import Command

JUDGES = re.compile(
    r"(^|[\s/_.:-])(evaluat\w*|predict\w*|scor(e|ing)|register\w*|validat\w*|promot\w*)(?=[\s/_.:-]|$)",
    re.IGNORECASE,
)
SERVES = re.compile(
    r"(^|[/_])(serv(e|er|ing|ice)|scor(e|ing)|infer(ence)?|predict\w*|api|app|forecasts?|rest)([/_.]|$)",
    re.IGNORECASE,
)
PREPARES = re.compile(
    r"(^|[/_])(feature\w*|preprocess\w*|transform\w*|condition\w*|clean\w*|prepar\w*|encod\w*|process\w*|augment\w*|data|tokeni\w*|design)([/_.]|$)",
    re.IGNORECASE,
)
BUILDS = re.compile(
    r"^(python -m )?build\b|^(uv|poetry|hatch|hatchling|flit|pdm|rye) build\b|^pip wheel|^az acr build"
    r"|^docker (buildx )?build|^docker[- ]compose build|^(python )?setup\.py (sdist|bdist)"
    r"|^buildah (bud|build)|^gcloud builds submit"
)
SETTINGS = re.compile(
    r"(^|/)(train|training)([-_]\w+)?\.ya?ml$|(^|/)(conf|confs|config|configs|configuration|hyps|hparams)/.*\.(ya?ml|toml|json|gin|py)$"
    r"|(^|/)([\w-]+[-_])?config([-_][\w-]+)?\.ya?ml$|(^|/)(config|settings|recipe|defaults|h(yper_?)?params?(eters)?)\.(ya?ml|toml|json|gin|py)$",
    re.IGNORECASE,
)
SURE = (  # nothing but a model has these
    r"(?:lr|\w*learning_?rate|\w*epochs?|\w*batch_?size|\w*dropout\w*|hidden\w*|optimi[sz]er\w*|weight_decay|momentum"
    r"|max_?iter\w*|num_boost_round|n_?estimators|num_?trees|num_leaves|max_?depth|min_samples\w*|l1_ratio|reg_\w+"
    r"|\w*bidirectional|n_neighbors|n_clusters|\w*seed|random_state|(?:test|val|valid|train|validation)_?(?:size|ratio|split|pct|fraction)"
    r"|n_?(?:splits|folds)|hyper_?param\w*|num_classes|tokenizer|backbone|regressor\w*|estimator\w*|classifier\w*"
    r"|\w*embed\w*|im(?:a)?ge?_size|max_len(?:gth)?|loss\w*|horizon\w*|lags?\w*|target_col\w*"
    r"|(?:num(?:eric\w*)?|cat(?:egorical)?)_features?\w*)"
)
LIKELY = (  # which other things may have too: two of them tell
    r"(?!\w*(?:report|drift))(?:\w*layers?|\w*scheduler|alpha|gamma|eta|kernel|cv|\w*features?|\w*features?_\w+|target|target_\w+|window\w*"
    r"|model|models|arch\w*|\w*threshold"
    r"|model_(?!path|dir|uri|file|name|url|bucket|registry|version|endpoint|flavor)\w*)"
)
KEY = r"^[\s{-]*[\"']?(?:[\w-]+\.)*"
GIVEN = r"[\"']?\s*[:=](?!=)"
GIVEN_IN_CODE = (
    r"(?:[\"']\s*:|\s*(?::[^=\n]+)?=(?!=))\s*[\d\[({\"'-]"  # with a value: a type alone is no setting
)
SHAPES, MAY_SHAPE, SET_IN_CODE, MAY_BE_SET = (
    re.compile(KEY + words + after, re.IGNORECASE | re.MULTILINE)
    for after in (GIVEN, GIVEN_IN_CODE)
    for words in (SURE, LIKELY)
)


def derived_facts(tree: Tree, graph: Graph, codes: dict[str, Code]) -> Iterator[Fact]:
    """All of them."""
    yield from purposes(tree, graph, codes)
    yield from _chains(graph)
    yield from _shared(graph)
    yield from _packages(tree, graph)
    yield from _settings(tree)


def _settings(tree: Tree) -> Iterator[Fact]:
    """Files of settings that name what shapes a model."""
    for path in tree.paths:
        if SETTINGS.search(path) and area(path) == "product":
            text = tree.text(path) or ""
            if (at := _shaping(text, in_code=path.endswith(".py"))) is not None:
                yield Fact("setting", path, path, text.count("\n", 0, at) + 1)


def _shaping(text: str, *, in_code: bool) -> int | None:
    """Where a text first names what shapes a model, None where it does not, or one word alone may mean it."""
    sure, likely = (SET_IN_CODE, MAY_BE_SET) if in_code else (SHAPES, MAY_SHAPE)
    if found := sure.search(text):
        return found.start()
    said = {each[0].strip().lower(): each.start() for each in likely.finditer(text)}
    return min(said.values()) if len(said) > 1 else None


def _chains(graph: Graph) -> Iterator[Fact]:
    for node, commands in graph.commands.items():
        kind, what = node
        if kind != "task" and not what.endswith((".sh", ".bash")):
            continue
        trains = [pair for pair in commands if TRAINS.search(pair[0].text) and _runs(pair[0])]
        judges = [pair for pair in commands if JUDGES.search(pair[0].text) and _runs(pair[0])]
        if trains and any(pair not in trains for pair in judges):
            command, path = trains[0]
            covers = union(graph, commands, frozenset({node}))
            yield Fact(
                "chain",
                command.text,
                path,
                command.line,
                frozenset(graph.starts.get(node, ())),
                covers=covers,
            )


def _runs(command: Command) -> bool:
    return (
        command.words[0] in {"python", "bash", "sh", "dvc", "kedro", "ray", "make", "just"}
        or "/" in command.words[0]
    )


def _shared(graph: Graph) -> Iterator[Fact]:
    product = [p for p in sorted(graph.links.modules.paths) if p.endswith(".py") and area(p) == "product"]
    trains = _reached(graph, [path for path in product if TRAINS.search(path.removesuffix(".py"))])
    serves = _reached(graph, [path for path in product if SERVES.search(path) and not TRAINS.search(path)])
    for path in sorted(trains & serves):
        if PREPARES.search(path) and not SERVES.search(path) and not path.endswith("__init__.py"):
            yield Fact("shared", path, path, 1, frozenset(graph.starts.get(("run", path), ())))


def _reached(graph: Graph, start: Iterable[str]) -> set[str]:
    """The files that these import, at any depth."""
    waiting: list[Node] = [("test", path) for path in start]
    found: set[str] = set()
    while waiting:
        for kind, path in graph.edges.get(waiting.pop(), ()):
            if kind == "test" and path not in found:
                found.add(path)
                waiting.append((kind, path))
    return found


def _packages(tree: Tree, graph: Graph) -> Iterator[Fact]:
    events = frozenset(event for fact in _builders(graph) for event in fact)
    for path in tree.named("pyproject.toml"):
        item = read_toml(tree.text(path) or "")
        if item and (backend := item.get("build-system")):
            yield Fact("package", path, path, backend.line, events, covers=_packed(tree, path, item))
    for path in tree.named("setup.py"):
        yield Fact("package", path, path, 1, events, covers=_default(tree, path))
    for path in tree.paths:
        if re.search(r"(^|/)([\w.-]+\.)?(Dockerfile|Containerfile)([.-]\w+)?$", path):
            yield Fact("package", path, path, 1, _image_events(graph), covers=_copied(tree, path))


def packed_folders(tree: Tree, graph: Graph) -> frozenset[str] | None:
    """The folders that are in some package; None where one holds the whole repository."""
    held = [fact.covers for fact in _packages(tree, graph)]
    return None if None in held else frozenset(each for covers in held if covers for each in covers)


def _builders(graph: Graph) -> Iterator[Iterable[str]]:
    for node, commands in graph.commands.items():
        if any(BUILDS.search(command.text) and not command.soft for command, _ in commands):
            yield graph.starts.get(node, ())


def _image_events(graph: Graph) -> frozenset[str]:
    found: set[str] = set()
    for node, commands in graph.commands.items():
        if any(
            re.search(r"^(docker|buildah|podman|az acr|gcloud builds)\b.*\b(build|bud|up)\b", c.text)
            for c, _ in commands
        ):
            found |= graph.starts.get(node, set())
    return frozenset(found)


def _packed(tree: Tree, path: str, item: Item) -> frozenset[str] | None:
    """The folders that a pyproject.toml says it packs, else those with packages."""
    listed = item.get("tool", "hatch", "build", "targets", "wheel", "packages") or item.get(
        "tool", "setuptools", "packages"
    )
    if listed is not None and listed.listed is not None:
        folder = path.rpartition("/")[0]
        return frozenset(f"{folder}/{each.text}".lstrip("/") for each in listed.listed)
    return _default(tree, path)


def _default(tree: Tree, path: str) -> frozenset[str] | None:
    folder = path.rpartition("/")[0]
    inside = (p for p in tree.named("__init__.py") if p.startswith(folder) and area(p) == "product")
    return frozenset(str(PurePosixPath(each).parent) for each in inside) or None


def _copied(tree: Tree, path: str) -> frozenset[str] | None:
    text = tree.text(path) or ""
    named = {
        w.strip("./") for line in re.findall(r"^(?:COPY|ADD)\s+(.*)$", text, re.M) for w in line.split()[:-1]
    }
    folder = path.rpartition("/")[0]
    if "" in named:  # all of its context, which is the repository for a Dockerfile at its root
        return frozenset({folder}) if folder else None
    return frozenset(named) or None
