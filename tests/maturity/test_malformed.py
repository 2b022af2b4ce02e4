"""Broken repositories: a short run of the drill, and the worst of its faults by name."""

import importlib.util
import json

import pytest

from maturity.__main__ import main
from maturity.files import read_tree


@pytest.fixture(scope="module")
def drill(root):
    spec = importlib.util.spec_from_file_location("malformed", root / "tests" / "drills" / "malformed.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_malformed_repositories_are_assessed_without_a_crash(drill, tmp_path):
    assert drill.run(26, tmp_path) == []


def test_what_cannot_be_read_is_named_and_the_rest_is_judged(tmp_path, capsys):
    (tmp_path / "train.py").write_text("import mlflow\nmlflow.start_run()\n")
    (tmp_path / "broken.py").write_text("def (:\n")
    (tmp_path / "broken.ipynb").write_bytes(b"\xff\xfe{")
    (tmp_path / "loop").symlink_to(tmp_path)
    (tmp_path / "away.py").symlink_to("/etc/hostname")
    assert main(["assess", str(tmp_path), "--format", "json", "--as-of", "2026-11-20"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert {each["path"] for each in found["problems"]} == {"broken.py", "broken.ipynb"}
    assert next(q for q in found["questions"] if q["id"] == "training-tracking")["grade"] == "exists"


def test_a_folder_that_a_tool_built_is_left_out_one_with_scripts_is_not(tmp_path):
    for path in ("build/make.py", "made/build/lib/a.py", "made/build/b.py", "web/build/page.yml"):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text("x = 1\n")
    assert read_tree(tmp_path).paths == ("build/make.py",)
