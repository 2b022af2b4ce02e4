"""A repository on a scratch GitHub: what is pushed to it, what runs, and what the runs leave."""

import json
import os
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from host_runner.api import Server, State
from host_runner.artifacts import Artifacts
from host_runner.events import NAME, Event, starts
from host_runner.node import Node
from host_runner.records import Job, Run

IDENTITY = {"GIT_AUTHOR_NAME": "A", "GIT_AUTHOR_EMAIL": "a@example.org"}
COMMITTER = {"GIT_COMMITTER_NAME": "A", "GIT_COMMITTER_EMAIL": "a@example.org"}
DAY = {"GIT_AUTHOR_DATE": "2026-01-05T00:00:00Z", "GIT_COMMITTER_DATE": "2026-01-05T00:00:00Z"}


@dataclass
class Environment:
    """A deployment environment; with reviewers a job waits until there is an approver."""

    secrets: Mapping[str, str] = field(default_factory=dict)
    variables: Mapping[str, str] = field(default_factory=dict)
    reviewers: bool = False
    approver: str | None = None
    comment: str = ""


@dataclass
class Settings:
    """What the repository's settings page holds."""

    variables: dict[str, str] = field(default_factory=dict)
    secrets: dict[str, str] = field(default_factory=dict)
    environments: dict[str, Environment] = field(default_factory=dict)


class World:
    """A scratch GitHub with one repository in `folder`; `furnish` completes a workspace once checked out."""

    def __init__(self, folder: Path, node: Node, furnish: Callable[[Path], None] = lambda _: None) -> None:
        self.folder, self.node, self.furnish = folder, node, furnish
        self.settings = Settings()
        self.state = State(Artifacts())
        self.server = Server(self.state)
        self.origin = folder / NAME
        self.site: list[str] = []
        self.after_job: Callable[[Run, Job], None] = lambda run, job: None
        self.origin.mkdir(parents=True)
        self.git("init", "--quiet", "--initial-branch=main")

    def git(self, *arguments: str, at: Path | None = None) -> str:
        """What git prints, in the repository or elsewhere."""
        env = {"PATH": os.environ["PATH"], "HOME": str(self.folder), **IDENTITY, **COMMITTER, **DAY}
        done = subprocess.run(
            ["git", *arguments], cwd=at or self.origin, env=env, capture_output=True, text=True
        )
        if done.returncode:
            raise ValueError(f"git {' '.join(arguments)}: {done.stderr.strip()}")
        return done.stdout.strip()

    def commit(self, message: str, files: Mapping[str, str] | None = None) -> str:
        """The new commit on the current branch, with these files written and all others as they lie."""
        for name, content in (files or {}).items():
            (self.origin / name).parent.mkdir(parents=True, exist_ok=True)
            (self.origin / name).write_text(content, encoding="utf-8")
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", f"--message={message}")
        return self.git("rev-parse", "HEAD")

    def branch(self, name: str, start: str = "HEAD") -> str:
        """Moves to a branch, made where it is not there; returns its commit."""
        self.git("checkout", "--quiet", "-B", name, start)
        return self.git("rev-parse", "HEAD")

    def trigger(self, event: Event) -> list[Run]:
        """The runs that the event starts, each at its end, in the order of their files.

        A pull request takes the workflow from its merge, every other event from its commit.
        """
        from host_runner.jobs import run_workflow

        listed = self.git("ls-tree", "--name-only", event.sha, ".github/workflows/").split("\n")
        runs = []
        for path in listed:
            workflow = self.node.parse(path, self.git("show", f"{event.sha}:{path}"))
            if starts(workflow["on"], event, Path(path).name):
                runs.append(run_workflow(self, path, workflow, event))
        return runs

    def note(self, run: Run, path: str, status: str) -> None:
        """Tells the API about a run."""
        event = run.event
        self.state.runs[run.id] = {
            "id": run.id,
            "path": path,
            "event": event.name,
            "head_branch": event.head_branch,
            "head_sha": event.sha,
            "head_repository": event.head_repository,
            "status": status,
            "conclusion": run.conclusion if status == "completed" else None,
        }

    def grant(self, token: str, permissions: Mapping[str, str]) -> None:
        """Gives a token its permissions, in the API and for the programs that stand in for `gh`."""
        self.state.tokens[token] = permissions
        (self.folder / "tokens.json").write_text(json.dumps(self.state.tokens), encoding="utf-8")

    def attest(self, digest: str, predicate: str, workflow: str) -> None:
        """Notes an attestation."""
        line = json.dumps({"digest": digest, "predicate": predicate, "workflow": workflow})
        with (self.folder / "attestations.jsonl").open("a", encoding="utf-8") as file:
            file.write(line + "\n")

    def __enter__(self) -> "World":
        self.server.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self.server.__exit__()
