"""What is looked at in a syntax tree, node by node."""

import ast
from collections import defaultdict
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
MOST_PARTS = 24  # of a name; what is longer is no name of interest
PLAIN = frozenset(  # fields that hold no node, or none that says anything
    [
        *(
            "arg",
            "asname",
            "attr",
            "conversion",
            "ctx",
            "id",
            "is_async",
            "kind",
            "kwd_attrs",
            "level",
            "module",
        ),
        *("name", "op", "ops", "rest", "simple", "type_comment", "type_ignores"),
    ]
)
BLOCKS = ("body", "orelse", "handlers", "finalbody", "cases")  # the fields that hold statements
LEAVES = frozenset([ast.Constant, ast.Name, ast.alias, ast.MatchSingleton, ast.Global, ast.Nonlocal])


class _Below(dict[type, tuple[str, ...]]):
    """Kind of node to the fields with what lies below it."""

    def __missing__(self, kind: type) -> tuple[str, ...]:
        names = () if kind in LEAVES else getattr(kind, "_fields", ())
        self[kind] = tuple(name for name in names if name not in PLAIN)
        return self[kind]


BELOW = _Below()


@lru_cache(maxsize=64)  # a body is asked a dozen questions in a row
def parts(node: ast.AST) -> dict[type, list[Any]]:
    """A node and all below it, by kind."""
    kinds: dict[type, list[Any]] = defaultdict(list)
    found: list[Any] = [node]
    for each in found:
        kind = each.__class__
        kinds[kind].append(each)
        for name in BELOW[kind]:
            value = getattr(each, name)
            if value.__class__ is list:
                found += value
            elif value is not None:
                found.append(value)
    return kinds


def functions(tree: ast.Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Every function of a module, by way of its statements alone."""
    found: list[Any] = [*tree.body]
    for each in found:
        if isinstance(each, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield each
        for name in BLOCKS:
            found += getattr(each, name, ())


def is_flat(node: Definition) -> bool:
    """Whether it is a function that defines nothing else and has no branch that is never taken."""
    kinds = parts(node)
    if isinstance(node, ast.ClassDef) or sum(len(kinds[kind]) for kind in DEFINITIONS) > 1:
        return False
    return not any(isinstance(each.test, ast.Constant) for each in kinds[ast.If])


def push(node: ast.AST, owner: str, stack: list[tuple[ast.AST, str]]) -> None:
    """Put what lies below a node on the stack; a branch that is never taken is left out."""
    if isinstance(node, ast.If) and isinstance(node.test, ast.Constant):
        stack.extend((each, owner) for each in (node.body if node.test.value else node.orelse))
        return
    for name in BELOW[node.__class__]:
        value = getattr(node, name)
        for each in value if value.__class__ is list else (value,):
            if each is not None and each.__class__ not in LEAVES:
                stack.append((each, owner))


def living(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """The statements of a module that can ever run."""
    for node in body:
        if not (isinstance(node, ast.If) and isinstance(node.test, ast.Constant) and not node.test.value):
            yield node


def empty(body: list[ast.stmt]) -> bool:
    """Whether nothing happens in it: a docstring, pass, `...` or NotImplementedError."""
    return all(
        isinstance(each, ast.Pass)
        or (isinstance(each, ast.Expr) and isinstance(each.value, ast.Constant))
        or (isinstance(each, ast.Raise) and "NotImplemented" in ast.unparse(each))
        for each in body
    )


def can_fail(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Whether anything is checked or called in a test: `pass` and `assert True` are no tests."""
    kinds, start = parts(node), node.body[0].lineno
    asserts = (each.test for each in kinds[ast.Assert])
    return any(each.lineno >= start for each in kinds[ast.Call]) or any(
        not isinstance(test, ast.Constant) for test in asserts
    )


written = lru_cache(maxsize=64)(ast.unparse)  # decorators are asked more than once


def plain(decorators: list[ast.expr]) -> Iterator[ast.expr]:
    """The decorators that hold without a condition."""
    return (
        each for each in decorators if "skipif" not in written(each) and "parametrize" not in written(each)
    )


def word_of(node: ast.AST) -> str:
    """A word of a command: its text, python for sys.executable, _ for what is not known."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value if node.value.strip() else "_"
    if isinstance(node, ast.Attribute) and node.attr == "executable":
        return "python"
    return "_"


def text_of(node: ast.AST) -> str:
    """A text, _ for what is filled in; empty for anything else."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(text_of(each) or "_" for each in node.values)
    return ""


def dotted(node: ast.AST, names: dict[str, str]) -> str:
    """The full name of what is called or meant, by what imports call it; _ for what has none."""
    parts: list[str] = []
    while len(parts) < MOST_PARTS:
        if isinstance(node, ast.Attribute):
            parts.append(node.attr)
            node = node.value
        elif isinstance(node, ast.Call):
            parts.append("()")
            node = node.func
        elif isinstance(node, ast.Subscript):
            node = node.value
        else:
            break
    root = names.get(node.id, node.id) if isinstance(node, ast.Name) else "_"
    return ".".join([root, *reversed(parts)]).replace(".()", "()")
