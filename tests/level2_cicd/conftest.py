"""Prepares stores of environments: one bundle is trained for all tests, others are made from it by name.

    def test_something(releases):
        made = releases("prod", promoted=1)      # a fresh store of its own for every call
        made.environment                          # Environment: store, data, ... (tiny data, no tracking)
        made.versions                             # ("…0a", "…0b", "…0c", "…0d"), all in store/bundle
        made.options                              # ["--env", "prod", "--root", ..., "--environments", ...]

The first version was trained; the others have its graphs and say that they were trained after it. b and c
were judged against a, d against b; b carries its segment R01-large-slow over from a. promoted: how many of a,
b, d are promoted, the last of them serves. issued: whether forecasts.parquet is there, with its row in the
ledger.
"""

import contextlib
import io
import itertools
import json
import os
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from demand.bundle import MANIFEST, encode_manifest, read_manifest
from level1_pipeline import store
from level1_pipeline.__main__ import main as level1
from level2_cicd.environments import Environment, environment

if TYPE_CHECKING:
    from level2_cicd.package import Package

SMALL = [
    "--set=training.stride=8",
    "--set=lasso.alphas=3",
    "--set=lasso.passes=1",
    "--set=network.epochs=1",
    "--set=network.min_steps=60",
    "--set=network.batch=256",
    "--set=network.tune_epochs=0",
    "--set=pipeline.workers=1",
    "--set=gate.level=0.5",
]
ENVIRONMENTS = "".join(
    f'[{name}]\nsize = "tiny"\ntracking = {tracking}\nregistry = {tracking}\nmodel = "mlops-ladder-{name}"\n'
    f"serving.token_required = {token}\n"
    for name, tracking, token in (
        ("local", "false", "false"),
        ("dev", "false", "false"),
        ("prod", "false", "true"),
        ("tracked", "true", "false"),
    )
)
CARRIED = "R01-large-slow"
REASON = "gate: 4.1 % worse than the champion"


@dataclass(frozen=True)
class Outcome:
    code: int
    out: str
    err: str


@dataclass(frozen=True)
class Releases:
    """A prepared store: its environment, its versions (a, b, c, d), the options that lead a command there."""

    environment: Environment
    versions: tuple[str, ...]
    options: list[str]


def call(*arguments: object) -> Outcome:
    """What a command of level 2 came to: its exit code and what it printed."""
    from level2_cicd.__main__ import main

    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = main([str(each) for each in arguments])
    return Outcome(code, out.getvalue(), err.getvalue())


@pytest.fixture(scope="session")
def cli() -> Callable[..., Outcome]:
    return call


@pytest.fixture(scope="session")
def release_template(
    tmp_path_factory: pytest.TempPathFactory, tiny_raw_folder: Path
) -> tuple[Path, list[str]]:
    """A store with four bundles of which none was promoted, and their versions; never write into it."""
    folder = tmp_path_factory.mktemp("level2") / "template"
    with contextlib.redirect_stdout(io.StringIO()):
        order = ["train", "--data", str(tiny_raw_folder), "--env-dir", str(folder), "--await-promotion", "-q"]
        assert level1([*order, "--no-tracking", *SMALL]) == 0
    shutil.copytree(tiny_raw_folder, folder / "data" / "tiny")
    first = next((folder / "bundle").iterdir()).name
    versions = [first, *(f"{first[:-2]}0{letter}" for letter in "bcd")]
    for version, previous in zip(versions[1:], (first, first, versions[1]), strict=True):
        derive(folder, first, version, previous)
    return folder, versions


@pytest.fixture(scope="session")
def releases(
    tmp_path_factory: pytest.TempPathFactory, release_template: tuple[Path, list[str]]
) -> Callable[..., Releases]:
    """Makes a fresh store of an environment, with as many promotions as asked for."""
    template, versions = release_template
    numbers = itertools.count()

    def prepare(name: str = "prod", promoted: int = 0, issued: bool = False) -> Releases:
        root = tmp_path_factory.mktemp(f"environments{next(numbers)}-")
        file = root / "environments.toml"
        file.write_text(ENVIRONMENTS)
        found = environment(name, root, file)
        shutil.copytree(template, found.store)
        options = ["--env", name, "--root", str(root), "--environments", str(file)]
        made = Releases(found, tuple(versions), options)
        promote_some(made, promoted, issued)
        return made

    return prepare


def promote_some(made: Releases, count: int, issued: bool) -> None:
    """Promotes a, then b, then d, as many as asked for."""
    from level2_cicd.issuing import issue
    from level2_cicd.promotion import promote

    a, b, _, d = made.versions
    for version in (a, b, d)[:count]:
        promote(made.environment, version, approver="Ada", reason=f"release of {version}")
    if issued:
        issue(made.environment, actor="Ada", reason="first forecasts")


def derive(folder: Path, source: str, version: str, previous: str) -> None:
    """Adds a bundle with the graphs of another, under its own name, and the record of its run."""
    target = store.bundle_folder(folder, version)
    shutil.copytree(store.bundle_folder(folder, source), target)
    manifest = read_manifest(target)
    carries = previous == source and version.endswith("b")
    entries = {
        segment: entry
        if carries and segment.name == CARRIED
        else replace(entry, version=version, data_hash=entry.data_hash)
        for segment, entry in manifest.entries.items()
    }
    entries = {
        segment: replace(entry, reason=REASON) if entry.version != version else entry
        for segment, entry in entries.items()
    }
    meta = replace(manifest.meta, model_version=version, previous=previous)
    (target / MANIFEST).write_bytes(encode_manifest(replace(manifest, meta=meta, entries=entries)))
    record = next(
        each
        for each in (json.loads(path.read_bytes()) for path in sorted((folder / "runs").glob("*.json")))
        if each["model_version"] == source
    )
    run_id = f"{record['run_id']}-{version[-1]}"
    copied = {**record, "run_id": run_id, "model_version": version, "previous_model": previous}
    store.write_json(copied, folder / "runs" / f"{run_id}.json")


@pytest.fixture(scope="session")
def checkouts(root: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Two clones of what is here, of one commit, in different places, under different modes and times."""
    return [checkout(root, tmp_path_factory.mktemp(f"checkout{mode:o}"), mode) for mode in (0o644, 0o600)]


def checkout(root: Path, folder: Path, mode: int) -> Path:
    """A repository with the product's files in one commit that is the same wherever it is made."""
    names = ["pyproject.toml", "constraints.txt", "README.md", "LICENSE", ".gitignore"]
    code = ["shared/demand", "shared/maturity", "level1_pipeline", "level2_cicd"]
    for name in names:
        shutil.copy(root / name, folder / name)
    for name in code:
        shutil.copytree(root / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for path in folder.rglob("*.py"):
        path.chmod(mode)
        os.utime(path, (1_000_000 * mode, 1_000_000 * mode))
    date = {"GIT_AUTHOR_DATE": "2026-06-15T06:00:00Z", "GIT_COMMITTER_DATE": "2026-06-15T06:00:00Z"}
    who = ["-c", "user.name=Test", "-c", "user.email=test@example.org", "-c", "commit.gpgsign=false"]
    for command in (["init", "--quiet"], ["add", "--all"], ["commit", "--quiet", "--message", "All of it"]):
        subprocess.run(["git", *who, *command], cwd=folder, env={**os.environ, **date}, check=True)
    return folder


@pytest.fixture(scope="session")
def built(checkouts: list[Path], tmp_path_factory: pytest.TempPathFactory) -> "Package":
    """A package of this code; never write into it."""
    from level2_cicd.package import build

    return build(checkouts[0], tmp_path_factory.mktemp("built") / "level2")
