"""It judges itself: the folders of this repository are the levels that they stand for."""

import json

import pytest

from maturity.__main__ import main

LEVELS = {"level0_manual": (0, 0), "level1_pipeline": (1, 2), "level2_cicd": (2, 4)}


@pytest.fixture(scope="module", params=LEVELS)
def judged(request, root, tmp_path_factory):
    """A folder and its assessment as JSON, people's questions put aside."""
    out = tmp_path_factory.mktemp("assessed") / "now.json"
    nobody = out.parent / "assessment.toml"
    told = ["--format", "json", "--out", str(out), "--as-of", "2026-11-20", "--answers", str(nobody)]
    assert main(["assess", str(root), "--scope", request.param, *told]) == 0
    return request.param, json.loads(out.read_text(encoding="utf-8"))


def test_each_folder_is_the_level_that_it_stands_for(judged):
    folder, found = judged
    assert (found["google_level"], found["azure_level"]) == LEVELS[folder], (
        found["google"]["blocking"],
        found["azure"]["blocking"],
    )


def test_only_questions_for_people_are_put_aside(judged):
    _, found = judged
    assert all(name.startswith("people-") for name in found["azure"]["people_aside"])


def test_every_finding_is_a_line_of_a_file(judged, root):
    _, found = judged
    places = [each for question in found["questions"] for each in question["evidence"]]
    assert len(places) > 50
    for each in places:
        text = (root / each["path"]).read_bytes()
        assert 1 <= each["line"] <= text.count(b"\n") + 1, each
