"""Who runs, and with which code: what a run's record says of its surroundings."""

import getpass
import hashlib
import os
import socket
from collections.abc import Mapping
from pathlib import Path

import demand
import level1_pipeline

DIGITS = 12  # hexadecimal, of a component's hash
# The modules of `demand` that each stage of the pipeline is made of, and the pipeline's own.
COMPONENTS = {
    "ingest": ("sources",),
    "condition": ("conditioning", "contracts"),
    "features": ("features",),
    "train": ("training", "models", "splits.py", "segments.py"),
    "evaluate": ("evaluation.py", "metrics.py", "gate"),
    "register": ("bundle", "export"),
    "score": ("scoring",),
}


def component_versions() -> dict[str, str]:
    """A hash of the source code behind each stage, 12 hexadecimal digits, and of the pipeline's own."""
    domain, own = (Path(str(package.__file__)).parent for package in (demand, level1_pipeline))
    found = {stage: _hash([domain / name for name in names]) for stage, names in COMPONENTS.items()}
    return {**found, "pipeline": _hash([own])}


def executor(environment: Mapping[str, str]) -> dict[str, object]:
    """Who runs: user, host and process, and by which run of which service where one runs it (else None)."""
    return {
        "user": _user(environment),
        "host": socket.gethostname(),
        "process": os.getpid(),
        "service": service(environment),
    }


def service(environment: Mapping[str, str]) -> str | None:
    """The address of the automated run that this is part of: GitHub, GitLab, Jenkins, or that it is one."""
    if environment.get("GITHUB_RUN_ID"):
        names = ("GITHUB_SERVER_URL", "GITHUB_REPOSITORY", "GITHUB_RUN_ID", "GITHUB_RUN_ATTEMPT")
        server, repository, run, attempt = (environment.get(name, "") for name in names)
        return f"{server}/{repository}/actions/runs/{run}" + (f"/attempts/{attempt}" if attempt else "")
    address = environment.get("CI_JOB_URL") or environment.get("BUILD_URL")
    return address or ("unnamed CI" if environment.get("CI", "").lower() in ("1", "true") else None)


def _user(environment: Mapping[str, str]) -> str:
    for name in ("LOGNAME", "USER", "USERNAME"):
        if environment.get(name):
            return environment[name]
    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):  # a container's account need not have a name
        return f"uid {os.getuid()}" if hasattr(os, "getuid") else "unknown"


def _hash(places: list[Path]) -> str:
    digest = hashlib.sha256()
    for place in places:
        for path in [place] if place.is_file() else sorted(place.rglob("*.py")):
            content = path.read_bytes().replace(b"\r\n", b"\n")
            digest.update(f"{path.relative_to(place.parent).as_posix()}:{len(content)}:".encode() + content)
    return digest.hexdigest()[:DIGITS]
