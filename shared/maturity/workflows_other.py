"""Pipelines of GitLab, Azure, CircleCI, Google Cloud Build and AWS CodeBuild as jobs."""

import re
from collections.abc import Iterator
from pathlib import PurePosixPath

from maturity.documents import Item
from maturity.jobs import NEVER, Job
from maturity.shell import read_shell


def read_gitlab(path: str, document: Item) -> Iterator[Job]:
    """The jobs of a GitLab pipeline."""
    shared = [
        item for key in ("before_script",) if (item := document.get(key) or document.get("default", key))
    ]
    for name, own in document.items():
        item = _extended(document, own)
        scripts = [found for key in ("before_script", "script", "after_script") if (found := item.get(key))]
        if not item.get("script") or name.startswith("."):
            continue
        job = Job(path, name, item.line, frozenset(_gitlab_events(item)))
        soft = (item.get("allow_failure") or Item(0)).text == "true"
        for script in [*shared, *scripts]:
            for _, text, line in script.flat():
                job.commands.extend(read_shell(text, line, soft=soft))
        yield job


def _extended(document: Item, item: Item, depth: int = 8) -> Item:
    """A job with what it takes over from the templates that it extends or merges."""
    if item.named is None or not depth:
        return item
    names = (item.get("extends") or Item(0)).each()
    bases = [base for name in names if (base := document.get(name.text))]
    merged = item.get("<<")
    bases += merged.listed or (merged,) if merged else ()
    named: dict[str, Item] = {}
    for base in bases:
        named |= _extended(document, base, depth - 1).named or {}
    return Item(item.line, named=named | item.named)


def _gitlab_events(item: Item) -> set[str]:
    said = " ".join(
        text for key in ("only", "rules", "when") for _, text, _ in (item.get(key) or Item(0)).flat()
    )
    if re.search(r"\bschedules?\b", said) and not re.search(
        r"merge_request|push|branch", said, re.IGNORECASE
    ):
        return {"schedule"}
    if re.search(r"\bmanual\b", said):
        return {"manual"}
    return {"push", "pull_request"}


def read_azure(path: str, document: Item) -> Iterator[Job]:
    """An Azure pipeline, or a template of one, as one job; nothing for YAML of another kind."""
    keys = document.words() if document.named is not None else set()
    if (
        not keys & {"steps", "jobs", "stages", "extends"}
        or not keys <= AZURE_KEYS
        or path.startswith(".github")
    ):
        return
    job = Job(path, "azure", document.line, frozenset(_azure_events(document)))
    _azure_steps(job, document)
    if job.commands or job.uses or job.calls:
        yield job


AZURE_KEYS = frozenset(
    [
        "steps",
        "jobs",
        "stages",
        "extends",
        "trigger",
        "pr",
        "schedules",
        "pool",
        "name",
        "variables",
        "resources",
        "parameters",
        "appendCommitMessageToRunName",
        "lockBehavior",
        "container",
        "services",
        "workspace",
        "strategy",
    ]
)


def _azure_events(document: Item) -> Iterator[str]:
    trigger, pr = document.get("trigger"), document.get("pr")
    if trigger is None or trigger.words() != {"none"}:
        yield "push"
    if pr is not None and pr.words() != {"none"}:
        yield "pull_request"
    if document.get("schedules"):
        yield "schedule"
    if document.get("resources", "pipelines") or document.get("resources", "webhooks"):
        yield "workflow_run"


def _azure_steps(job: Job, item: Item) -> None:
    condition, soft = item.get("condition"), item.get("continueOnError")
    if (condition and NEVER.match(condition.text)) or (item.get("enabled") or Item(0)).text == "false":
        return
    ignored = bool(soft and soft.text == "true")
    for key in ("script", "bash", "powershell", "pwsh", "inlineScript"):
        if (found := item.get(key)) and found.text:
            job.commands.extend(read_shell(found.text, found.line, soft=ignored))
    if (task := item.get("task")) and task.text:
        job.uses.append((f"azure:{task.text}", task.line, ignored))
    if (template := item.get("template")) and template.text:
        folder = PurePosixPath(job.path).parent
        job.calls.append(_joined(folder, template.text.partition("@")[0]))
    for given in _scripts(item):
        job.commands.extend(read_shell(f"python {given.text}", given.line, soft=ignored))
    for inner in (*(each for _, each in item.items()), *(item.listed or ())):
        _azure_steps(job, inner)


def _scripts(item: Item) -> Iterator[Item]:
    """The scripts of Python that a task or a template is given to run."""
    for key in ("inputs", "parameters"):
        for name, given in (item.get(key) or Item(0)).items():
            if name.lower().endswith(("script", "scriptpath", "scriptfile")) and given.text.endswith(".py"):
                yield given


def _joined(folder: PurePosixPath, name: str) -> str:
    parts: list[str] = [] if name.startswith("/") else list(folder.parts)
    for part in PurePosixPath(name.lstrip("/")).parts:
        if part == "..":
            parts = parts[:-1]
        else:
            parts.append(part)
    return "/".join(parts)


def read_circle(path: str, document: Item) -> Iterator[Job]:
    """The jobs of a CircleCI configuration, by what its workflows start them."""
    started = _circle_events(document.get("workflows"))
    for name, item in (document.get("jobs") or Item(0, named={})).items():
        events = {"push", "pull_request"} if started is None else started.get(name, set())
        job = Job(path, name, item.line, frozenset(events))
        for step in (item.get("steps") or Item(0)).each():
            run = step.get("run", "command") or step.get("run")
            job.commands.extend(read_shell(run.text, run.line) if run and run.text else [])
        yield job


def _circle_events(workflows: Item | None) -> dict[str, set[str]] | None:
    """Job to events, None where no workflow is declared; a job that no workflow names is never started."""
    if workflows is None:
        return None
    found: dict[str, set[str]] = {}
    for _, workflow in workflows.items():
        planned = any("schedule" in each.words() for each in (workflow.get("triggers") or Item(0)).each())
        for entry in (workflow.get("jobs") or Item(0)).each():
            for name, asked in entry.items() if entry.named is not None else [(entry.text, Item(0))]:
                filters = asked.get("filters") or asked.get("<<", "filters")
                ignored = filters.get("branches", "ignore") if filters else None
                never = ignored is not None and "/.*/" in ignored.words()
                events = {"tag"} if never else {"schedule"} if planned else {"push", "pull_request"}
                found.setdefault(name, set()).update(events)
    return found


def read_cloud_build(path: str, document: Item) -> Iterator[Job]:
    """A build of Google Cloud Build, whose triggers are kept elsewhere: it counts as started by a push."""
    job = Job(path, "build", document.line, frozenset({"push"}))
    for step in (document.get("steps") or Item(0)).each():
        script, words = step.get("script"), [each.text for each in (step.get("args") or Item(0)).each()]
        program = (step.get("entrypoint") or step.get("name") or Item(0)).text.rpartition("/")[2]
        shell = len(words) > 1 and words[0] == "-c"
        text = script.text if script else words[1] if shell else " ".join([program, *words])
        job.commands.extend(read_shell(text, (script or step).line))
    yield job


def read_code_build(path: str, document: Item) -> Iterator[Job]:
    """A build of AWS CodeBuild, whose triggers are kept elsewhere: some pipeline starts it."""
    job = Job(path, "build", document.line, frozenset({"pipeline"}))
    for _, phase in (document.get("phases") or Item(0, named={})).items():
        for command in (phase.get("commands") or Item(0)).each():
            job.commands.extend(read_shell(command.text, command.line))
    if job.commands:
        yield job
