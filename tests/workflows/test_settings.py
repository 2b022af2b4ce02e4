"""Rulesets, environments and owners as files: they fit the workflows, and are applied as they stand."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

GITHUB = Path(__file__).parents[2] / ".github"
# Stands for gh: notes method, path and body of each call, and answers what a fresh repository would.
GH = """
import json, subprocess, sys
arguments = sys.argv[2:]
value = lambda name: arguments[arguments.index(name) + 1] if name in arguments else ""
source = value("--input")
body = json.load(sys.stdin if source == "-" else open(source)) if source else None
fields = [arguments[n + 1] for n, each in enumerate(arguments) if each in ("-f", "-F")]
path = next(each for each in arguments if each.startswith(("repos/", "users/", "orgs/")))
log = {"method": value("--method") or "GET", "path": path, "body": body, "fields": fields}
with open(LOG, "a") as file:
    file.write(json.dumps(log) + "\\n")
answers = {
    "rulesets": [{"name": "main", "id": 5}],
    "deployment-branch-policies": {"branch_policies": [{"name": "main"}]},
}
if value("--jq"):
    answer = answers.get(path.rpartition("/")[2], {"id": 77})
    done = subprocess.run(["jq", "-r", value("--jq")], input=json.dumps(answer), text=True)
    sys.exit(done.returncode)
"""


def loaded(folder):
    return {
        path.stem: json.loads(path.read_text(encoding="utf-8")) for path in (GITHUB / folder).glob("*.json")
    }


def workflows():
    return {
        path.name: yaml.load(path.read_text(encoding="utf-8"), yaml.BaseLoader)
        for path in (GITHUB / "workflows").glob("*.yml")
    }


def required(ruleset):
    rule = next(each for each in ruleset["rules"] if each["type"] == "required_status_checks")
    return [each["context"] for each in rule["parameters"]["required_status_checks"]]


def test_the_checks_that_a_ruleset_requires_are_the_jobs_of_the_pull_request_that_judge():
    names = {job["name"] for job in workflows()["pull-request.yml"]["jobs"].values()}
    for ruleset in loaded("rulesets").values():
        assert set(required(ruleset)) == names - {"comment"}, ruleset["name"]


def test_rulesets_guard_the_branches_that_workflows_trust():
    included = [each["conditions"]["ref_name"]["include"] for each in loaded("rulesets").values()]
    assert sorted(included) == [["refs/heads/release/**"], ["~DEFAULT_BRANCH"]]
    for ruleset in loaded("rulesets").values():
        assert (ruleset["enforcement"], ruleset["bypass_actors"]) == ("active", [])
        assert {"deletion", "non_fast_forward", "pull_request"} <= {each["type"] for each in ruleset["rules"]}


def test_every_environment_of_a_job_is_a_file():
    named = [job.get("environment") for each in workflows().values() for job in each["jobs"].values()]
    assert {each for each in named if isinstance(each, str)} == set(loaded("environments"))


def test_prod_has_reviewers_who_are_not_the_one_who_asks():
    prod = loaded("environments")["prod"]
    assert prod["reviewed"] and prod["settings"]["prevent_self_review"]
    assert not loaded("environments")["dev"]["reviewed"]


@pytest.fixture
def applied(tmp_path):
    """Applies the settings to what the stand-in for gh is; the calls that it noted."""

    def apply(reviewers):
        (tmp_path / "gh.py").write_text(f"LOG = {str(tmp_path / 'log')!r}\n{GH}", encoding="utf-8")
        (tmp_path / "gh").write_text(f'#!/bin/sh\nexec "{sys.executable}" "{tmp_path}/gh.py" "$@"\n')
        (tmp_path / "gh").chmod(0o755)
        env = {"PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}", "REVIEWERS": reviewers}
        done = subprocess.run([GITHUB / "apply-settings.sh"], env=env, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return [json.loads(line) for line in (tmp_path / "log").read_text(encoding="utf-8").splitlines()]

    return apply


@pytest.mark.skipif(shutil.which("jq") is None, reason="not run: jq is not installed; make system-deps")
def test_applying_makes_what_is_missing_and_updates_what_is_there(applied):
    calls = applied("your-org/chiefs")
    assert calls[0]["path"] == "orgs/your-org/teams/chiefs"
    written = [(each["method"], each["path"].removeprefix("repos/{owner}/{repo}/")) for each in calls]
    assert [each for each in written if each[0] != "GET"] == [
        ("PUT", "rulesets/5"),  # main is there
        ("POST", "rulesets"),
        ("PUT", "environments/dev"),
        ("PUT", "environments/prod"),
        ("POST", "environments/prod/deployment-branch-policies"),  # main is there, release/* is not
        ("PUT", "actions/permissions/workflow"),
    ]
    bodies = {each["path"].rpartition("/")[2]: each["body"] for each in calls if each["body"]}
    assert bodies["prod"]["reviewers"] == [{"type": "Team", "id": 77}]
    assert bodies["dev"]["reviewers"] == []


@pytest.mark.skipif(shutil.which("jq") is None, reason="not run: jq is not installed; make system-deps")
def test_an_account_may_review_as_well(applied):
    (body,) = [each["body"] for each in applied("chief") if each["path"].endswith("environments/prod")]
    assert body["reviewers"] == [{"type": "User", "id": 77}]


def test_without_reviewers_nothing_is_applied():
    env = {"PATH": os.environ["PATH"]}
    done = subprocess.run([GITHUB / "apply-settings.sh"], env=env, capture_output=True, text=True)
    assert (done.returncode, "REVIEWERS: expected" in done.stderr) == (64, True)


def test_every_path_that_has_owners_is_there():
    root = GITHUB.parent
    lines = [line.split() for line in (GITHUB / "CODEOWNERS").read_text(encoding="utf-8").splitlines()]
    paths = [line[0].strip("/") for line in lines if line and line[0] not in ("#", "*")]
    assert paths and [each for each in paths if not (root / each).exists()] == []
