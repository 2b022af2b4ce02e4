"""A scratch GitHub with this repository's workflows, and a Makefile that notes what it is asked for."""

import json
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from host_runner import events
from host_runner.node import Node
from host_runner.records import Run
from host_runner.world import Environment, World

FOLDER = Path(__file__).parent
ROOT = FOLDER.parents[1]
DATABASES = {
    name: {f"LEVEL2_{name.upper()}_DATABASE_URL": f"postgresql://{name}"} for name in ("dev", "prod")
}


class Scratch(World):
    """The scratch GitHub; `main` and `released` are the heads of its branches."""

    def __init__(self, folder: Path, node: Node, furnish: Callable[[Path], None] = lambda _: None) -> None:
        super().__init__(folder, node, furnish)
        self.settings.environments = {
            "dev": Environment(secrets=DATABASES["dev"]),
            "prod": Environment(
                DATABASES["prod"], reviewers=True, approver="chief", comment="figures are fine"
            ),
            "github-pages": Environment(),
        }
        program(folder / "bin" / "gh", FOLDER / "gh.py", folder)
        self.scenario({})
        (folder / "calls.jsonl").touch()

    def scenario(self, by_target: dict[str, Any]) -> None:
        """Says what targets do from now on."""
        (self.folder / "scenario.json").write_text(json.dumps(by_target), encoding="utf-8")

    def calls(self, target: str | None = None) -> list[dict[str, Any]]:
        """Each call of make so far, with its environment."""
        lines = (self.folder / "calls.jsonl").read_text(encoding="utf-8").splitlines()
        return [call for line in lines if (call := json.loads(line))["target"] == target or target is None]

    def push(self, branch: str) -> list[Run]:
        """The runs of a push of the branch as it is."""
        return self.trigger(events.push(branch, self.git("rev-parse", branch)))

    def schedule(self, workflow: str, root: Path = ROOT) -> Run:
        """The run of a workflow when its hour has come."""
        declared = self.node.parse(
            workflow, (root / ".github/workflows" / workflow).read_text(encoding="utf-8")
        )
        (when,) = declared["on"]["schedule"]
        (run,) = self.trigger(events.scheduled(self.git("rev-parse", "main"), when["cron"]))
        return run

    def pull_request(self, *, fork: bool = False, files: dict[str, str] | None = None) -> Run:
        """The run of a pull request that changes these files."""
        base = self.git("rev-parse", "main")
        head = self.branch("change", base) and self.commit("Change", files or {"change.txt": "x"})
        self.branch("main", base)
        merge = self.git("commit-tree", f"{head}^{{tree}}", "-p", base, "-p", head, "-m", "Merge")
        (run,) = self.trigger(events.pull_request(7, ("main", base), ("change", head), merge, fork=fork))
        return run

    def store(self, environment: str) -> list[str]:
        """The lines of the newest store's ledger."""
        from host_runner.artifacts import unpacked

        newest = [each for each in self.state.artifacts.all if each.name == f"level2-store-{environment}"][-1]
        shutil.rmtree(self.folder / "look", ignore_errors=True)
        unpacked(newest.content, self.folder / "look")
        return (self.folder / "look" / "ledger.txt").read_text(encoding="utf-8").splitlines()


def program(path: Path, script: Path, *arguments: object) -> None:
    """Makes a program of a Python script with its first arguments."""
    path.parent.mkdir(parents=True, exist_ok=True)
    told = " ".join(f'"{each}"' for each in (sys.executable, "-I", "-S", script, *arguments))
    path.write_text(f'#!/bin/sh\nexec {told} "$@"\n', encoding="utf-8")
    path.chmod(0o755)


@contextmanager
def scratch(folder: Path, node: Node) -> Iterator[Scratch]:
    """A scratch GitHub with the workflows on main."""
    with Scratch(folder, node) as world:
        shutil.copytree(ROOT / ".github", world.origin / ".github")
        shutil.copytree(ROOT / "level2_cicd/deploy", world.origin / "level2_cicd/deploy")
        shim = f'"{sys.executable}" -I -S "{FOLDER / "shim.py"}" "{folder}"'
        world.commit("Begin", {"Makefile": f"%:\n\t@{shim} $@\n"})
        yield world
