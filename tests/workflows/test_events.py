"""Each workflow is run for the events that start it: what ran, in which order, with what."""

import json

import pytest

WHOLE = ["check", "tests", "package", "attest"]
SECRET = "postgresql://"
CACHING = ("pull-request.yml", "nightly.yml")


def made(run, job):
    return [command for each, command in run.commands() if each == job]


def test_everything_that_should_succeed_does(history):
    assert [(run.workflow, run.conclusion) for run in history.runs()] == [
        (run.workflow, "success") for run in history.runs()
    ]
    assert history.github.state.refused == []


def test_a_push_to_main_packages_attests_and_goes_to_dev(history):
    run = history.main
    assert run.results == dict.fromkeys([*WHOLE, "dev"], "success")
    assert made(run, "check") == ["make system-deps", "make setup", "make level2-pr"]
    assert made(run, "tests") == ["make system-deps", "make setup", "make coverage"]
    assert made(run, "package") == ["make setup", "make level2-package"]
    assert made(run, "attest") == ["make level2-digest"]
    assert made(run, "dev") == [
        "make level2-attestation",
        "make setup",
        "make level2-verify",
        "make level2-main",
    ]


def test_a_push_to_a_release_branch_goes_to_prod_and_starts_nothing_else(history):
    run = history.release
    assert run.results == dict.fromkeys([*WHOLE, "prod"], "success")
    assert made(run, "prod") == [
        "make level2-attestation",
        "make setup",
        "make level2-verify",
        "make level2-release",
    ]


def test_the_package_is_built_once_and_every_job_gets_its_digest(history):
    for run, last in ((history.main, "level2-main"), (history.release, "level2-release")):
        targets = [each["target"] for each in history.calls[str(run.id)]]
        assert targets.count("level2-package") == 1
        digest = run.job("package").outputs["digest"]
        assert len(digest) == 64
        for target in ("level2-digest", "level2-attestation", "level2-verify", last):
            assert history.env(run, target)["PACKAGE_DIGEST"] == digest


def test_wheel_and_list_are_attested_by_the_workflow_that_built_them(history):
    noted = (history.github.folder / "attestations.jsonl").read_text(encoding="utf-8").splitlines()
    counted = {}
    for line in map(json.loads, noted):
        kind = (line["workflow"], line["predicate"].split("/")[2])
        counted[kind] = counted.get(kind, 0) + 1
    assert counted == {
        ("main.yml", "slsa.dev"): 4,  # wheel and list, in each of two runs
        ("main.yml", "cyclonedx.org"): 2,
        ("release.yml", "slsa.dev"): 2,
        ("release.yml", "cyclonedx.org"): 1,
    }


def test_the_store_of_dev_goes_from_run_to_run(history):
    lines = history.github.store("dev")
    assert [line.split()[0] for line in lines] == ["registered", "registered"]
    assert lines[0] != lines[1]  # another package


def test_the_ledger_of_prod_goes_on_through_release_and_retraining(history):
    lines = history.github.store("prod")
    assert [line.split()[0].strip(":") for line in lines] == [
        "promoted",
        "watched",
        "retrained",
        "watched",
        "watched",
        "rolled-back",
    ]
    package = history.release.job("package").outputs["digest"][:12]
    assert all(package in line for line in lines if "watched" not in line)


def test_what_was_installed_does_not_travel_with_a_store(history):
    stores = [each for each in history.github.state.artifacts.all if each.name.startswith("level2-store")]
    assert [each.names() for each in stores if each.run != history.fork.id] == [["ledger.txt"]] * 7


def test_the_ledger_names_who_approved_and_why(history):
    promoted, _, retrained, _, _, rolled_back = history.github.store("prod")
    assert promoted.endswith(f"by chief: push of {history.release.event.sha[:12]}: figures are fine")
    assert " by chief: back" in retrained
    assert rolled_back.endswith("by chief: bias in R01: figures are fine")


def test_retraining_runs_the_released_code_even_when_main_has_moved_on(history):
    run = history.dispatched
    assert run.event.sha == history.later_main.event.sha != history.release.event.sha
    for done in (run.job("monitor"), run.job("prod"), history.rollback.job("prod")):
        assert done.step("Check out the released code").outputs["commit"] == history.release.event.sha
        assert not (done.workspace / "next.txt").exists()


def test_a_data_change_is_acted_upon_and_a_quiet_week_is_not(history):
    assert history.dispatched.results == dict.fromkeys(("released", "monitor", "prod", "report"), "success")
    done = {"released": "success", "monitor": "success"}
    assert history.quiet.results == {**done, "prod": "skipped", "report": "skipped"}
    assert history.drift.results == {**done, "prod": "skipped", "report": "success"}


def test_what_a_dispatch_says_is_text_and_never_code(history):
    from history import EVIL_REASON

    assert history.github.store("prod")[2].endswith(f"{EVIL_REASON}: figures are fine")
    assert list(history.github.folder.rglob("injected")) == []


def test_drift_opens_one_issue_with_evidence_and_three_choices(history):
    (issue,) = history.github.state.issues
    assert issue["labels"] == ["model-in-prod"]
    assert issue["title"] == "The model in prod drifts"
    assert "PSI of `price` 0.31" in issue["body"]
    assert [line.split("**")[1] for line in issue["body"].splitlines() if line.startswith("- [ ]")] == [
        "Tune",
        "Roll back",
        "Retrain",
    ]


def test_drift_that_lasts_brings_the_same_issue_up_to_date(history):
    asked = [(verb, path) for verb, path, _ in history.github.state.written() if path.startswith("/issues")]
    number = history.github.state.issues[0]["number"]
    assert asked[-3:] == [
        ("POST", "/issues"),
        ("PATCH", f"/issues/{number}"),
        ("POST", f"/issues/{number}/comments"),
    ]


def test_a_pull_request_from_a_fork_is_checked_without_secret_or_write(history):
    run = history.fork
    assert run.results == {"check": "success", "tests": "success", "comment": "skipped"}
    assert made(run, "check") == ["make system-deps", "make setup", "make level2-pr"]
    assert made(run, "tests") == ["make system-deps", "make setup", "make coverage"]
    check = run.job("check")
    assert check.permissions == {"actions": "read", "contents": "read"}
    assert SECRET not in json.dumps(history.calls[str(run.id)])
    assert "| all | 30.8 |" in check.summary


def test_a_pull_request_of_a_branch_gets_one_comment_however_often_it_runs(history):
    assert history.change.results == history.again.results
    assert history.again.results == dict.fromkeys(["check", "tests", "comment"], "success")
    (comment,) = [each for each in history.github.state.comments if each["issue"] == 7]
    assert "| all | 30.8 | 31.0 |" in comment["body"]  # beside main
    verbs = [verb for verb, path, _ in history.github.state.written() if "comments" in path][:2]
    assert verbs == ["POST", "PATCH"]


def test_the_job_that_may_comment_runs_no_code_of_the_pull_request(history):
    comment = history.change.job("comment")
    assert comment.permissions == {"contents": "read", "pull-requests": "write"}
    assert comment.result == "success"  # the script of the pull request would have thrown
    assert made(history.change, "comment") == []


def test_what_a_fork_leaves_under_a_trusted_name_is_not_taken(history):
    assert history.change.job("check").step("Find the measurements of main").outputs["run-id"] == str(
        history.main.id
    )
    assert history.release.job("prod").step("Find the store of prod").outputs.get("run-id") is None
    assert history.dispatched.job("released").outputs["run"] == str(history.release.id)


@pytest.mark.parametrize(
    ("run", "target"),
    [("release", "level2-release"), ("dispatched", "level2-retrain"), ("rollback", "level2-rollback")],
)
def test_the_database_of_prod_is_known_to_the_step_that_needs_it_alone(history, run, target):
    calls = history.calls[str(getattr(history, run).id)]
    knowing = {each["target"] for each in calls if SECRET in json.dumps(each["env"])}
    assert knowing == {target}
    assert history.env(getattr(history, run), target)["LEVEL2_PROD_DATABASE_URL"] == "postgresql://prod"


def test_no_job_keeps_credentials_and_no_release_reads_a_cache(history):
    jobs = [(run, job) for run in history.runs() for job in run.jobs]
    assert not any(job.kept_credentials for _, job in jobs)
    assert not any(job.caches for run, job in jobs if run.workflow not in CACHING)


def test_only_four_jobs_may_write_and_each_one_thing(history):
    writing = {
        (run.workflow, job.id, scope)
        for run in history.runs()
        for job in run.jobs
        for scope, got in job.permissions.items()
        if got == "write"
    }
    signing = {(f, "attest", s) for f in ("main.yml", "release.yml") for s in ("attestations", "id-token")}
    assert writing == signing | {
        ("docs.yml", "deploy", "id-token"),
        ("docs.yml", "deploy", "pages"),
        ("pull-request.yml", "comment", "pull-requests"),
        ("retrain.yml", "report", "issues"),
    }


def test_the_site_is_published_from_main(history):
    assert history.docs.results == {"build": "success", "deploy": "success"}
    assert history.github.site == ["index.html"]


def test_every_drill_of_the_night_is_a_job_of_its_own(history):
    drills = [
        each["env"]["DRILLS"] for each in history.calls[str(history.nightly.id)] if "DRILLS" in each["env"]
    ]
    assert drills == [job.matrix["drill"] for job in history.nightly.of("drills")]
    assert len(drills) > 5
    assert made(history.nightly, "audit") == ["make setup", "make audit", "make workflows"]
    assert made(history.nightly, "container")[-1] == "make container-test"
