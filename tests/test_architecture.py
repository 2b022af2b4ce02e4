import ast
import os
import shutil
import subprocess
import sys
import textwrap

import pytest
from importlinter.cli import EXIT_STATUS_ERROR, EXIT_STATUS_SUCCESS, lint_imports

PLATFORM = {"mlflow", "fastapi", "argparse", "typer", "rich", "logging", "level1_pipeline", "level2_cicd"}
IMPURE = {
    "print",
    "input",
    "os.environ",
    "os.getenv",
    "os.getcwd",
    "time.time",
    "datetime.now",
    "datetime.today",
    "datetime.utcnow",
    "date.today",
    "Timestamp.now",
    "Timestamp.today",
    "Path.cwd",
    "Path.home",
}


def test_imports_follow_the_designed_order(root):
    assert lint_imports(config_filename=str(root / "pyproject.toml"), no_cache=True) == EXIT_STATUS_SUCCESS


@pytest.mark.parametrize(
    ("module", "line"),
    [
        ("errors.py", "import demand.metrics"),  # a lower layer imports a higher one
        ("config.py", "import demand.metrics"),  # siblings know nothing of each other
        ("metrics.py", "import mlflow"),
        ("metrics.py", "import level1_pipeline"),
        ("metrics.py", "import maturity"),
        ("unplaced.py", ""),  # a new module has no place in the order yet
    ],
)
def test_a_wrong_import_breaks_a_contract(miniature, module, line):
    assert contracts_status(miniature) == EXIT_STATUS_SUCCESS
    (miniature / "demand" / module).write_text(line)
    assert contracts_status(miniature) == EXIT_STATUS_ERROR


@pytest.fixture
def miniature(root, tmp_path):
    """A folder with the project's contracts and the emptiest packages that keep them."""
    for module in (
        "demand/__init__",
        "demand/errors",
        "demand/metrics",
        "demand/config",
        "level1_pipeline/__init__",
        "level2_cicd/__init__",
        "maturity/__init__",
    ):
        path = tmp_path / f"{module}.py"
        path.parent.mkdir(exist_ok=True)
        path.touch()
    shutil.copy(root / "pyproject.toml", tmp_path)
    return tmp_path


def contracts_status(folder):
    """The exit status of the contracts over the packages in `folder`, in an interpreter of its own."""
    program = "import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports(no_cache=True))"
    environment = {**os.environ, "PYTHONPATH": str(folder)}
    command = [sys.executable, "-c", program]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, check=False).returncode


def test_demand_imports_no_platform(root):
    for path in sources(root):
        modules = {name.split(".")[0] for name in imported(ast.parse(path.read_text(encoding="utf-8")))}
        assert not modules & PLATFORM, f"{path.relative_to(root)} imports {modules & PLATFORM}"


def test_demand_reads_no_clock_and_no_environment_and_does_not_print(root):
    for path in sources(root):
        found = impure_names(ast.parse(path.read_text(encoding="utf-8")))
        assert not found, f"{path.relative_to(root)} uses {found}: make it a parameter"


def test_the_search_for_impure_names_finds_them():
    code = """
    import os
    print(pd.Timestamp.now(), os.environ["HOME"], dt.datetime.now(), weeks.print, self.date.todays)
    """
    found = impure_names(ast.parse(textwrap.dedent(code)))
    assert found == {"print", "Timestamp.now", "os.environ", "datetime.now"}


def sources(root):
    paths = sorted((root / "shared" / "demand").rglob("*.py"))
    assert paths, "shared/demand holds no module"
    return paths


def imported(tree):
    """The absolute names of all modules that the code imports, inside functions too."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module


def impure_names(tree):
    """Which of IMPURE the code uses, by the last two words of each dotted name."""
    dotted = {ast.unparse(node) for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    plain = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    return IMPURE & (plain | {".".join(name.split(".")[-2:]) for name in dotted})
