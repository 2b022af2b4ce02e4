import functools
import os
import re
import subprocess
import tomllib
from pathlib import Path

import pytest

PACKAGE = re.compile(r"^[A-Za-z0-9_.-]+")
MACHINE_PATH = re.compile(r"(?<![\w.}/])/(?:home|root|Users|opt|mnt|work|tmp)/\w|file:/{2}/")
INDEX_HOST = re.compile(
    r"(?:index-url|find-links|registry)[ =:]+\"?https?://(?!download\.pytorch\.org/whl/cpu)"
)
SHOWN = {".ci", ".github"}  # of the folders whose name begins with a dot
SKIPPED_FOLDERS = {"build", "dist", "__pycache__", "htmlcov", "mlruns"}
TEXT = {".py", ".md", ".toml", ".txt", ".yml", ".yaml", ".json", ".csv", ".ini", ".cfg", "", ".jsonl"}


@pytest.fixture(scope="module")
def project(root):
    return tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]


@pytest.fixture(scope="module")
def targets(root):
    """The public targets of the Makefile: those that bare `make` prints."""
    return set(
        re.findall(r"^([a-z0-9-]+):.*## ", (root / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    )


def test_every_make_target_in_the_docs_exists(root, targets):
    for path in markdown(root):
        named = made(path.read_text(encoding="utf-8"))
        assert named <= targets, (
            f"{path.relative_to(root)} names {sorted(named - targets)}, not in the Makefile"
        )


def test_every_make_target_is_documented(root, targets):
    text = "".join((root / name).read_text(encoding="utf-8") for name in ("README.md", "CONTRIBUTING.md"))
    assert targets - made(text) == set()


def test_every_make_target_is_phony_and_explained(root, targets):
    text = (root / "Makefile").read_text(encoding="utf-8").replace("\\\n", "")
    phony = set(re.search(r"^\.PHONY: (.*)$", text, re.MULTILINE)[1].split())
    assert phony == targets


def test_no_variable_of_the_environment_narrows_the_tests_that_gate(root):
    for target, narrowed in (("coverage", False), ("unit", True)):
        command = ["make", "--always-make", "--dry-run", "--no-print-directory", target]
        told = subprocess.run(
            command,
            cwd=root,
            env={**os.environ, "TESTS": "-k nothing"},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        (line,) = [each for each in told.splitlines() if "-m pytest" in each]
        assert "-k nothing" not in line
        assert ("smoke or not" in line) == narrowed


def test_the_readme_needs_two_commands(root):
    assert {"level2-release", "test"} <= made((root / "README.md").read_text(encoding="utf-8"))


def test_every_dependency_has_a_reason_and_every_reason_a_dependency(root, project):
    text = (root / "docs" / "dependencies.md").read_text(encoding="utf-8")
    reasons = re.findall(r"^\| `([a-z0-9-]+)` \| \S", text, re.MULTILINE)
    assert sorted(reasons) == sorted(PACKAGE.match(each)[0] for each in requirements(project))


def test_every_dependency_has_a_lower_bound_and_an_exact_pin_within_it(root, project):
    lines = (root / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pins = dict(line.split(" ;")[0].split("==") for line in lines if "==" in line.split(" ;")[0])
    for each in requirements(project):
        name, bound = PACKAGE.match(each)[0], each.split(">=")[1]
        assert release(pins[name]) >= release(bound), f"constraints.txt: {name}=={pins[name]}, wanted {each}"


def test_no_cuda_package_is_pinned(root):
    text = (root / "constraints.txt").read_text(encoding="utf-8")
    # dvclive asks for nvidia-ml-py: bindings of a hundred kilobytes that read a card's load, no CUDA.
    assert re.findall(r"^(?:nvidia(?!-ml-py==)|cuda|triton).*", text, re.MULTILINE) == []
    assert "torch==2.13.0+cpu ; sys_platform == 'linux'" in text


def test_links_between_the_docs_lead_somewhere(root):
    for path in markdown(root):
        for link in re.findall(r"\]\((?!https?://|#)([^)#]+)", path.read_text(encoding="utf-8")):
            assert (path.parent / link).exists(), f"{path.relative_to(root)} links to {link}"


def test_no_file_names_a_path_of_a_machine_or_a_package_index(root):
    found = {
        str(path.relative_to(root)): hits
        for path in committed(root)
        if path.suffix in TEXT and (hits := machine_traces(path.read_text(encoding="utf-8")))
    }
    assert found == {}


@pytest.mark.parametrize(
    "trace", ["/" + "home/someone/x", "--index-" + "url https://pypi.example.org", "file:/" + "//x"]
)
def test_the_search_for_machine_paths_finds_them(trace):
    assert machine_traces(f"see {trace} for more")


def requirements(project):
    extras = [each for extra in project["optional-dependencies"].values() for each in extra]
    own = f"{project['name']}["  # one extra that brings others
    return [each for each in (*project["dependencies"], *extras) if not each.startswith(own)]


def release(version):
    """The numbers of a version, for comparison: 2.13.0+cpu is (2, 13, 0)."""
    return tuple(int(part) for part in re.match(r"[\d.]*\d", version)[0].split("."))


def made(text):
    """The make targets that a text calls: in code blocks and backticks alone, for "make" is also a word."""
    code = re.findall(r"```.*?```|`[^`]+`", text, re.DOTALL)
    return {target for each in code for target in re.findall(r"\bmake ([a-z0-9-]+)", each)}


def machine_traces(text):
    return [match[0] for pattern in (MACHINE_PATH, INDEX_HOST) for match in pattern.finditer(text)]


@functools.cache
def committed(root):
    """The files of the repository, without what commands build."""
    found = []
    for folder, names, files in os.walk(root):
        names[:] = [
            each for each in names if each in SHOWN or not (each.startswith(".") or each in SKIPPED_FOLDERS)
        ]
        found += [Path(folder, each) for each in files if not each.startswith(".coverage")]
    return sorted(path for path in found if path.is_file())


def markdown(root):
    return [path for path in committed(root) if path.suffix == ".md"]
