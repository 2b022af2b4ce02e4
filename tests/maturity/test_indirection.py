"""Tests that CI starts by way of something else count as started by CI."""

import pytest

from maturity.grades import Grade

TESTS = {"tests/test_rows.py": "def test_sum():\n    assert 1 + 1 == 2\n"}
ON_PUSH = "on: [push]\njobs:\n  check:\n    runs-on: ubuntu-latest\n    steps:\n      - run: {}\n"
CIRCLE = "jobs:\n  a:\n    steps:\n      - run: pytest\nworkflows:\n  main:\n    jobs: [{}]\n"
JOB = "on: push\njobs:\n  a:\n    steps:\n"


def github(command):
    return {".github/workflows/ci.yml": ON_PUSH.format(command)}


WAYS = {
    "pytest": github("pytest"),
    "a folder of programs": github(".venv/bin/python -m pytest -q tests"),
    "uv run": github("uv run --frozen pytest"),
    "poetry run coverage": github("poetry run coverage run -m pytest"),
    "make": github("make ci")
    | {"Makefile": "BIN := .venv/bin\nci: lint test\nlint:\n\ttrue\ntest:\n\t@$(BIN)/pytest \\\n\t  -q\n"},
    "make in make": github("make") | {"Makefile": "all:\n\t$(MAKE) check\n\ncheck:\n\tpytest\n"},
    "just": github("just ci")
    | {"justfile": "ci: (test 'a') lint\n\nlint:\n    ruff check\n\ntest which:\n    @pytest {{which}}\n"},
    "tox": github("tox -e py311")
    | {"tox.ini": "[testenv:py311]\ndeps = pytest\ncommands =\n    pytest {posargs}\n"},
    "tox in pyproject.toml": github("tox")
    | {"pyproject.toml": "[tool.tox.env.py]\ncommands = [['pytest', '-q']]\n"},
    "nox": github("nox -s unit")
    | {"noxfile.py": "import nox\n\n@nox.session\ndef unit(session):\n    session.run('pytest', '-q')\n"},
    "mise": github("mise run test")
    | {"mise.toml": "[tasks.test]\ndepends = ['setup']\nrun = ['uv run pytest']\n"},
    "npm": github("npm test") | {"package.json": '{\n\t"scripts": {"test": "pytest -q"}\n}\n'},
    "npm run": github("npm run check")
    | {"package.json": '{"scripts": {"check": "npm run unit", "unit": "pytest"}}'},
    "pre-commit": github("pre-commit run --all-files")
    | {".pre-commit-config.yaml": "repos:\n  - hooks:\n      - id: unit\n        entry: pytest -q\n"},
    "poe": github("poe test") | {"pyproject.toml": "[tool.poe.tasks]\ntest = 'pytest'\n"},
    "taskfile": github("task test") | {"Taskfile.yml": "tasks:\n  test:\n    cmds:\n      - pytest\n"},
    "a script": github("./ci/run.sh") | {"ci/run.sh": "#!/bin/sh\nset -e\ncd . && pytest || exit 1\n"},
    "Python": github("python tools/check.py")
    | {"tools/check.py": "import subprocess\nimport sys\nsubprocess.run([sys.executable, '-m', 'pytest'])\n"},
    "a composite action": {
        ".github/workflows/ci.yml": JOB + "      - uses: ./.github/actions/check\n",
        ".github/actions/check/action.yml": "runs:\n  steps:\n    - run: pytest\n      shell: bash\n",
    },
    "a reusable workflow": {
        ".github/workflows/ci.yml": "on: push\njobs:\n  a:\n    uses: ./.github/workflows/check.yml\n",
        ".github/workflows/check.yml": "on: workflow_call\njobs:\n  a:\n    steps:\n      - run: pytest\n",
    },
    "GitLab": {".gitlab-ci.yml": "test:\n  script:\n    - pytest\n"},
    "Azure": {"azure-pipelines.yml": "trigger: [main]\nsteps:\n  - script: pytest\n"},
    "an Azure template": {
        "ci/pipeline.yml": "pr: [main]\njobs:\n  - template: steps.yml\n",
        "ci/steps.yml": "steps:\n  - task: AzureCLI@2\n    inputs:\n      inlineScript: |\n        pytest\n",
    },
    "CircleCI": {
        ".circleci/config.yml": "jobs:\n  a:\n    steps:\n      - run:\n          command: pytest\n"
    },
    "a workflow of CircleCI": {".circleci/config.yml": CIRCLE.format("a")},
    "Cloud Build": {
        "cloudbuild.yaml": "steps:\n  - name: python:3.11\n    entrypoint: sh\n    args: [-c, make test]\n",
        "Makefile": "test:\n\tpytest\n",
    },
    "CodeBuild": {
        "ci/buildspec.yml": "version: 0.2\nphases:\n  build:\n    commands:\n      - bash check.sh\n",
        "check.sh": "pytest\n",
    },
    "an option called version": github("python tools/check.py --version 3")
    | {"tools/check.py": "import subprocess\nsubprocess.run(['pytest', 'tests'])\n"},
    "a job handed over": github("ray job submit deploy/job.yaml")
    | {"deploy/job.yaml": "name: x\nentrypoint: bash deploy/run.sh\n", "deploy/run.sh": "pytest\n"},
}
NOT = {
    "a person starts it": {
        ".github/workflows/ci.yml": "on: workflow_dispatch\njobs:\n  a:\n    steps:\n      - run: pytest\n"
    },
    "nothing calls it": {"Makefile": "test:\n\tpytest\n"} | github("make lint"),
    "a target that is not there": {"Makefile": "unit:\n\tpytest\n"} | github("make test"),
    "its failure is ignored": github("pytest || true"),
    "the step's failure is ignored": {
        ".github/workflows/ci.yml": JOB + "      - run: pytest\n        continue-on-error: true\n"
    },
    "the recipe's failure is ignored": github("make t") | {"Makefile": "t:\n\t-pytest\n"},
    "it is only spoken of": github("echo pytest"),
    "it is a comment": github("ruff check . # pytest"),
    "it only lists": github("pytest --collect-only"),
    "the job is off": {
        ".github/workflows/ci.yml": "on: push\njobs:\n  a:\n    if: false\n    steps:\n      - run: pytest\n"
    },
    "the step is off": {".github/workflows/ci.yml": JOB + "      - if: ${{ false }}\n        run: pytest\n"},
    "the step waits for another event": {
        ".github/workflows/ci.yml": "on: [push, workflow_dispatch]\njobs:\n  a:\n    steps:\n"
        "      - if: github.event_name == 'workflow_dispatch'\n        run: pytest\n"
    },
    "the job needs one that waits for another event": {
        ".github/workflows/ci.yml": "on: [push, workflow_dispatch]\njobs:\n"
        "  a:\n    if: github.event_name == 'workflow_dispatch'\n    steps:\n      - run: 'true'\n"
        "  b:\n    needs: a\n    steps:\n      - run: pytest\n"
    },
    "GitLab waits for a person": {".gitlab-ci.yml": "test:\n  when: manual\n  script: [pytest]\n"},
    "no workflow of CircleCI names the job": {".circleci/config.yml": CIRCLE.format("b")},
    "Azure waits for a person": {"azure-pipelines.yml": "trigger: none\nsteps:\n  - script: pytest\n"},
    "a reusable workflow that nobody calls": {
        ".github/workflows/check.yml": "on: workflow_call\njobs:\n  a:\n    steps:\n      - run: pytest\n"
    },
}


@pytest.mark.parametrize("way", WAYS)
def test_tests_that_a_workflow_reaches_run_automatically(way, grade):
    assert grade("code-tests", TESTS | WAYS[way]) is Grade.AUTOMATIC


@pytest.mark.parametrize("way", NOT)
def test_tests_that_no_workflow_holds_a_change_to_only_exist(way, grade):
    assert grade("code-tests", TESTS | NOT[way]) is Grade.EXISTS


@pytest.mark.parametrize(
    "test",
    [
        "def test_sum():\n    pass\n",
        "def test_sum():\n    assert True\n",
        "import pytest\n\n@pytest.mark.skip\ndef test_sum():\n    assert 1 + 1 == 2\n",
        "if False:\n    def test_sum():\n        assert 1 + 1 == 2\n",
        "# def test_sum(): assert 1 + 1 == 2\n",
        "TEXT = 'def test_sum(): assert 1'\n",
    ],
)
def test_a_test_that_cannot_fail_is_none(test, grade):
    assert grade("code-tests", github("pytest") | {"tests/test_rows.py": test}) is Grade.NONE


def test_what_a_schedule_starts_is_told_with_the_workflow():
    from small_repositories import results_of

    workflow = (
        "on:\n  schedule:\n    - cron: '0 3 * * 1'\njobs:\n  a:\n    steps:\n      - run: make retrain\n"
    )
    found = results_of(
        {
            ".github/workflows/weekly.yml": workflow,
            "Makefile": "retrain:\n\tpython train.py\n",
            "train.py": "x = 1\n",
        }
    )
    result = found["training-retrain"]
    assert result.grade is Grade.AUTOMATIC
    assert {fact.place for fact in result.facts} == {".github/workflows/weekly.yml:7", "Makefile:2"}
    assert "weekly.yml on schedule" in result.because
