"""What Python code says: imports, calls, definitions, tests, and the commands that it starts."""

import ast
import re
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import PurePosixPath
from typing import Any

from maturity.bodies import Function, helpers_of
from maturity.calls import role_of, told, told_by_dict
from maturity.facts import Fact, area
from maturity.shown import of_function, of_module, of_test
from maturity.syntax import (
    DEFINITIONS,
    Definition,
    dotted,
    empty,
    is_flat,
    living,
    parts,
    push,
    text_of,
    word_of,
)

STARTERS = re.compile(
    r"^(subprocess\.\w+|os\.(system|popen)|(session|ctx|c|context)\.run|session\.run_always)$"
)
TOOLS = re.compile(
    r"^(pytest|ruff|mypy|black|flake8|pylint|coverage|pip|pip-audit|cyclonedx-py|hatch|hatchling|build|twine|uv|dvc"
    r"|mlflow|make|tox|nox|zizmor|lint-imports|docker|kubectl|helm|terraform|bandit|safety|gitleaks)$"
)
TEMPLATE = re.compile(r"\{\{[\w\s.|'\"()-]*\}\}")
BLOCK = re.compile(r"\{%.*?%\}")
INSIDE = (ast.Import, ast.ImportFrom, ast.Call, ast.List, ast.Tuple, ast.Attribute, ast.Dict)
LEARNED = frozenset({"feature_importances_", "featureImportances", "best_params_"})


@dataclass
class Code:
    """A file of Python: what it imports, as written (dots first where relative), and what it says."""

    path: str
    imports: list[tuple[str, int]] = field(default_factory=list)
    facts: list[Fact] = field(default_factory=list)
    commands: list[tuple[str, int]] = field(default_factory=list)
    sessions: dict[str, list[tuple[str, int]]] = field(default_factory=dict)


def read_code(path: str, source: str, names: dict[str, str] | None = None) -> Code | None:
    """What the source says, None where it is no Python; names: what earlier cells imported, added to."""
    if "{{" in source or "{%" in source:
        source = TEMPLATE.sub("template", BLOCK.sub("", source))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(source)
        return _Reader(path, {} if names is None else names).read(tree)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


class _Reader:
    def __init__(self, path: str, names: dict[str, str]) -> None:
        self.code = Code(path)
        self.names = names
        self.stem = PurePosixPath(path).stem
        self.in_tests = area(path) == "test"
        self.helpers: frozenset[str] = frozenset()

    def read(self, tree: ast.Module) -> Code:
        body = list(living(tree.body))
        self.helpers = helpers_of(tree) if self.in_tests else frozenset()
        bare = ast.Module([each for each in body if not isinstance(each, Definition)], [])
        if not self.in_tests:
            for kind in of_module(bare):
                self._add(kind, self.stem, 1)
        stack: list[tuple[ast.AST, str]] = [(each, "") for each in reversed(body)]
        looks = self.looks
        while stack:
            node, owner = stack.pop()
            if look := looks.get(node.__class__):
                look(node, owner)
            if isinstance(node, DEFINITIONS):
                owner = f"{owner}.{node.name}" if owner else node.name
                if is_flat(node):
                    self._flat(node, owner)
                    continue
            push(node, owner, stack)
        return self.code

    def _flat(self, node: ast.AST, owner: str) -> None:
        """What is in a function that defines nothing, kind by kind."""
        kinds = parts(node)
        for kind in INSIDE:
            for each in kinds[kind]:
                self.looks[kind](each, owner)

    @cached_property
    def looks(self) -> dict[type[ast.AST], Callable[[Any, str], None]]:
        """What is looked at in each kind of node."""
        return {
            ast.Call: self._call,
            ast.Import: lambda node, owner: self._import(node),
            ast.ImportFrom: lambda node, owner: self._import(node),
            ast.FunctionDef: self._definition,
            ast.AsyncFunctionDef: self._definition,
            ast.ClassDef: self._definition,
            ast.List: lambda node, owner: self._command(node, owner, known=True),
            ast.Tuple: lambda node, owner: self._command(node, owner, known=True),
            ast.Attribute: self._attribute,
            ast.Dict: self._dict,
        }

    def _dict(self, node: ast.Dict, owner: str) -> None:
        for said in told_by_dict(node):
            self._add("keyword", said, node.lineno)

    def _attribute(self, node: ast.Attribute, owner: str) -> None:
        if node.attr in LEARNED:
            self._add("call", "." + node.attr, node.lineno)

    def _add(self, kind: str, name: str, line: int) -> None:
        self.code.facts.append(Fact(kind, name, self.code.path, line))

    def _import(self, node: ast.AST) -> None:
        if isinstance(node, ast.Import):
            for alias in node.names:
                self._imported(alias.name, node.lineno)
                self.names[alias.asname or alias.name.partition(".")[0]] = (
                    alias.name if alias.asname else alias.name.partition(".")[0]
                )
        elif isinstance(node, ast.ImportFrom):
            module = "." * node.level + (node.module or "")
            self._imported(module, node.lineno)
            for alias in node.names:
                full = (
                    f"{module.rstrip('.') or module}.{alias.name}"
                    if module.strip(".")
                    else module + alias.name
                )
                self.names[alias.asname or alias.name] = full
                self._imported(full, node.lineno)

    def _imported(self, name: str, line: int) -> None:
        if (name, line) not in self.code.imports[-8:]:
            self.code.imports.append((name, line))
            self._add("import", name, line)

    def _definition(self, node: Definition, owner: str) -> None:
        name = f"{owner}.{node.name}" if owner else node.name
        for decorator in node.decorator_list:
            asked = decorator.func if isinstance(decorator, ast.Call) else decorator
            self._add("call", "@" + self._dotted(asked), decorator.lineno)
        if isinstance(node, ast.ClassDef):
            for base in node.bases:
                self._add("base", self._dotted(base), node.lineno)
            if not empty(node.body):
                self._add("def", name, node.lineno)
        else:
            self._function(node, name)

    def _function(self, node: Function, name: str) -> None:
        if self.in_tests and node.name.startswith("test"):
            for kind in of_test(node, self.helpers):
                self._add(kind, f"{self.stem}::{name}", node.lineno)
        elif not empty(node.body):
            self._add("def", name, node.lineno)
            for kind, said in of_function(node, name):
                self._add(kind, said, node.lineno)

    def _call(self, node: ast.Call, owner: str) -> None:
        name = self._dotted(node.func)
        self._add("call", name, node.lineno)
        if node.keywords or role_of(name):  # else its arguments tell nothing
            for kind, said in told(name, node, self._dotted):
                self._add(kind, said, node.lineno)
        if name.endswith("import_module") and node.args:
            self._loaded(node)
        if STARTERS.match(name) and node.args:
            self._started(node, name, owner)

    def _loaded(self, node: ast.Call) -> None:
        """A module that is imported by its name; `*` stands for what is filled in."""
        parts = node.args[0].values if isinstance(node.args[0], ast.JoinedStr) else [node.args[0]]
        name = "".join(text_of(each) if isinstance(each, ast.Constant) else "*" for each in parts)
        if name.strip("*."):
            self.code.imports.append((name, node.lineno))

    def _started(self, node: ast.Call, name: str, owner: str) -> None:
        first = node.args[0]
        if isinstance(first, (ast.List, ast.Tuple)):
            self._command(first, owner, known=False)
        elif (
            name.endswith((".run", "run_always")) and not name.startswith("subprocess") and len(node.args) > 1
        ):
            self._command(ast.List(list(node.args), lineno=node.lineno), owner, known=False)
        elif text := text_of(first):
            self._say(text, node.lineno, owner)

    def _command(self, node: ast.List | ast.Tuple, owner: str, *, known: bool) -> None:
        words = [word_of(each) for each in node.elts[:12]]
        if len(words) < 2 or words[0] == "_":
            return
        if known and not (TOOLS.match(words[0]) or words[:2] == ["python", "-m"]):
            return
        self._say(" ".join(words), node.lineno, owner)

    def _say(self, text: str, line: int, owner: str) -> None:
        if (text, line) not in self.code.commands:
            self.code.commands.append((text, line))
            self.code.sessions.setdefault(owner, []).append((text, line))

    def _dotted(self, node: ast.AST) -> str:
        return dotted(node, self.names)
