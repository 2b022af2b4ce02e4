"""One workflow for one event: its jobs in the order of their needs, each in a fresh workspace."""

import itertools
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from host_runner.contexts import github, let_in, process_environment
from host_runner.events import Event
from host_runner.records import Job, Run, result_of
from host_runner.steps import Stage, own_environment, run_step, texts

if TYPE_CHECKING:
    from host_runner.world import World

WORKFLOW_KEYS = {"name", "on", "permissions", "concurrency", "jobs", "env"}
JOB_KEYS = {"name", "needs", "if", "runs-on", "timeout-minutes", "permissions", "environment", "concurrency"}
JOB_KEYS |= {"outputs", "strategy", "env", "steps"}


def run_workflow(world: "World", path: str, workflow: dict[str, Any], event: Event) -> Run:
    """The run at its end; raises ValueError for what the host runner does not know."""
    if unknown := set(workflow) - WORKFLOW_KEYS:
        raise ValueError(f"{path}: {sorted(unknown)} is not supported by the host runner")
    if workflow["permissions"] != {}:
        raise ValueError(f"{path}: expected `permissions: {{}}` at the top; got {workflow['permissions']}")
    run = Run(5000 + len(world.state.runs), Path(path).name, event)
    world.note(run, path, "in_progress")
    for id in _ordered(workflow["jobs"]):
        _run_job(world, run, id, workflow)
        world.after_job(run, run.jobs[-1])
    world.note(run, path, "completed")
    return run


def _ordered(jobs: Mapping[str, Any]) -> Iterator[str]:
    """The jobs' ids, each after those it needs; raises ValueError where they need each other."""
    if unknown := {need for job in jobs.values() for need in _needs(job)} - set(jobs):
        raise ValueError(f"needs: {sorted(unknown)} is no job of the workflow")
    left = dict(jobs)
    while left:
        ready = [id for id, job in left.items() if not set(_needs(job)) & set(left)]
        if not ready:
            raise ValueError(f"jobs need each other: {sorted(left)}")
        yield from ready
        for id in ready:
            del left[id]


def _needs(job: Mapping[str, Any]) -> list[str]:
    needs = job.get("needs", [])
    return [needs] if isinstance(needs, str) else list(needs)


def _run_job(world: "World", run: Run, id: str, workflow: Mapping[str, Any]) -> None:
    declared = workflow["jobs"][id]
    if unknown := set(declared) - JOB_KEYS:
        raise ValueError(f"{id}: {sorted(unknown)} of a job is not supported by the host runner")
    contexts = {
        "github": github(world, run),
        "needs": {each: _told(run, each) for each in _needs(declared)},
        "vars": world.settings.variables,
        "inputs": dict(run.event.inputs),
    }
    if not world.node.evaluate(declared.get("if", {"$": "success()"}), contexts, _status(run, id, workflow)):
        run.jobs.append(_job(world, run, id, {}, declared))
        run.jobs[-1].result = "skipped"
        return
    for matrix in _matrix(declared.get("strategy", {}).get("matrix", {})):
        run.jobs.append(_job(world, run, id, matrix, declared))
        _run_steps(world, run, run.jobs[-1], {**workflow, "job": declared}, contexts)


def _told(run: Run, id: str) -> dict[str, Any]:
    """What a job that needs this one sees of it."""
    return {"result": result_of(run.of(id)), "outputs": dict(run.of(id)[-1].outputs)}


def _status(run: Run, id: str, workflow: Mapping[str, Any]) -> dict[str, bool]:
    """The status functions of a job's condition: over all jobs that it needs, directly or not."""
    before, todo = set(), [id]
    while todo:
        new = set(_needs(workflow["jobs"][todo.pop()])) - before
        before |= new
        todo += new
    results = [result_of(run.of(each)) for each in before]
    success = all(each == "success" for each in results)
    return {"success": success, "failure": "failure" in results, "cancelled": False, "always": True}


def _matrix(axes: Mapping[str, list[Any]]) -> list[dict[str, Any]]:
    if {"include", "exclude"} & set(axes):
        raise ValueError("include and exclude of a matrix are not supported by the host runner")
    return [dict(zip(axes, values, strict=True)) for values in itertools.product(*axes.values())]


def _job(world: "World", run: Run, id: str, matrix: Mapping[str, Any], declared: Mapping[str, Any]) -> Job:
    token = f"token-{run.id}-{len(run.jobs)}"
    permissions = dict(declared.get("permissions", {}))
    if run.event.read_only:
        permissions = {
            scope: "read" for scope, got in permissions.items() if got != "none" and scope != "id-token"
        }
    world.grant(token, permissions)
    named = declared.get("environment", "")
    environment = named if isinstance(named, str) else named["name"]
    folder = world.folder / f"{run.id}-{len(run.jobs)}-{id}"
    job = Job(id, matrix, token, permissions, environment, folder / "workspace", folder / "temp")
    job.workspace.mkdir(parents=True)
    job.temp.mkdir()
    return job


def _run_steps(
    world: "World", run: Run, job: Job, workflow: Mapping[str, Any], outer: Mapping[str, Any]
) -> None:
    """Runs the steps of a job; `workflow` with the job's own declaration as "job"."""
    secrets, variables = let_in(world, run, job)
    if job.result == "waiting":
        return
    declared, done = workflow["job"], {}
    given = process_environment(world, run, job)
    env: dict[str, str] = {}

    def contexts() -> dict[str, Any]:
        runner = {"os": "Linux", "temp": str(job.temp), "debug": ""}
        place = {**outer["github"], "token": job.token, "workspace": str(job.workspace), "job": job.id}
        return {
            **outer,
            "github": place,
            "env": {**env, **job.exported},
            "job": {"status": job.result},
            "runner": runner,
            "matrix": job.matrix,
            "strategy": {},
            "secrets": secrets,
            "vars": variables,
            "steps": dict(done),
        }

    for level in (workflow.get("env", {}), declared.get("env", {})):
        env.update(texts(world.node.evaluate(level, contexts())))
    for step in declared["steps"]:
        stage = Stage(world, run, job, contexts, own_environment(job, {**given, **env}))
        ended = run_step(step, stage)
        if ended.id:
            told = {"outputs": dict(ended.outputs), "outcome": ended.outcome, "conclusion": ended.conclusion}
            done[ended.id] = told
    job.outputs = texts(world.node.evaluate(declared.get("outputs", {}), contexts()))
