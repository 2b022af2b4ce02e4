"""Workflows of GitHub and other CI services: what starts each job, what it runs, what it uses."""

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import PurePosixPath

from maturity.documents import Item, read_yaml
from maturity.files import Tree
from maturity.jobs import NEVER, Job
from maturity.shell import read_shell
from maturity.workflows_other import (
    read_azure,
    read_circle,
    read_cloud_build,
    read_code_build,
    read_gitlab,
)
from maturity.workflows_scripts import read_bitbucket, read_jenkins, read_travis

Reader = Callable[[str, Item], Iterator[Job]]
BY_HAND = frozenset({"workflow_dispatch", "workflow_call", "issue_comment", "manual", "issues", "label"})
JENKINS = re.compile(r"(^|/)([\w-]+\.)?Jenkinsfile([.-][\w-]+)?$|\.jenkinsfile$", re.IGNORECASE)
ONLY = re.compile(r"github\.event_name\s*==\s*'(\w+)'")


def read_jobs(tree: Tree) -> list[Job]:
    """Every job of every workflow; called workflows and templates are jobs without an event of their own."""
    jobs: list[Job] = []
    for path in tree.ending(".yml", ".yaml"):
        for document in read_yaml(tree.text(path) or "")[:1]:
            jobs.extend(_reader(path)(path, document))
    for path in tree.paths:
        if JENKINS.search(path):
            jobs.extend(read_jenkins(path, tree.text(path) or ""))
    return _azure_templates(jobs)


OF_SERVICES: dict[str, Reader] = {
    ".circleci/config.yml": read_circle,
    "bitbucket-pipelines.yml": read_bitbucket,
    ".travis.yml": read_travis,
}


def _reader(path: str) -> Reader:
    pure = PurePosixPath(path)
    if path.startswith(".github/workflows/"):
        return read_github
    if pure.name in {"action.yml", "action.yaml"}:
        return read_action
    if path in OF_SERVICES:
        return OF_SERVICES[path]
    if re.search(r"(^|/)cloudbuild[^/]*(/[\w.-]+)?\.ya?ml$", path):
        return read_cloud_build
    if re.search(r"(^|/)buildspecs?[^/]*(/[\w.-]+)?\.ya?ml$", path):
        return read_code_build
    if ".gitlab-ci" in path or path.startswith(".gitlab/"):
        return read_gitlab
    return read_azure


def read_github(path: str, document: Item) -> Iterator[Job]:
    """The jobs of a GitHub workflow that are not switched off."""
    on = document.get("on") or document.get("true") or document.get("True")
    events = frozenset(_events(on)) if on else frozenset()
    started: dict[str, frozenset[str]] = {}
    for name, item in (document.get("jobs") or document).items():
        job = Job(path, name, item.line, events)
        if not _narrowed(job, item):
            continue
        started[name] = _after(job, item, started)
        job.events = started[name]
        called = item.get("uses")
        if called:
            job.uses.append((called.text, called.line, False))
            given = ", ".join(
                f"{key}={text}" for key, text, _ in (item.get("with") or Item(0, named={})).flat()
            )
            job.uses.append((f"called: {called.text} {given}", called.line, False))
            job.calls.extend(_local(called.text, path))
        for step in (item.get("steps") or Item(0)).each():
            _step(job, step)
        yield job


def _events(on: Item) -> Iterator[str]:
    for word in on.words():
        inner = on.get(word)
        yield word
        if word == "push" and inner and inner.get("tags") and not inner.get("branches"):
            yield "tag"


def _narrowed(job: Job, item: Item) -> bool:
    """Whether it can run at all; a condition on the event's name narrows its events."""
    condition = item.get("if")
    text = condition.text if condition else ""
    if NEVER.match(text):
        return False
    if (only := set(ONLY.findall(text))) and "!=" not in text:
        job.events &= only
    return True


def _after(job: Job, item: Item, started: dict[str, frozenset[str]]) -> frozenset[str]:
    """The events that start it and each earlier job that it needs: where that is left out, so is this."""
    condition, needs = item.get("if"), item.get("needs")
    names = needs.words() if needs and not (condition and "always()" in condition.text) else set()
    return job.events.intersection(*(started[name] for name in names if name in started))


def _step(job: Job, step: Item) -> None:
    condition, soft = step.get("if"), step.get("continue-on-error")
    if condition and NEVER.match(condition.text):
        return
    only = set(ONLY.findall(condition.text)) if condition else set()
    run, uses = step.get("run"), step.get("uses")
    ignored = bool(soft and soft.text == "true") or bool(only and not only & (job.events - BY_HAND))
    if run:
        job.commands.extend(read_shell(run.text, run.line, soft=ignored))
    if uses:
        job.uses.append((uses.text, uses.line, ignored))
        job.calls.extend(_local(uses.text, job.path))
        for key in ("script", "run", "args", "command"):
            if (given := step.get("with", key)) and "github-script" not in uses.text:
                job.commands.extend(read_shell(given.text, given.line, soft=ignored))


def _local(uses: str, path: str) -> Iterator[str]:
    """What a `uses:` of this repository leads to: a composite action's file, or a reusable workflow."""
    if uses.startswith("./"):
        inner = uses[2:].split("@")[0].rstrip("/")
        inside = (
            [inner] if inner.endswith((".yml", ".yaml")) else [f"{inner}/action.yml", f"{inner}/action.yaml"]
        )
        yield from (each.lstrip("/") for each in inside)
    elif ".github/workflows/" in uses:  # the same repository by its full name, or a foreign one: then no file
        yield uses[uses.index(".github/") :].split("@")[0]


def read_action(path: str, document: Item) -> Iterator[Job]:
    """The steps of a composite action as a job that something else has to start."""
    steps = document.get("runs", "steps")
    if steps:
        job = Job(path, "composite", steps.line, frozenset())
        for step in steps.each():
            _step(job, step)
        yield job


def _azure_templates(jobs: list[Job]) -> list[Job]:
    """A pipeline that others call is a template: nothing starts it by itself."""
    called = {path for job in jobs for path in job.calls}
    return [
        replace(job, events=frozenset()) if job.name == "azure" and job.path in called else job
        for job in jobs
    ]
