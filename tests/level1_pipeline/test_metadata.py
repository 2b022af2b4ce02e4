import os
import shutil
import socket
from pathlib import Path

import pytest

import demand
from level1_pipeline import metadata
from level1_pipeline.metadata import COMPONENTS, component_versions, executor, service

GITHUB = {
    "GITHUB_SERVER_URL": "https://github.example.org",
    "GITHUB_REPOSITORY": "shop/forecast",
    "GITHUB_RUN_ID": "77",
}


def test_the_executor_is_the_user_and_the_host():
    assert executor({"LOGNAME": "ada", "USER": "root"}) == {
        "user": "ada",
        "host": socket.gethostname(),
        "process": os.getpid(),
        "service": None,
    }


@pytest.mark.parametrize("error", [KeyError, OSError])
def test_an_account_without_a_name_has_a_number(monkeypatch, error):
    def nameless():
        raise error("no name")

    monkeypatch.setattr("getpass.getuser", nameless)
    assert str(executor({})["user"]).startswith("uid ")


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, None),
        ({"CI": "false"}, None),
        ({"CI": "true"}, "unnamed CI"),
        (GITHUB, "https://github.example.org/shop/forecast/actions/runs/77"),
        (
            {**GITHUB, "CI": "true", "GITHUB_RUN_ATTEMPT": "2"},
            "https://github.example.org/shop/forecast/actions/runs/77/attempts/2",
        ),
        ({"CI": "true", "CI_JOB_URL": "https://lab.example.org/jobs/5"}, "https://lab.example.org/jobs/5"),
        ({"BUILD_URL": "https://jenkins.example.org/job/5"}, "https://jenkins.example.org/job/5"),
    ],
)
def test_an_automated_run_is_named_by_its_address(environment, expected):
    assert service(environment) == expected


def test_every_component_has_a_version_and_the_same_code_the_same_one():
    found = component_versions()
    assert list(found) == [*COMPONENTS, "pipeline"]
    assert len(set(found.values())) == len(found) and all(len(each) == 12 for each in found.values())
    assert component_versions() == found


def test_every_component_is_made_of_modules_that_are_there():
    folder = Path(demand.__file__).parent
    for names in COMPONENTS.values():
        for name in names:
            assert (folder / name).exists(), name


def test_a_changed_or_renamed_module_changes_the_version(tmp_path):
    (tmp_path / "a.py").write_text("x = 1\n")
    before = metadata._hash([tmp_path])
    (tmp_path / "notes.txt").write_text("no code")
    (tmp_path / "a.py").write_bytes(b"x = 1\r\n")  # a checkout with other line ends is the same code
    assert metadata._hash([tmp_path]) == before
    (tmp_path / "a.py").write_text("x = 2\n")
    changed = metadata._hash([tmp_path])
    shutil.move(tmp_path / "a.py", tmp_path / "b.py")
    assert len({before, changed, metadata._hash([tmp_path])}) == 3
