"""What goes wrong on the way to prod stops there, and what has to be kept is kept."""

import hashlib

import pytest
from host_runner import events
from host_runner.actions import PROVENANCE


@pytest.fixture
def release(github):
    """Pushes release/1.0 of the scratch GitHub as main is."""

    def pushed():
        github.branch("release/1.0", "main")
        (run,) = github.push("release/1.0")
        return run

    return pushed


@pytest.mark.parametrize(("target", "job"), [("level2-pr", "check"), ("coverage", "tests")])
def test_a_failing_check_stops_before_anything_is_packaged(target, job, github, release):
    github.scenario({target: {"exit": 1}})
    run = release()
    assert run.results == dict.fromkeys(["check", "tests"], "success") | {job: "failure"} | dict.fromkeys(
        ["package", "attest", "prod"], "skipped"
    )
    assert github.state.artifacts.all == []


def test_a_refused_release_keeps_its_ledger_and_the_next_one_takes_it_over(github, release):
    github.scenario({"level2-release": {"exit": 3}})
    refused = release()
    assert refused.results["prod"] == "failure"
    assert len(github.store("prod")) == 1
    github.scenario({})
    github.branch("main")
    github.commit("Mend it", {"mended.txt": "x"})
    taken = release().job("prod").step("Find the store of prod").outputs["run-id"]
    assert taken == str(refused.id)
    assert len(github.store("prod")) == 2


def test_without_approval_nothing_of_prod_runs(github, release):
    github.settings.environments["prod"].approver = None
    run = release()
    assert run.results["prod"] == "waiting"
    assert run.job("prod").steps == []
    assert [each["target"] for each in github.calls()].count("level2-release") == 0


def spoil(github, after, forge):
    """Changes the package's wheel once the job `after` has ended."""

    def change(run, job):
        if job.id == after:
            github.state.artifacts.of(run.id, name="level2-package").replace(
                "mlops_ladder-0.1.0-py3-none-any.whl", "other code", forge=forge
            )

    github.after_job = change


@pytest.mark.parametrize(
    ("after", "forge", "stops"),
    [
        ("package", False, ("attest", "Fetch the package", "digest of the downloaded artifact")),
        ("package", True, ("attest", "Verify its digest", "got other bytes")),
        ("attest", True, ("prod", "Verify who built it", "expected an attestation by release.yml")),
    ],
)
def test_a_package_that_was_changed_on_the_way_stops(github, release, after, forge, stops):
    spoil(github, after, forge)
    run = release()
    job, step, says = stops
    assert run.results[job] == "failure"
    assert run.job(job).step(step).outcome == "failure"
    assert says in run.job(job).step(step).log
    assert "level2-release" not in [each["target"] for each in github.calls()]


def test_a_package_that_was_replaced_whole_has_another_digest_and_stops(github, release):
    other = "0" * 64 + "  other\n"

    def replace(run, job):
        if job.id == "attest":  # the list of another package, which the same workflow attested
            github.state.artifacts.of(run.id, name="level2-package").replace("SHA256SUMS", other)
            github.attest(hashlib.sha256(other.encode()).hexdigest(), PROVENANCE, "release.yml")

    github.after_job = replace
    run = release()
    assert run.results["prod"] == "failure"
    assert "expected the package with digest" in run.job("prod").step("Verify who built it").log


def test_a_package_that_another_workflow_signed_is_refused(github, release):
    noted = github.folder / "attestations.jsonl"

    def other(run, job):
        if job.id == "attest":
            text = noted.read_text(encoding="utf-8")
            noted.write_text(text.replace("release.yml", "main.yml"), encoding="utf-8")

    github.after_job = other
    run = release()
    assert run.results["prod"] == "failure"
    assert run.job("prod").step("Make the environment").outcome == "skipped"


def test_a_refused_retraining_is_told_in_the_issue_and_nothing_is_lost(github, release):
    release()
    github.scenario(
        {"level2-monitor": {"output": {"retrain": "true", "drift": "false"}}, "level2-retrain": {"exit": 3}}
    )
    run = github.schedule("retrain.yml")
    assert run.results == {
        "released": "success",
        "monitor": "success",
        "prod": "failure",
        "report": "success",
    }
    (issue,) = github.state.issues
    assert issue["title"] == "Retraining in prod was refused or failed"
    assert "3 of 56 segments lost the gate" in issue["body"]
    assert [line.split()[0] for line in github.store("prod")] == ["promoted", "watched:", "retrained"]


def test_a_store_that_expired_is_passed_over(github, release):
    release()
    for artifact in github.state.artifacts.all:
        artifact.expired = True
    assert release().job("prod").step("Find the store of prod").outputs.get("run-id") is None


def test_a_store_that_a_hand_started_run_of_another_branch_left_is_not_taken(github, release):
    first = release()
    github.branch("main")
    github.branch("mine")
    (mine,) = github.trigger(events.by_hand("retrain.yml", "mine", github.commit("Mine"), reason="a try"))
    assert mine.results["monitor"] == "success"
    assert release().job("prod").step("Find the store of prod").outputs["run-id"] == str(first.id)


def test_before_the_first_release_there_is_nothing_to_retrain(github):
    run = github.schedule("retrain.yml")
    assert run.results == {
        "released": "success",
        "monitor": "skipped",
        "prod": "skipped",
        "report": "skipped",
    }


def test_before_the_first_release_there_is_nothing_to_go_back_to(github):
    (run,) = github.trigger(
        events.by_hand("rollback.yml", "main", github.git("rev-parse", "main"), reason="x")
    )
    assert run.results == {"prod": "failure"}
    assert "Release first" in run.job("prod").step("Find the package that was released last").log


def test_another_dispatch_and_another_branch_start_nothing(github):
    sha = github.git("rev-parse", "main")
    assert github.trigger(events.dispatched(sha, "something-else")) == []
    github.branch("feature")
    assert github.push("feature") == []


def test_a_known_fault_makes_the_night_red_and_stops_no_other_job(github):
    github.scenario({"audit": {"exit": 1}})
    run = github.schedule("nightly.yml")
    assert run.conclusion == "failure"
    assert run.results == {"drills": "success", "audit": "failure", "container": "success"}
    assert run.job("audit").steps[-1].outcome == "success"  # the workflows are looked at all the same
