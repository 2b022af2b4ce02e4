import re
import shutil

import pytest

USAGE = 64


def test_a_store_gets_its_pages(cli, small_store, tmp_path):
    outcome = cli("dashboard", "--store", small_store, "--out", tmp_path / "pages")
    assert outcome.code == 0, outcome.err
    assert str(tmp_path / "pages" / "index.html") in outcome.out.replace("\n", "")
    assert len(list((tmp_path / "pages").iterdir())) == 4


def test_ages_are_counted_to_the_day_that_is_named(cli, small_store, tmp_path):
    assert cli("dashboard", "--store", small_store, "--out", tmp_path, "--as-of", "2027-02-01").code == 0
    page = (tmp_path / "index.html").read_text(encoding="utf-8")
    assert "As of 2027-02-01" in page
    assert "160 days" in page  # 91 since 2026-11-02, and 69 before that for the model carried over


@pytest.mark.parametrize("arguments", [[], ["--env", "prod", "--store", "."], ["--env", "nowhere"]])
def test_anything_but_one_known_place_is_wrong_usage(cli, arguments, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    outcome = cli("dashboard", *arguments)
    assert outcome.code == USAGE
    assert "expected one of" in outcome.err


def test_a_folder_that_cannot_be_written_is_told_and_nothing_is_left(cli, small_store, tmp_path):
    (tmp_path / "file").write_text("in the way")
    outcome = cli("dashboard", "--store", small_store, "--out", tmp_path / "file" / "pages")
    assert outcome.code == USAGE
    assert "file" in outcome.err
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_data_that_cannot_be_read_are_told_on_the_page(cli, small_store, tmp_path):
    (tmp_path / "data").mkdir()
    outcome = cli("dashboard", "--store", small_store, "--out", tmp_path / "out", "--data", tmp_path / "data")
    assert outcome.code == 0
    assert "The data cannot be read" in (tmp_path / "out" / "monitoring.html").read_text(encoding="utf-8")


@pytest.mark.trained
def test_an_environment_gets_its_pages_with_its_ledger_and_its_data(cli, releases):
    made = releases("prod", promoted=2, issued=True)
    outcome = cli("dashboard", *made.options)
    assert outcome.code == 0, outcome.err
    page = (made.environment.store / "dashboards" / "monitoring.html").read_text(encoding="utf-8")
    assert re.search(r"since \d{4}-\d\d-\d\d, by Ada", page)
    assert "Not everything could be read" not in page
    weeks = re.search(r'"series":\{"weeks":\[([^\]]*)\]', page)[1].split(",")
    assert len(weeks) == 112  # two years of what came, and the weeks ahead


@pytest.mark.trained
def test_the_commands_of_the_page_run(cli, releases, root, tmp_path, monkeypatch):
    text = (root / "docs" / "dashboards.md").read_text(encoding="utf-8")
    commands = re.findall(r"^python -m level2_cicd (.*)$", text, re.MULTILINE)
    assert len(commands) == 2
    made = releases("prod", promoted=1)
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".store").mkdir()
    shutil.copytree(made.environment.store, tmp_path / ".store" / "level1")
    for command in commands:
        words = [*command.split(), *(made.options[2:] if "--env" in command else [])]
        outcome = cli(*words)
        assert outcome.code == 0, f"{command}: {outcome.err}"
