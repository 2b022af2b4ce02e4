"""Pipelines of Jenkins, Bitbucket and Travis as jobs."""

import re
from collections.abc import Iterator

from maturity.documents import Item
from maturity.jobs import Job
from maturity.shell import read_shell

STEP = re.compile(r"\b(?:sh|bat)\b\s*\(?\s*(?:script:\s*)?('''|\"\"\"|'|\")(.*?)\1", re.DOTALL)
COMMENT = re.compile(r"^\s*//.*$", re.MULTILINE)
PLANNED = re.compile(r"triggers\s*\{[^}]*\b(?:cron|parameterizedCron)\s*\(")
SECTIONS = {
    "default": {"push"},
    "branches": {"push"},
    "pull-requests": {"pull_request"},
    "tags": {"tag"},
    "custom": {"manual"},
}


def read_jenkins(path: str, text: str) -> Iterator[Job]:
    """The steps of a Jenkinsfile as one job; what starts it is kept elsewhere, and counts as a push."""
    text = COMMENT.sub("", text)
    events = {"push", "schedule"} if PLANNED.search(text) else {"push"}
    job = Job(path, "jenkins", 1, frozenset(events))
    for found in STEP.finditer(text):
        job.commands.extend(read_shell(found[2], text.count("\n", 0, found.start(2)) + 1))
    if job.commands:
        yield job


def read_bitbucket(path: str, document: Item) -> Iterator[Job]:
    """The steps of a pipeline of Bitbucket, one job for each of its sections."""
    for section, item in (document.get("pipelines") or Item(0, named={})).items():
        job = Job(path, section, item.line, frozenset(SECTIONS.get(section, {"push"})))
        _scripts(job, item)
        yield job


def _scripts(job: Job, item: Item) -> None:
    if script := item.get("script"):
        for each in script.each():
            job.commands.extend(read_shell(each.text, each.line) if each.text else [])
    for _, inner in item.items():
        _scripts(job, inner)
    for inner in item.listed or ():
        _scripts(job, inner)


def read_travis(path: str, document: Item) -> Iterator[Job]:
    """A build of Travis, started by each push and each pull request."""
    job = Job(path, "build", document.line, frozenset({"push", "pull_request"}))
    for key in ("before_script", "script", "after_success"):
        for each in (document.get(key) or Item(0)).each():
            job.commands.extend(read_shell(each.text, each.line, soft=key == "after_success"))
    yield job
