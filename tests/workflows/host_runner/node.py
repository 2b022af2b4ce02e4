"""GitHub's own parser, evaluator and linters, in one node process."""

import hashlib
import json
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from filelock import FileLock

FOLDER = Path(__file__).parents[1]
INSTALL_SECONDS = 300


def missing() -> list[str]:
    """The programs that are needed and not there."""
    return [name for name in ("node", "npm", "git", "make", "bash") if shutil.which(name) is None]


def installed(build: Path) -> Path:
    """The folder with the locked packages and the scripts that use them; `npm ci` makes it."""
    locked = b"".join((FOLDER / name).read_bytes() for name in ("package.json", "package-lock.json"))
    folder = build / f"workflow-tests-{hashlib.sha256(locked).hexdigest()[:12]}"
    build.mkdir(parents=True, exist_ok=True)
    with FileLock(folder.with_suffix(".lock")):  # several processes may test at once
        if not folder.is_dir():
            _install(folder)
        for script in (FOLDER / "node").iterdir():
            there = folder / script.name
            if (
                not there.is_file() or there.read_bytes() != script.read_bytes()
            ):  # another process may read it
                shutil.copy2(script, folder)
    return folder


def _install(folder: Path) -> None:
    part = Path(tempfile.mkdtemp(prefix="npm-", dir=folder.parent))
    for name in ("package.json", "package-lock.json"):
        shutil.copy2(FOLDER / name, part)
    command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    done = subprocess.run(command, cwd=part, capture_output=True, text=True, timeout=INSTALL_SECONDS)
    if done.returncode:
        shutil.rmtree(part)
        raise RuntimeError(f"npm ci: {done.stderr.strip()[-2000:]}")
    part.replace(folder)


class Node:
    """A node process that answers questions about workflows."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._process = subprocess.Popen(
            ["node", "--import", str(folder / "register.mjs"), str(folder / "bridge.mjs")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def ask(self, question: str, **request: Any) -> Any:
        """The answer; raises ValueError with what node says is wrong."""
        assert self._process.stdin and self._process.stdout
        self._process.stdin.write(json.dumps({"ask": question, **request}) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"node ended with {self._process.wait()}")
        reply = json.loads(line)
        if "error" in reply:
            raise ValueError(f"{reply['error']} in {request.get('name') or request.get('value')}")
        return reply["answer"]

    def parse(self, name: str, content: str) -> dict[str, Any]:
        """The workflow as plain data; an expression in it is `{"$": text}`. Raises ValueError."""
        found = self.ask("parse", name=name, content=content)
        if found["errors"]:
            raise ValueError(f"{name}: {found['errors']}")
        return dict(found["workflow"])

    def evaluate(
        self, value: Any, contexts: Mapping[str, Any], status: Mapping[str, bool] | None = None
    ) -> Any:
        """The value with each expression replaced by what it comes to in these contexts."""
        if not _has_expression(value):
            return value
        return self.ask("evaluate", value=value, contexts=dict(contexts), status=dict(status or {}))

    def close(self) -> None:
        """Ends the process."""
        assert self._process.stdin and self._process.stdout
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()


def _has_expression(value: Any) -> bool:
    if isinstance(value, dict):
        return "$" in value or any(_has_expression(each) for each in value.values())
    return isinstance(value, list) and any(_has_expression(each) for each in value)
