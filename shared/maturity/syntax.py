"""What is looked at in a syntax tree, node by node."""

import ast
from collections.abc import Iterator

Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
MOST_PARTS = 24  # of a name; what is longer is no name of interest
LEAVES = (
    ast.Constant,
    ast.Name,
    ast.expr_context,
    ast.operator,
    ast.cmpop,
    ast.boolop,
    ast.unaryop,
    ast.alias,
)


def push(node: ast.AST, owner: str, stack: list[tuple[ast.AST, str]]) -> None:
    """Put what lies below a node on the stack; a branch that is never taken is left out."""
    if isinstance(node, ast.If) and isinstance(node.test, ast.Constant):
        stack.extend((each, owner) for each in (node.body if node.test.value else node.orelse))
        return
    for name in node._fields:
        value = getattr(node, name, None)
        if value.__class__ is list:
            for each in value:
                if isinstance(each, ast.AST) and not isinstance(each, LEAVES):
                    stack.append((each, owner))
        elif isinstance(value, ast.AST) and not isinstance(value, LEAVES):
            stack.append((value, owner))


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
    return any(
        isinstance(each, ast.Call)
        or (isinstance(each, ast.Assert) and not isinstance(each.test, ast.Constant))
        for statement in node.body
        for each in ast.walk(statement)
    )


def plain(decorators: list[ast.expr]) -> Iterator[ast.expr]:
    """The decorators that hold without a condition."""
    return (
        each
        for each in decorators
        if "skipif" not in ast.unparse(each) and "parametrize" not in ast.unparse(each)
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
