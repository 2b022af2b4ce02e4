import re
import shlex
import socket
import sys

import pytest
from command_lines import NotACommand, check, program_of
from walkthrough import FOLDER, PAGES, Failed, begin_anew, blocks, run_page

STATE = (
    "Which data was it trained on?",
    "Which code?",
    "Which settings?",
    "How good was it, on which weeks?",
    "Who approved it?",
    "How stale is it?",
    "Which model made this forecast?",
    "What was in use before, to go back to?",
)
SHELL = {"cat", "head", "cp", "echo", "curl"}
MINUTES = re.compile(r"^## \d+\. .* \((\d+) minutes\)$", re.MULTILINE)


@pytest.fixture(params=PAGES)
def page(request):
    return (FOLDER / request.param).read_text(encoding="utf-8")


def test_there_are_no_other_walkthroughs():
    assert sorted(PAGES) == sorted(each.name for each in FOLDER.glob("*.md"))


def test_every_chapter_ends_with_the_same_eight_rows(page):
    chapters = re.split(r"^## (?=\d+\. )", page, flags=re.MULTILINE)[1:]
    assert len(chapters) >= 6
    for chapter in chapters:
        assert tuple(re.findall(r"^\| (\S[^|]*\?) \| \S", chapter, re.MULTILINE)) == STATE, (
            chapter.splitlines()[0]
        )


def test_a_chapter_lasts_at_most_15_minutes(page):
    chapters = re.findall(r"^## \d+\. ", page, re.MULTILINE)
    minutes = [int(each) for each in MINUTES.findall(page)]
    assert len(minutes) == len(chapters)
    assert max(minutes) <= 15


def test_every_command_is_one_that_there_is(page, root):
    targets = set(
        re.findall(r"^([a-z0-9-]+):.*## ", (root / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    )
    for block in blocks(page):
        for command in block.commands:
            words = shlex.split(command.split(" >")[0])
            ours = program_of(words)
            if ours:
                check(*ours)
            elif words[0] == "make":
                assert words[1] in targets, command
                assert all(re.fullmatch(r"(?:SIZE|STORE|DATA)=\S+", each) for each in words[2:]), command
            else:
                assert words[0] in SHELL, command


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["trian"], "no command 'trian'"),
        (["train", "--env-dir", "x", "--data", "y", "--epoch", "4"], "--epoch"),
        (["train", "--env-dir", "x"], r"missing \['--data'\]"),
        (["train", "--env-dir", "x", "--data", "y", "z"], r"left over \['z'\]"),
    ],
)
def test_a_command_that_there_is_not_is_found(words, told):
    with pytest.raises(NotACommand, match=told):
        check("python -m level1_pipeline", words)


def test_a_page_is_run_command_by_command(tmp_path):
    first, second = "```\necho one > a\ncat a\n```\n", "<!-- exit: 3 or 7 -->\n```\ntouch b\nexit 7\n```\n"
    run_page(f"{first}\n{second}```text\nexit 1\n```\n", tmp_path)
    assert {each.name for each in tmp_path.iterdir()} == {"a", "b"}


@pytest.mark.parametrize(
    "page", ["```\nexit 2\n```\n", "<!-- exit: 2 -->\n```\ntrue\n```\n", "```\nfalse\ntrue\n```\n"]
)
def test_a_command_that_ends_otherwise_than_said_fails_its_page(tmp_path, page):
    with pytest.raises(Failed, match="expected"):
        run_page(page, tmp_path)


def test_a_service_is_there_for_the_rest_of_its_page_and_ends_with_it(tmp_path):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    served = f"{sys.executable} -m http.server --bind 127.0.0.1 {port} # --port {port}"
    asked = f"curl --silent --fail localhost:{port} --output got"
    run_page(f"<!-- background -->\n```\n{served}\n```\n\n```\n{asked}\n```\n", tmp_path)
    assert (tmp_path / "got").is_file()
    with pytest.raises(Failed):
        run_page(f"```\n{asked}\n```\n", tmp_path)


@pytest.mark.walkthrough
@pytest.mark.parametrize("name", PAGES)
def test_every_command_of_a_walkthrough_ends_as_its_page_says(request, root, name):
    if "walkthrough" not in request.config.option.markexpr:
        pytest.skip("not run: takes a quarter of an hour; make walkthroughs")
    begin_anew(root, name)
    run_page((FOLDER / name).read_text(encoding="utf-8"), root)
