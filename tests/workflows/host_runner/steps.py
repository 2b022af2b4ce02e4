"""One step: its condition, its environment, its command or action, and what it hands on."""

import os
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from host_runner.actions import Call, act
from host_runner.artifacts import ActionError
from host_runner.records import Job, Run, Step

if TYPE_CHECKING:
    from host_runner.world import World

STEP_KEYS = {"name", "id", "if", "env", "uses", "with", "run", "continue-on-error", "timeout-minutes"}
FILES = ("GITHUB_OUTPUT", "GITHUB_ENV", "GITHUB_PATH", "GITHUB_STEP_SUMMARY")


@dataclass
class Stage:
    """Where a step runs: a job of a run, with the contexts and the environment that the job gives it."""

    world: "World"
    run: Run
    job: Job
    contexts: Callable[[], dict[str, Any]]
    env: Mapping[str, str]

    def value(self, what: Any, **more: Any) -> Any:
        """What an entry of the step comes to, with the contexts of a step."""
        return self.world.node.evaluate(what, {**self.contexts(), **more})


def run_step(declared: dict[str, Any], stage: Stage) -> Step:
    """The step, done or skipped; its outcome becomes the job's result unless it may fail."""
    if unknown := set(declared) - STEP_KEYS:
        raise ValueError(f"{sorted(unknown)} of a step is not supported by the host runner")
    name = declared.get("name") or declared.get("run") or declared.get("uses")
    step = Step(str(name), str(declared.get("id", "")))
    step.uses, step.run = declared.get("uses", ""), str(stage.value(declared.get("run", "")))
    stage.job.steps.append(step)
    if not _wanted(declared.get("if", {"$": "success()"}), stage):
        return step
    step.env = texts(stage.value(declared.get("env", {})))
    step.inputs = texts(stage.value(declared.get("with", {}), env={**stage.env, **step.env}))
    _attempt(step, stage)
    step.conclusion = step.outcome
    if step.outcome == "failure" and declared.get("continue-on-error"):
        step.conclusion = "success"
    if step.conclusion == "failure":
        stage.job.result = "failure"
    return step


def _wanted(condition: Any, stage: Stage) -> bool:
    fine = stage.job.result == "success"
    status = {"success": fine, "failure": not fine, "cancelled": False, "always": True}
    contexts = {name: each for name, each in stage.contexts().items() if name != "secrets"}
    return bool(stage.world.node.evaluate(condition, contexts, status))


def _attempt(step: Step, stage: Stage) -> None:
    files = {name: stage.job.temp / f"{name.lower()}-{len(stage.job.steps)}" for name in FILES}
    for path in files.values():
        path.touch()
    env = {**stage.env, **step.env, **{name: str(path) for name, path in files.items()}}
    outputs: dict[str, str] = {}
    try:
        if step.uses:
            call = Call(stage.world, stage.run, stage.job, step.inputs, env)
            try:
                outputs = act(step.uses, call)
            finally:
                step.log = call.log
        else:
            step.log = _command(step.run, stage, env)
        step.outcome = "success"
    except ActionError as error:
        step.outcome, step.log = "failure", f"{step.log}\n{error}"
    step.outputs = {**outputs, **assignments(files["GITHUB_OUTPUT"])}
    stage.job.exported.update(assignments(files["GITHUB_ENV"]))
    stage.job.path[:0] = files["GITHUB_PATH"].read_text(encoding="utf-8").split()
    stage.job.summary += files["GITHUB_STEP_SUMMARY"].read_text(encoding="utf-8")


def _command(text: str, stage: Stage, env: Mapping[str, str]) -> str:
    """What a command printed; raises ActionError where it ends with anything but 0."""
    script = stage.job.temp / "step.sh"
    script.write_text(text + "\n", encoding="utf-8")
    done = subprocess.run(
        ["bash", "-e", str(script)],
        cwd=stage.job.workspace,
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        stdin=subprocess.DEVNULL,
    )
    if done.returncode:
        raise ActionError(f"{done.stdout}\nProcess completed with exit code {done.returncode}.")
    return done.stdout


def assignments(file: Path) -> dict[str, str]:
    """What a step wrote to GITHUB_OUTPUT or GITHUB_ENV: NAME=VALUE, or NAME<<END to END."""
    found: dict[str, str] = {}
    lines = iter(file.read_text(encoding="utf-8").split("\n"))
    for line in lines:
        name, sign, value = line.partition("=")
        if "<<" in name or ("<<" in line and not sign):
            name, _, end = line.partition("<<")
            taken: list[str] = []
            for each in lines:
                if each == end:
                    break
                taken.append(each)
            value = "\n".join(taken)
        elif not line:
            continue
        elif not sign:
            raise ActionError(f"Invalid format '{line}'")
        found[name] = value
    return found


def texts(values: Mapping[str, Any]) -> dict[str, str]:
    """The values as GitHub hands them to a process; what is empty is handed on as empty."""
    return {name: text(value) for name, value in values.items()}


def text(value: Any) -> str:
    """A value as GitHub writes it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def own_environment(job: Job, given: Mapping[str, str]) -> dict[str, str]:
    """The environment of a process of the job: nothing of this machine's but where programs are."""
    path = os.pathsep.join([*job.path, given["PATH"]])
    return {**given, **job.exported, "PATH": path}
