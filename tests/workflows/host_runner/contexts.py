"""What a job knows: contexts, secrets, variables and the environment of its processes."""

import json
import os
from typing import TYPE_CHECKING, Any

from host_runner.events import OWNER, REPOSITORY
from host_runner.records import Job, Run
from host_runner.steps import text

if TYPE_CHECKING:
    from host_runner.world import World


def let_in(world: "World", run: Run, job: Job) -> tuple[dict[str, str], dict[str, str]]:
    """Secrets and variables of a job; it becomes "waiting" where nobody lets it into its environment."""
    environment = world.settings.environments.get(job.environment)
    if job.environment and environment is None:
        raise ValueError(f"{job.id}: the settings have no environment {job.environment}")
    secrets = {"GITHUB_TOKEN": job.token}
    variables = dict(world.settings.variables)
    if not run.event.read_only:
        secrets |= world.settings.secrets
    if environment is None:
        return secrets, variables
    if environment.reviewers and environment.approver is None:
        job.result = "waiting"
    elif environment.reviewers:
        review = {
            "state": "approved",
            "comment": environment.comment,
            "environments": [{"name": job.environment}],
        }
        world.state.reviews.setdefault(run.id, []).append({**review, "user": {"login": environment.approver}})
    return {**secrets, **environment.secrets}, {**variables, **environment.variables}


def github(world: "World", run: Run) -> dict[str, Any]:
    """The context `github` of a run, as far as a workflow may ask for it before its jobs."""
    event = run.event
    pull = event.payload.get("pull_request", {})
    return {
        "event_name": event.name,
        "event": {**event.payload, "repository": {"full_name": REPOSITORY, "default_branch": "main"}},
        "ref": event.ref,
        "ref_name": event.ref.removeprefix("refs/heads/"),
        "sha": event.sha,
        "base_ref": pull.get("base", {}).get("ref", ""),
        "head_ref": pull.get("head", {}).get("ref", ""),
        "repository": REPOSITORY,
        "repository_owner": OWNER,
        "actor": event.actor,
        "run_id": str(run.id),
        "run_number": "1",
        "run_attempt": "1",
        "workflow": run.workflow,
        "api_url": world.server.url,
        "server_url": "https://github.com",
    }


def process_environment(world: "World", run: Run, job: Job) -> dict[str, str]:
    """What GitHub sets for every process of a job."""
    told = github(world, run)
    event = job.temp / "event.json"
    event.write_text(json.dumps(told["event"]), encoding="utf-8")
    names = (
        "event_name",
        "ref",
        "ref_name",
        "sha",
        "repository",
        "actor",
        "run_id",
        "run_number",
        "workflow",
    )
    names += ("repository_owner", "run_attempt", "api_url", "server_url", "base_ref", "head_ref")
    return {
        **{f"GITHUB_{name.upper()}": text(told[name]) for name in names},
        "CI": "true",
        "GITHUB_ACTIONS": "true",
        "GITHUB_EVENT_PATH": str(event),
        "GITHUB_JOB": job.id,
        "GITHUB_WORKSPACE": str(job.workspace),
        "HOME": str(world.folder),
        "LANG": "C.UTF-8",
        "PATH": os.pathsep.join([str(world.folder / "bin"), os.environ["PATH"]]),
        "RUNNER_OS": "Linux",
        "RUNNER_TEMP": str(job.temp),
    }
