"""What happens on GitHub that starts workflows, and which workflows it starts."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

OWNER, NAME = "owner", "ladder"
REPOSITORY = f"{OWNER}/{NAME}"
DEFAULT = "main"
PULL_REQUEST_TYPES = ("opened", "synchronize", "reopened")


@dataclass(frozen=True)
class Event:
    """An event with what GitHub tells a workflow of it.

    branch: what `on: ... branches` is held against; ref and sha: what is checked out by default. read_only:
    the token may not write and there are no secrets, as for a pull request from a fork.
    """

    name: str
    branch: str
    ref: str
    sha: str
    payload: Mapping[str, Any] = field(default_factory=dict)
    inputs: Mapping[str, Any] = field(default_factory=dict)
    actor: str = "dev"
    head_branch: str = ""
    head_repository: str = REPOSITORY
    read_only: bool = False
    schedule: str = ""
    workflow: str = ""


def push(branch: str, sha: str) -> Event:
    """Commits were pushed to a branch."""
    return Event(
        "push", branch, f"refs/heads/{branch}", sha, {"ref": f"refs/heads/{branch}"}, head_branch=branch
    )


def scheduled(sha: str, cron: str) -> Event:
    """The clock struck; runs on the default branch."""
    return Event(
        "schedule", "", f"refs/heads/{DEFAULT}", sha, {"schedule": cron}, head_branch=DEFAULT, schedule=cron
    )


def dispatched(sha: str, kind: str, **payload: str) -> Event:
    """Another system called POST /repos/OWNER/NAME/dispatches."""
    told = {"action": kind, "client_payload": payload}
    return Event("repository_dispatch", "", f"refs/heads/{DEFAULT}", sha, told, head_branch=DEFAULT)


def by_hand(workflow: str, branch: str, sha: str, **inputs: str) -> Event:
    """A person pressed "Run workflow"."""
    told = {"inputs": inputs, "workflow": f".github/workflows/{workflow}"}
    return Event(
        "workflow_dispatch",
        "",
        f"refs/heads/{branch}",
        sha,
        told,
        inputs,
        head_branch=branch,
        workflow=workflow,
    )


def pull_request(
    number: int, base: Sequence[str], head: Sequence[str], sha: str, *, fork: bool = False
) -> Event:
    """A pull request was opened; base and head: branch and sha; sha: of the merge of both."""
    repository = f"stranger/{NAME}" if fork else REPOSITORY
    login = "stranger" if fork else "dev"
    pull = {
        "number": number,
        "user": {"login": login},
        "title": '"; touch injected; $(touch injected) `touch injected` #',
        "base": {"ref": base[0], "sha": base[1], "repo": {"full_name": REPOSITORY}},
        "head": {"ref": head[0], "sha": head[1], "repo": {"full_name": repository}},
    }
    told = {"action": "opened", "number": number, "pull_request": pull}
    return Event(
        "pull_request",
        base[0],
        f"refs/pull/{number}/merge",
        sha,
        told,
        actor=login,
        head_branch=head[0],
        head_repository=repository,
        read_only=fork,
    )


def starts(on: Any, event: Event, workflow: str) -> bool:
    """Whether a workflow with this `on` starts for the event; raises ValueError for a filter unknown here."""
    triggers = on if isinstance(on, dict) else dict.fromkeys([on] if isinstance(on, str) else on)
    if event.name not in triggers or event.workflow not in ("", workflow):
        return False
    filters = triggers[event.name]
    if event.name == "schedule":
        return event.schedule in [each["cron"] for each in filters]
    return event.name == "workflow_dispatch" or _passes(dict(filters or {}), event)


def _passes(filters: dict[str, Any], event: Event) -> bool:
    branches, types = filters.pop("branches", None), filters.pop("types", None)
    if filters:
        raise ValueError(f"on.{event.name}: {sorted(filters)} is not supported by the host runner")
    if types is None and event.name == "pull_request":
        types = PULL_REQUEST_TYPES
    fits = types is None or event.payload["action"] in types
    return fits and (branches is None or any(_pattern(each).fullmatch(event.branch) for each in branches))


def _pattern(text: str) -> re.Pattern[str]:
    """GitHub's filter pattern as a regular expression: ** is anything, * anything but a slash."""
    parts = re.split(r"(\*\*|\*)", text)
    return re.compile("".join({"**": ".*", "*": "[^/]*"}.get(each, re.escape(each)) for each in parts))
