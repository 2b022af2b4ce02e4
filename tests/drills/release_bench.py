"""What the drills of releases share: an environment on cut data, a package, and the command that releases."""

import hashlib
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from figures import ROOT, SMALL, TINY
from kill import cut, of_first_region

from demand.sources import read_raw
from level1_pipeline import store
from level2_cicd.audit import verify as verify_environment
from level2_cicd.environments import Environment, environment
from level2_cicd.ledger import Row, open_ledger
from level2_cicd.package import build

LONGEST = 900.0  # seconds for which an undisturbed release may take
PUBLISHED = (0, 7)  # exit codes of a release that published, 7 if a segment has no model
UNFINISHED = "*.part"
OF_THE_HOUR = "trained_at"  # a column of forecasts that tells of the run, not of its models


@dataclass(frozen=True)
class Bench:
    """Where a drill takes place: its folder, and the options and digest of the package that it releases."""

    folder: Path
    digest: str

    @property
    def package(self) -> Path:
        """The package's folder."""
        return self.folder / "package"

    def environment(self, root: Path) -> Environment:
        """The environment below a root."""
        return environment("prod", root, self.folder / "environments.toml")

    def release(self, root: Path) -> "Release":
        """Starts a release into the environment below a root."""
        paths = {
            "--root": root,
            "--environments": self.folder / "environments.toml",
            "--package": self.package,
            "--data": self.folder / "data",
            "--out": root.with_suffix(".out"),
        }
        options = [text for name, path in paths.items() for text in (name, str(path))]
        said = ["--digest", self.digest, "--approver", "drill", "--reason", "drill", "--quiet"]
        return Release(["release", "--env", "prod", *options, *said], root.with_suffix(".log"))


def prepared(folder: Path, data: str) -> Bench:
    """A bench whose package is built; data: `tiny`, cut to one region, or a folder."""
    if data == "tiny":
        raw = read_raw(TINY)
        cut(raw, of_first_region(raw.stores), folder / "data")
    else:
        shutil.copytree(data, folder / "data")
    settings = "".join(f"settings.{each.removeprefix('--set=').replace('=', ' = ')}\n" for each in SMALL)
    gates = "gate.max_mape = 200.0\ngate.min_segments_share = 0.0\ngate.min_gain = -100.0\n"
    head = '[prod]\nsize = "tiny"\ntracking = true\nregistry = true\nmodel = "drill"\n'
    (folder / "environments.toml").write_text(f"{head}{gates}{settings}settings.gate.level = 0.5\n")
    return Bench(folder, build(ROOT, folder / "package").digest)


class Release:
    """`python -m level2_cicd ARGUMENTS` in a process group of its own, its output in a file."""

    def __init__(self, arguments: Sequence[str], log: Path) -> None:
        self.log = log
        with log.open("ab") as file:
            command = [sys.executable, "-m", "level2_cicd", *arguments]
            self.process = subprocess.Popen(
                command, stdout=file, stderr=subprocess.STDOUT, start_new_session=True, cwd=ROOT
            )

    def wait(self, seconds: float = LONGEST) -> int | None:
        """The exit code; None if it still runs after so many seconds."""
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            return None

    def kill(self) -> bool:
        """Kills it and what it started; whether it still ran."""
        ran = self.process.poll() is None
        if ran:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        return ran

    def said(self) -> str:
        """The end of what it printed."""
        return self.log.read_text(errors="replace")[-2000:]


def faults(found: Environment, expected: str | None) -> list[str]:
    """What is not as one undisturbed release leaves it; expected: what `contents` gave for that one."""
    rows = open_ledger(found).rows()
    kinds = [row.kind for row in rows]
    wrong = [] if kinds == ["registered", "promoted", "scored"] else [f"the ledger has the rows {kinds}"]
    left = [path.relative_to(found.store).as_posix() for path in found.store.rglob(UNFINISHED)]
    wrong += [f"unfinished: {each}" for each in left]
    if not wrong:
        wrong += _readable(found, rows)
    if not wrong and expected is not None and contents(found) != expected:
        wrong.append("the forecasts are others")
    return wrong


def contents(found: Environment) -> str:
    """sha256 of the published forecasts without the hour of training."""
    table = pd.read_parquet(found.store / store.FORECASTS).drop(columns=OF_THE_HOUR)
    return hashlib.sha256(table.to_csv(index=False).encode()).hexdigest()


def _readable(found: Environment, rows: list[Row]) -> list[str]:
    """What readers of the store would stumble over."""
    wrong: list[str] = []
    if store.current_bundle(found.store).name != rows[1].version:
        wrong.append("the pointer names another version than the ledger")
    if store.sha256_of(found.store / store.FORECASTS) != rows[2].evidence["sha256"]:
        wrong.append("the forecasts are not those of the ledger")
    if rows[1].version not in (found.store / "release-notes.md").read_text():
        wrong.append("the release notes are of another version")
    verify_environment(found)
    return wrong


def waited(release: Release) -> tuple[int | None, float]:
    """The exit code of a release and its seconds."""
    begin = time.monotonic()
    return release.wait(), time.monotonic() - begin


def row_of(case: str, wrong: list[str], **more: Any) -> dict[str, Any]:
    """A line of a drill's table."""
    return {"case": case, "good": not wrong, **more, "wrong": "; ".join(wrong)}
