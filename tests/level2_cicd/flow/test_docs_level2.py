import re
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import typer
from click import Group

from level2_cicd.commands import command_line
from level2_cicd.package import Package


@pytest.fixture(scope="module")
def commands(root: Path) -> list[list[str]]:
    page = (root / "docs" / "level2.md").read_text(encoding="utf-8")
    return [shlex.split(each) for each in re.findall(r"^python -m level2_cicd (.*)$", page, re.MULTILINE)]


def test_the_page_tells_every_command_of_the_flow_with_options_that_there_are(
    commands: list[list[str]],
) -> None:
    assert [words[:2] if words[0] == "package" else words[:1] for words in commands] == [
        ["pr"],
        ["package", "build"],
        ["package", "verify"],
        ["package", "audit"],
        ["release"],
        ["retrain"],
    ]
    for words in commands:
        group: Any = typer.main.get_command(command_line())
        while isinstance(group, Group):
            group, words = group.commands[words[0]], words[1:]
        group.make_context("python -m level2_cicd", list(words))  # raises for what it does not know


def test_the_commands_about_the_package_run_as_the_page_shows_them(
    commands: list[list[str]],
    built: Package,
    tmp_path: Path,
    cli: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (tmp_path / "dist").mkdir()
    (tmp_path / "dist" / "level2").symlink_to(built.folder)
    monkeypatch.chdir(tmp_path)
    outcome = cli(*commands[2])
    assert (outcome.code, built.digest in outcome.out) == (0, True)


def test_the_page_tells_every_exit_code(root: Path) -> None:
    page = (root / "docs" / "level2.md").read_text(encoding="utf-8")
    codes = re.findall(r"^\| (\d+) \|", page.partition("## Exit codes")[2], re.MULTILINE)
    assert codes == ["0", "2", "3", "4", "5", "6", "7", "64"]
