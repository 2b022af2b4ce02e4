"""Runs the tools that packages are built with, the same whatever machine they run on."""

import os
import subprocess
import sys
from pathlib import Path

from demand.errors import UsageError

NO_COMMIT = "1580601600"  # 2020-02-02, the time of files where there is no commit to ask


def run_tool(arguments: list[str], root: Path, stdin: str = "") -> str:
    """What a Python tool prints that runs in `root`; raises UsageError with its message where it fails."""
    done = subprocess.run(
        [sys.executable, "-m", *arguments],
        cwd=root,
        env={**os.environ, "SOURCE_DATE_EPOCH": _committed_at(root), "PYTHONWARNINGS": "ignore"},
        input=stdin,
        capture_output=True,
        text=True,
    )
    if done.returncode:
        told = (done.stderr or done.stdout).strip()[-500:]
        raise UsageError(f"{arguments[0]}: expected it to end well; got: {told}\nRun `make setup`.")
    return done.stdout


def _committed_at(root: Path) -> str:
    """Seconds of the epoch at which the commit was made, as the time of all files in the package."""
    asked = ["git", "-C", str(root), "log", "-1", "--format=%ct"]
    try:
        done = subprocess.run(asked, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return NO_COMMIT
    return done.stdout.strip() or NO_COMMIT
