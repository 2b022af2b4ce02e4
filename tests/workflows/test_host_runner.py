"""The host runner itself: where it does not do what GitHub does, tests that run on it would say nothing."""

import pytest
from host_runner import events
from host_runner.artifacts import ActionError, Artifacts, collected, packed
from host_runner.steps import assignments, text
from host_runner.world import World

HEAD = "on: push\npermissions: {}\nconcurrency: x\njobs:\n"
JOB = (
    "{id}:\n    runs-on: x\n    permissions: {{contents: read}}\n    {more}\n    steps:\n      - run: {run}\n"
)


@pytest.fixture
def run(node, tmp_path):
    """Runs a workflow that is pushed to main of an empty repository."""
    with World(tmp_path / "github", node) as world:

        def push(workflow):
            sha = world.commit("Push", {".github/workflows/x.yml": workflow})
            (done,) = world.trigger(events.push("main", sha))
            return done

        yield push


def job(id, run="true", more="timeout-minutes: 1"):
    return "  " + JOB.format(id=id, run=run, more=more)


def test_a_job_whose_need_failed_is_skipped_and_so_is_what_needs_it(run):
    done = run(HEAD + job("a", "exit 3") + job("b", more="needs: a") + job("c", more="needs: b"))
    assert done.results == {"a": "failure", "b": "skipped", "c": "skipped"}
    assert done.conclusion == "failure"


@pytest.mark.parametrize(
    ("condition", "result"),
    [
        ("always()", "success"),
        ("failure()", "success"),
        ("'true'", "skipped"),
        ("needs.a.result == 'failure'", "skipped"),
    ],
)
def test_only_a_status_function_lets_a_job_run_after_a_failure(run, condition, result):
    more = f"needs: a\n    if: {condition}"
    assert run(HEAD + job("a", "exit 3") + job("b", more=more)).results["b"] == result


def test_a_step_after_a_failed_one_runs_if_it_asks_for_it(run):
    more = "      - run: echo no\n      - run: echo yes\n        if: failure()\n"
    done = run(HEAD + job("a", "exit 1") + more)
    assert [step.outcome for step in done.job("a").steps] == ["failure", "skipped", "success"]


HANDING_ON = """      - id: out
        run: |
          printf 'n=1\\nlong<<E\\ntwo\\nlines\\nE\\n' >> $GITHUB_OUTPUT
          echo WHO=me >> $GITHUB_ENV
          echo '# Told' >> $GITHUB_STEP_SUMMARY
      - run: test "$WHO" = me
      - run: test "$LONG" = "$(printf 'two\\nlines')"
        env: {LONG: "${{ steps.out.outputs.long }}"}
"""


def test_outputs_environment_and_summary_reach_those_who_come_after(run):
    more = "outputs: {n: '${{ steps.out.outputs.n }}'}"
    after = job("b", 'test "${{ needs.a.outputs.n }}" = 1', more="needs: a")
    done = run(HEAD + job("a", more=more) + HANDING_ON + after)
    assert [(step.run, step.log) for step in done.job("a").steps if step.outcome != "success"] == []
    assert done.results == {"a": "success", "b": "success"}
    assert done.job("a").summary == "# Told\n"


def test_a_matrix_makes_a_job_of_each_and_fails_if_one_does(run):
    more = "strategy: {matrix: {n: [1, 2], m: [x]}}"
    done = run(HEAD + job("a", "test ${{ matrix.n }}${{ matrix.m }} = 1x", more=more))
    assert [(each.matrix["n"], each.result) for each in done.of("a")] == [(1, "success"), (2, "failure")]
    assert done.results == {"a": "failure"}


def test_a_failure_that_is_allowed_is_none(run):
    allowed = "      - id: x\n        run: exit 1\n        continue-on-error: true\n"
    done = run(HEAD + job("a") + allowed)
    assert (done.job("a").result, done.job("a").steps[1].outcome) == ("success", "failure")


def test_a_process_gets_nothing_of_this_machine_but_its_programs(run, monkeypatch):
    monkeypatch.setenv("A_SECRET_OF_MINE", "x")
    assert run(HEAD + job("a", 'test -z "$A_SECRET_OF_MINE"')).results == {"a": "success"}


@pytest.mark.parametrize(
    ("workflow", "message"),
    [
        (HEAD + job("a", more="container: debian"), "container"),
        (HEAD + job("a") + "      - run: x\n        shell: python\n", "shell"),
        (HEAD.replace("permissions: {}", "permissions: write-all") + job("a"), "expected `permissions: {}`"),
        (HEAD + job("a", more="needs: b"), "is no job"),
        (HEAD + job("a", more="if: ${{ true }} && false"), "always true"),
        (HEAD + job("a", more="if: secrets.X == 'y'"), "secrets"),
        (HEAD + job("a", more="env: {X: '${{ stpes.a }}'}"), "stpes"),
        (HEAD + job("a") + "      - uses: actions/checkout@v4\n", "actions.toml"),
    ],
)
def test_what_it_does_not_know_or_github_would_refuse_is_an_error(run, workflow, message):
    with pytest.raises(ValueError, match=message):
        run(workflow)


@pytest.mark.parametrize(
    ("pattern", "branch", "starts"),
    [
        ("main", "main", True),
        ("main", "mainly", False),
        ("release/**", "release/1/2", True),
        ("release/*", "release/1/2", False),
        ("release/**", "release", False),
    ],
)
def test_branch_filters(pattern, branch, starts):
    assert events.starts({"push": {"branches": [pattern]}}, events.push(branch, "0"), "x.yml") == starts


def test_a_filter_that_is_not_known_is_an_error():
    with pytest.raises(ValueError, match="paths"):
        events.starts({"push": {"paths": ["docs/**"]}}, events.push("main", "0"), "x.yml")


@pytest.mark.parametrize(
    ("patterns", "hidden", "names"),
    [
        (["out"], False, ["a.txt", "deep/b.txt"]),
        (["out"], True, [".secret", "a.txt", "deep/b.txt"]),
        (["out", "!out/deep/**"], False, ["a.txt"]),
        (["out/*.txt"], False, ["a.txt"]),
        (["out/a.txt", "out/deep/b.txt"], False, ["a.txt", "deep/b.txt"]),
        ([".hidden"], False, []),
        ([".hidden"], True, ["c.txt"]),
        (["none"], True, []),
    ],
)
def test_artifacts_hold_what_upload_artifact_would_take(tmp_path, patterns, hidden, names):
    for name in ("out/a.txt", "out/deep/b.txt", "out/.secret", ".hidden/c.txt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    assert sorted(collected(tmp_path, patterns, hidden=hidden)) == names


def test_a_name_is_taken_once_a_run_unless_it_may_be_overwritten():
    artifacts = Artifacts()
    first = artifacts.add(1, "x", packed({"a": b"1"}))
    with pytest.raises(ActionError, match="already exists"):
        artifacts.add(1, "x", packed({"a": b"2"}))
    second = artifacts.add(1, "x", packed({"a": b"2"}), overwrite=True)
    assert artifacts.of(1, name="x") == second
    with pytest.raises(ActionError, match="not found"):
        artifacts.of(1, id=first.id)


def test_a_line_that_assigns_nothing_is_refused(tmp_path):
    (tmp_path / "output").write_text("a=b=c\nnothing\n")
    with pytest.raises(ActionError, match="Invalid format 'nothing'"):
        assignments(tmp_path / "output")


def test_values_are_written_as_github_writes_them():
    assert [text(each) for each in (None, True, 3.0, 2.5, "x")] == ["", "true", "3", "2.5", "x"]
