"""Runs the workflows with the real Makefile, on scratch clones of this checkout as it is now; takes minutes.

    .venv/bin/python tests/workflows/real.py pull-request fork main release retrain rollback

Events run in the order given, on one scratch GitHub: a release leaves the store that a retraining takes up.
Ends with 1 if any run fails. The environment is the checkout's own, with the clone's code in it.
"""

import argparse
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
ROOT = FOLDER.parents[1]
STAMPS = (".python", ".torch", ".product", ".dev")
PRODUCT = "mlops_ladder"

sys.path.insert(0, str(FOLDER))

from host_runner import events  # noqa: E402
from host_runner.node import Node, installed, missing  # noqa: E402
from host_runner.records import Run  # noqa: E402
from scratch import Scratch  # noqa: E402


def furnish(workspace: Path) -> None:
    """Gives a workspace an environment: the libraries of this one, and the workspace's own code."""
    if not (workspace / "pyproject.toml").is_file():
        return  # a checkout of the scripts alone
    venv = workspace / ".venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", venv], check=True)
    site = next(venv.glob("lib/python*/site-packages"))
    for each in Path(sysconfig.get_path("purelib")).iterdir():
        if not (each.suffix == ".pth" and PRODUCT in each.name):
            (site / each.name).symlink_to(each)
    (site / f"_{PRODUCT}.pth").write_text(f"{workspace}/shared\n{workspace}\n", encoding="utf-8")
    for script in Path(sys.executable).parent.iterdir():
        if not (venv / "bin" / script.name).exists():
            _program(script, venv / "bin" / script.name, venv)
    for name in STAMPS:
        (venv / name).touch()


def _program(script: Path, copy: Path, venv: Path) -> None:
    """A program of the environment, started by the Python of the workspace's."""
    content = script.read_bytes()
    if not content.startswith(b"#!"):
        copy.symlink_to(script)
        return
    _, _, rest = content.partition(b"\n")
    copy.write_bytes(f"#!{venv}/bin/python\n".encode() + rest)
    copy.chmod(0o755)


def copied(world: Scratch) -> None:
    """Commits what lies in this checkout, but what git ignores."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    for name in filter(None, listed.stdout.split("\0")):
        if (ROOT / name).is_file():
            (world.origin / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, world.origin / name)
    world.commit("Begin")


def released(world: Scratch) -> list[Run]:
    """The run of a push to a release branch."""
    world.branch("release/1.0", "main")
    runs = world.push("release/1.0")
    world.branch("main")
    return runs


def by_hand(world: Scratch, workflow: str, reason: str) -> list[Run]:
    """The run of a workflow that a person started."""
    return world.trigger(events.by_hand(workflow, "main", world.git("rev-parse", "main"), reason=reason))


EVENTS: dict[str, Callable[[Scratch], list[Run]]] = {
    "pull-request": lambda world: [world.pull_request()],
    "fork": lambda world: [world.pull_request(fork=True)],
    "main": lambda world: world.push("main"),
    "release": released,
    "retrain": lambda world: by_hand(world, "retrain.yml", "a new shelf plan"),
    "rollback": lambda world: by_hand(world, "rollback.yml", "a drill"),
    "schedule": lambda world: [world.schedule("retrain.yml")],
    "nightly": lambda world: [world.schedule("nightly.yml")],
}


def tell(run: Run, seconds: float) -> None:
    """Prints what a run did, and what its failed steps said."""
    print(f"{run.workflow}: {run.conclusion} after {seconds:.0f} s", flush=True)
    for job in run.jobs:
        print(f"  {job.id} {dict(job.matrix) or ''}: {job.result}", flush=True)
        for step in job.steps:
            if step.outcome == "failure":
                print(f"    {step.name}: failed\n{step.log[-4000:]}", flush=True)


def main() -> int:
    """The exit code: 0 where every run succeeded."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("events", nargs="+", choices=sorted(EVENTS))
    parser.add_argument("--keep", action="store_true", help="leave the scratch folder, and say where it is")
    asked = parser.parse_args()
    if lacking := missing():
        print(f"not run: {', '.join(lacking)} is not installed; make system-deps")
        return 69
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    folder = Path(tempfile.mkdtemp(prefix="workflows-"))
    node, failed = Node(installed(ROOT / "build")), False
    with Scratch(folder / "github", node, furnish) as world:
        copied(world)
        for environment in world.settings.environments.values():
            environment.secrets = {}  # no servers: the stores travel as artifacts
        for name in asked.events:
            begin = time.monotonic()
            for run in EVENTS[name](world):
                tell(run, time.monotonic() - begin)
                failed |= run.conclusion != "success"
    node.close()
    if asked.keep:
        print(f"kept: {folder}")
    else:
        shutil.rmtree(folder, ignore_errors=True)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
