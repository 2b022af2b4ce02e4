import re
import shlex

import pytest

from level2_cicd.environments import environment


@pytest.fixture(scope="module")
def page(root):
    return (root / "docs" / "level2-ledger.md").read_text(encoding="utf-8")


def test_the_commands_of_the_page_run_one_after_the_other(page, releases, cli):
    made = releases("prod", promoted=1, issued=True)
    commands = re.findall(r"^python -m level2_cicd (.*)$", page, re.MULTILINE)
    assert len(commands) == 6
    printed = ""
    for command in commands:
        words = shlex.split(command.replace("45880a905f64", made.versions[1]))
        outcome = cli(*words, *made.options[2:])
        assert outcome.code == 0, f"{command}: {outcome.err}"
        printed += outcome.out
    for part in (
        "a rollback leads to",
        "now serves",
        "serves again",
        "took:",
        "everything is as it was released",
    ):
        assert part in printed


def test_the_page_tells_the_environments_as_they_are(page, tmp_path):
    line = next(each for each in page.splitlines() if each.startswith("| data |"))
    for name in ("local", "dev", "prod"):
        found = environment(name, tmp_path)
        assert f"`.store/level2/{name}`" in page
        sizes = dict(zip(("local", "dev", "prod"), line.split(" | ")[1:], strict=True))
        assert sizes[name].strip(" |") == found.size


def test_every_command_tells_its_examples(cli):
    for words in (["status"], ["history"], ["promote"], ["rollback"], ["audit", "why"], ["audit", "verify"]):
        outcome = cli(*words, "--help")
        assert outcome.code == 0
        assert "Example" in outcome.out and f"python -m level2_cicd {' '.join(words)}" in outcome.out
