"""Named tasks of make, just, tox, nox, mise, pre-commit, npm and their like, and the commands behind each."""

from collections.abc import Callable

from maturity.files import Tree
from maturity.python_code import Code
from maturity.recipes_tables import (
    read_dvc,
    read_mlproject,
    read_npm,
    read_pre_commit,
    read_sessions,
    read_tables,
    read_taskfile,
    read_tox,
)
from maturity.recipes_text import read_just, read_make
from maturity.tasks import Task

Reader = Callable[[str, str], list[Task]]
READERS: dict[str, Reader] = {
    "makefile": read_make,
    "gnumakefile": read_make,
    "justfile": read_just,
    ".justfile": read_just,
    "package.json": read_npm,
    ".pre-commit-config.yaml": read_pre_commit,
    ".pre-commit-config.yml": read_pre_commit,
    "tox.ini": read_tox,
    "setup.cfg": read_tox,
    "dvc.yaml": read_dvc,
    "mlproject": read_mlproject,
    "taskfile.yml": read_taskfile,
    "taskfile.yaml": read_taskfile,
    "pyproject.toml": read_tables,
    "tox.toml": read_tables,
    "mise.toml": read_tables,
    ".mise.toml": read_tables,
    ".mise/config.toml": read_tables,
    "pixi.toml": read_tables,
    "poe_tasks.toml": read_tables,
}
ENDINGS: dict[str, Reader] = {".mk": read_make, ".just": read_just}


def read_tasks(tree: Tree, codes: dict[str, Code]) -> list[Task]:
    """Every task of the tree."""
    found: list[Task] = []
    for path in tree.paths:
        if reader := _reader(path):
            found.extend(reader(path, tree.text(path) or ""))
        if path in codes and path.rpartition("/")[2] in {"noxfile.py", "tasks.py"}:
            found.extend(read_sessions(path, codes[path]))
    return found


def _reader(path: str) -> Reader | None:
    name = path.rpartition("/")[2].lower()
    ending = next((reader for end, reader in ENDINGS.items() if name.endswith(end)), None)
    mise = read_tables if path.endswith("mise/config.toml") else None
    return READERS.get(name) or ending or mise
