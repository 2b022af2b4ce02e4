"""Assess malformed repositories: broken YAML, huge notebooks, loops of links, odd encodings, deep nesting.

    python tests/drills/malformed.py --trials 1000

Each trial writes a small repository with some faults of a seeded list and assesses it. Prints a line of JSON.
"""

import argparse
import json
import os
import random
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from datetime import date
from pathlib import Path

from maturity.assessment import Order, assess, next_steps
from maturity.reports import as_html, as_json, as_markdown, as_sarif, as_text

AS_OF = date(2026, 11, 20)
Fault = Callable[[Path, random.Random], None]
GOOD = {
    ".github/workflows/ci.yml": "on: push\njobs:\n  a:\n    steps:\n      - run: make test\n",
    "Makefile": "test: lint\n\tpytest\nlint:\n\truff check .\n",
    "train.py": "import mlflow\nfrom os import path\n\ndef train():\n    mlflow.start_run()\n",
    "tests/test_train.py": "def test_one():\n    assert 1 + 1 == 2\n",
    "pyproject.toml": "[project]\nname = 'x'\n[project.scripts]\nx = 'train:train'\n",
    "params.yaml": "seed: 1\n",
}


def put(root: Path, name: str, content: bytes) -> None:
    """Write a file below the root; what lies in its way stays."""
    path = root / name
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    except (OSError, ValueError):
        return


def noise(root: Path, rng: random.Random) -> None:
    """Random bytes in a file that is read."""
    put(
        root,
        rng.choice([*GOOD, "a.ipynb", "dvc.yaml", "tox.ini", "package.json"]),
        rng.randbytes(rng.randrange(4000)),
    )


def cut(root: Path, rng: random.Random) -> None:
    """A file that ends in the middle."""
    name = rng.choice(list(GOOD))
    text = GOOD[name].encode()
    put(root, name, text[: rng.randrange(len(text))])


def swapped(root: Path, rng: random.Random) -> None:
    """A file with some bytes changed."""
    name = rng.choice(list(GOOD))
    text = bytearray(GOOD[name].encode())
    for _ in range(5):
        text[rng.randrange(len(text))] = rng.randrange(256)
    put(root, name, bytes(text))


def foreign(root: Path, rng: random.Random) -> None:
    """A file in another encoding."""
    name = rng.choice(list(GOOD))
    encoding = rng.choice(["utf-16", "utf-32", "utf-7", "cp1252", "shift_jis", "cp037"])
    put(root, name, GOOD[name].replace("a", "ä").encode(encoding, "replace"))


def huge_notebook(root: Path, rng: random.Random) -> None:
    """A notebook of more than 10 MB, sometimes cut off."""
    cell = {"cell_type": "code", "source": ["x = 1\n"] * 50, "outputs": [{"data": "A" * 200_000}]}
    text = json.dumps({"cells": [cell] * 55}).encode()
    put(root, "huge.ipynb", text if rng.random() < 0.5 else text[:-1000])


def odd_notebook(root: Path, rng: random.Random) -> None:
    """A notebook of another shape than expected."""
    shapes = [
        [],
        {},
        {"cells": 5},
        {"cells": [5, None, {"cell_type": "code"}]},
        {"cells": [{"cell_type": "code", "source": {"a": 1}}]},
    ]
    put(root, "odd.ipynb", json.dumps(rng.choice(shapes)).encode())


def links(root: Path, rng: random.Random) -> None:
    """Links that loop, lead away, or lead nowhere."""
    for name, target in (
        ("loop", "."),
        ("one", "two"),
        ("two", "one"),
        ("away", "/"),
        ("gone.py", "nowhere.py"),
        ("dev.yml", "/dev/zero"),
    ):
        if rng.random() < 0.7 and not (root / name).is_symlink():
            (root / name).symlink_to(target)


def nested(root: Path, rng: random.Random) -> None:
    """Nesting deeper than any reader wants."""
    depth = rng.choice([100, 2_000, 50_000])
    put(root, rng.choice(["a.json", "package.json", "dvc.yaml", ".github/workflows/n.yml"]), b"[" * depth)
    put(root, "deep.py", b"x = " + b"(" * depth + b")" * depth)
    put(root, "deep.yaml", b"".join(b" " * level + b"a:\n" for level in range(min(depth, 900))))
    put(root, "deep.toml", b"a = " + b"[" * depth)
    put(root, "dashes.yaml", b"- " * depth + b"x\n")
    put(root, "sum.py", b"x = " + b"-" * depth + b"1\ny = 1" + b" + 1" * depth + b"\nz = a" + b".a" * depth)
    put(root, "calls.py", b"x = f" + b"()" * depth + b"\n")
    put(root, "deep.sh", b"(" * depth + b"pytest" + b")" * depth)


def bomb(root: Path, _: random.Random) -> None:
    """YAML whose aliases would grow without end, and one that contains itself."""
    lines = ["a0: &a0 [x, x]"] + [f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}, *a{n - 1}]" for n in range(1, 30)]
    put(root, "bomb.yaml", "\n".join(lines).encode())
    put(root, "self.yaml", b"a: &a\n  b: *a\n")


def cycles(root: Path, _: random.Random) -> None:
    """Tasks, workflows and modules that call each other in circles."""
    put(
        root,
        "Makefile",
        b"a: b\n\tmake b\nb: a\n\tmake a && make -C sub a\ntest: test\n\t$(X) $(Y)\nX = $(Y)\nY = $(X)\n",
    )
    put(
        root,
        ".github/workflows/a.yml",
        b"on: [push, workflow_call]\njobs:\n  a:\n    uses: ./.github/workflows/a.yml\n",
    )
    put(root, "one.py", b"import two\n")
    put(root, "two.py", b"from one import *\nfrom . import two, nothing\nfrom .... import far\n")
    put(root, "package.json", b'{"scripts": {"a": "npm run b", "b": "npm run a"}}')


def odd_names(root: Path, rng: random.Random) -> None:
    """Names that are not UTF-8, very long, or full of signs."""
    for name in (
        b"\xff\xfe.py",
        b"new\nline.py",
        b"<b>.md",
        "ü€😀.py".encode(),
        b"a" * 200 + b".py",
        b"-rf.sh",
        b"{{x}}.yaml",
    ):
        if rng.random() < 0.6:
            Path(os.fsdecode(os.fsencode(root) + b"/" + name)).write_bytes(
                b"import mlflow\nmlflow.start_run()\n"
            )


def folders(root: Path, rng: random.Random) -> None:
    """Folders where files are expected, a pipe, and a file nobody may read."""
    for name in ("setup.py", "conftest.py", "noxfile.py"):
        if rng.random() < 0.7:
            (root / name).mkdir(exist_ok=True)
    os.mkfifo(root / "pipe.py")
    put(root, "closed.py", b"x = 1\n")
    (root / "closed.py").chmod(0)


def wrong_types(root: Path, rng: random.Random) -> None:
    """Valid files whose values are of another kind than the tools write."""
    value = rng.choice(
        ["5", "[1, [2]]", "null", "{a: {b: [c]}}", "true", "''", "2026-01-01", "!!python/object:os.system x"]
    )
    put(root, ".github/workflows/t.yml", f"on: {value}\njobs: {value}\n".encode())
    put(
        root,
        ".github/workflows/u.yml",
        f"on: push\njobs:\n  a:\n    steps: {value}\n    if: {value}\n    uses: {value}\n".encode(),
    )
    put(root, ".pre-commit-config.yaml", f"repos: {value}\n".encode())
    put(root, "dvc.yaml", f"stages:\n  train: {value}\n".encode())
    put(root, ".gitlab-ci.yml", f"a:\n  script: {value}\n  rules: {value}\n".encode())
    put(root, "package.json", b'{"scripts": [1, {"a": null}]}')
    put(root, "mise.toml", b"tasks = 5\n")
    put(root, "pyproject.toml", b"tool = 1\nproject = [1]\nbuild-system = 'x'\n")


FAULTS: tuple[Fault, ...] = (
    noise,
    cut,
    swapped,
    foreign,
    huge_notebook,
    odd_notebook,
    links,
    nested,
    bomb,
    cycles,
    odd_names,
    folders,
    wrong_types,
)


def run(trials: int, scratch: Path) -> list[str]:
    """The traces of what crashed over that many repositories; every fault alone first, then some together."""
    crashed = []
    for number in range(trials):
        rng = random.Random(number)
        picked = [FAULTS[number]] if number < len(FAULTS) else rng.sample(FAULTS, rng.randrange(1, 6))
        with tempfile.TemporaryDirectory(dir=scratch) as folder:
            try:
                assess_one(Path(folder), picked, rng)
            except BaseException:  # noqa: BLE001 - the drill counts whatever ends an assessment
                names = [fault.__name__ for fault in picked]
                crashed.append(f"{number} {names}\n{traceback.format_exc()}")
    return crashed


def assess_one(root: Path, faults: list[Fault], rng: random.Random) -> None:
    """Write one repository, assess it, and write every report of it."""
    for name, text in GOOD.items():
        put(root, name, text.encode())
    for fault in faults:
        fault(root, rng)
    found = assess(Order(root, AS_OF))
    steps = next_steps(found)
    for text in (
        as_json.render(found, steps),
        as_markdown.render(found, steps),
        as_sarif.render(found),
        as_html.render(found, steps, []),
        as_text.render(found, steps),
    ):
        text.encode("utf-8")


def main() -> int:
    """0 where nothing crashed, 1 otherwise."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--trials", type=int, default=1000)
    trials = parser.parse_args().trials
    started = time.perf_counter()
    with tempfile.TemporaryDirectory() as scratch:
        crashed = run(trials, Path(scratch))
    for each in crashed[:5]:
        print(each, file=sys.stderr)
    seconds = round(time.perf_counter() - started, 1)
    print(json.dumps({"repositories": trials, "crashed": len(crashed), "seconds": seconds}))
    return 1 if crashed else 0


if __name__ == "__main__":
    sys.exit(main())
