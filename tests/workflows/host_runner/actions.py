"""What the actions do, on this machine; each refuses what GitHub would refuse."""

import hashlib
import json
import shutil
import subprocess
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from host_runner.artifacts import ActionError, Artifact, collected, packed, unpacked
from host_runner.records import Job, Run

if TYPE_CHECKING:
    from host_runner.world import World

KNOWN = tomllib.loads((Path(__file__).parents[1] / "actions.toml").read_text(encoding="utf-8"))
PROVENANCE, SBOM = "https://slsa.dev/provenance/v1", "https://cyclonedx.org/bom"
SCRIPT_SECONDS = 60


@dataclass
class Call:
    """An action that is called: with these inputs, in a job with this environment."""

    world: "World"
    run: Run
    job: Job
    inputs: Mapping[str, str]
    env: Mapping[str, str]
    log: str = ""

    def needs(self, **scopes: str) -> None:
        """Raises ActionError unless the job's token has these permissions."""
        for scope, wanted in scopes.items():
            got = self.job.permissions.get(scope.replace("_", "-"), "none")
            if got not in (wanted, "write"):
                raise ActionError(f"Resource not accessible by integration: {scope} is {got}, not {wanted}")

    def files(self, patterns: str, *, hidden: bool = False) -> dict[str, bytes]:
        """The files that an input of patterns, one a line, names in the workspace."""
        return collected(self.job.workspace, patterns.split(), hidden=hidden)

    def place(self, path: str) -> Path:
        """A path of an input: relative ones count from the workspace."""
        return self.job.workspace / path


Outputs = dict[str, str]


def checkout(call: Call) -> Outputs:
    """Clones the scratch repository."""
    call.needs(contents="read")
    workspace, origin = call.job.workspace, call.world.origin
    commit = call.world.git("rev-parse", call.inputs.get("ref") or call.run.event.sha)
    for path in workspace.iterdir():  # what an earlier checkout left
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    call.world.git("clone", "--quiet", "--shared", "--no-checkout", str(origin), str(workspace), at=workspace)
    if only := call.inputs.get("sparse-checkout"):
        call.world.git("sparse-checkout", "set", *only.split("\n"), at=workspace)
    call.world.git("checkout", "--quiet", "--detach", commit, at=workspace)
    call.job.kept_credentials |= call.inputs.get("persist-credentials", "true") == "true"
    call.world.furnish(workspace)
    return {"commit": commit, "ref": call.inputs.get("ref", "")}


def setup(call: Call) -> Outputs:
    """Python and node are there; whether a cache was read is noted."""
    call.job.caches |= bool(call.inputs.get("cache"))
    return {"cache-hit": "", "python-version": call.inputs.get("python-version", "")}


def upload_artifact(call: Call) -> Outputs:
    """Keeps files as an artifact of the run."""
    name, missing = call.inputs.get("name", "artifact"), call.inputs.get("if-no-files-found", "warn")
    hidden = call.inputs.get("include-hidden-files") == "true"
    files = call.files(call.inputs["path"], hidden=hidden)
    if not files:
        if missing == "error":
            raise ActionError(f"No files were found with the provided path: {call.inputs['path']}")
        return {}
    overwrite = call.inputs.get("overwrite") == "true"
    made = call.world.state.artifacts.add(call.run.id, name, packed(files), overwrite=overwrite)
    return {"artifact-id": str(made.id), "artifact-digest": made.digest}


def download_artifact(call: Call) -> Outputs:
    """Fetches one artifact, of this run or, with a token that may read it, of another."""
    run = int(call.inputs.get("run-id") or call.run.id)
    if run != call.run.id:
        if call.inputs.get("github-token") != call.job.token:
            raise ActionError("github-token is required to download an artifact of another run")
        call.needs(actions="read")
    name, ids = call.inputs.get("name") or None, call.inputs.get("artifact-ids") or None
    if (name is None) == (ids is None):
        raise ActionError("expected either name or artifact-ids")
    artifact = call.world.state.artifacts.of(run, name=name, id=int(ids) if ids else None)
    _check_digest(artifact)
    where = call.place(call.inputs.get("path", "."))
    unpacked(artifact.content, where)
    return {"download-path": str(where)}


def _check_digest(artifact: Artifact) -> None:
    if hashlib.sha256(artifact.content).hexdigest() != artifact.digest:
        raise ActionError(
            f"{artifact.name}: the digest of the downloaded artifact does not match the expected one"
        )


def attest(call: Call) -> Outputs:
    """Signs, for each subject, that this workflow made it, or what is in it; requires the right to."""
    call.needs(id_token="write", attestations="write")
    subjects = call.files(call.inputs["subject-path"])
    if not subjects:
        raise ActionError(f"Could not find subject at path {call.inputs['subject-path']}")
    predicate = PROVENANCE
    if sbom := call.inputs.get("sbom-path"):
        if json.loads(call.place(sbom).read_bytes()).get("bomFormat") != "CycloneDX":
            raise ActionError("Unsupported SBOM format")
        predicate = SBOM
    for content in subjects.values():
        call.world.attest(hashlib.sha256(content).hexdigest(), predicate, call.run.workflow)
    return {"attestation-id": "1"}


def upload_pages_artifact(call: Call) -> Outputs:
    """Keeps the site as an artifact of the run."""
    files = call.files(call.inputs.get("path", "_site/"))
    if not files:
        raise ActionError(f"there is no site in {call.inputs.get('path')}")
    made = call.world.state.artifacts.add(call.run.id, "github-pages", packed(files))
    return {"artifact_id": str(made.id)}


def deploy_pages(call: Call) -> Outputs:
    """Publishes the run's site."""
    call.needs(pages="write", id_token="write")
    if call.job.environment != "github-pages":
        raise ActionError("Missing environment. Ensure your workflow's deployment job has an environment.")
    call.world.site = call.world.state.artifacts.of(call.run.id, name="github-pages").names()
    return {"page_url": "https://owner.github.io/ladder/"}


def github_script(call: Call) -> Outputs:
    """Runs the script in node, against the scratch API."""
    inputs = {"github-token": call.job.token, **call.inputs}
    env = {**call.env, **{f"INPUT_{name.upper()}": value for name, value in inputs.items()}}
    script = call.world.node.folder / "github-script.mjs"
    node = shutil.which("node") or "node"
    done = subprocess.run(
        [node, str(script)],
        cwd=call.job.workspace,
        env=env,
        capture_output=True,
        text=True,
        timeout=SCRIPT_SECONDS,
    )
    call.log = done.stdout + done.stderr
    if done.returncode:
        raise ActionError(call.log)
    return {}  # they come by way of GITHUB_OUTPUT


ACTIONS: dict[str, Callable[[Call], Outputs]] = {
    "actions/attest": attest,
    "actions/attest-build-provenance": attest,
    "actions/checkout": checkout,
    "actions/deploy-pages": deploy_pages,
    "actions/download-artifact": download_artifact,
    "actions/github-script": github_script,
    "actions/setup-node": setup,
    "actions/setup-python": setup,
    "actions/upload-artifact": upload_artifact,
    "actions/upload-pages-artifact": upload_pages_artifact,
}


def act(uses: str, call: Call) -> Outputs:
    """The outputs of an action; raises ActionError where it fails, ValueError where it is not known here."""
    name, _, commit = uses.partition("@")
    if name not in KNOWN or commit != KNOWN[name]["commit"]:
        raise ValueError(f"{uses}: expected an action of actions.toml at its commit")
    unknown = set(call.inputs) - {*KNOWN[name]["required"], *KNOWN[name]["optional"]}
    missing = [each for each in KNOWN[name]["required"] if not call.inputs.get(each)]
    if unknown or missing:
        raise ValueError(f"{uses}: unknown inputs {sorted(unknown)}, missing inputs {missing}")
    return ACTIONS[name](call)
