import re

import pytest

from demand.errors import UsageError
from level1_pipeline.replay.page import BEGIN, END, put


def test_only_what_stands_between_the_markers_is_replaced(tmp_path):
    page = tmp_path / "page.md"
    page.write_text(f"# Title\n{BEGIN}\nold\n{END}\nrest\n")
    put("new", page, None)
    assert page.read_text() == f"# Title\n{BEGIN}\nnew\n{END}\nrest\n"


@pytest.mark.parametrize(
    "text", ["", f"{BEGIN}\n", f"{END}\n{BEGIN}\n"], ids=["none", "no end", "wrong order"]
)
def test_a_page_without_markers_is_left_alone(tmp_path, text):
    page = tmp_path / "page.md"
    page.write_text(text)
    with pytest.raises(UsageError, match="expected a page with the lines"):
        put("new", page, None)
    assert page.read_text() == text


def test_the_chart_is_put_beside_the_page(tmp_path):
    page, chart = tmp_path / "docs" / "page.md", tmp_path / "replay.svg"
    page.parent.mkdir()
    page.write_text(f"{BEGIN}\n{END}\n")
    chart.write_text("<svg/>")
    put("new", page, chart)
    assert "](assets/replay.svg)" in page.read_text()
    assert (page.parent / "assets" / "replay.svg").read_text() == "<svg/>"


def test_the_page_names_options_that_there_are(root, cli):
    text = (root / "docs" / "replay.md").read_text(encoding="utf-8")
    assert BEGIN in text and END in text
    shown = cli("replay", "--help").out
    named = re.findall(r"--[a-z][a-z-]*", text.replace("<!--", "").replace("-->", ""))
    assert named and set(named) <= set(re.findall(r"--[a-z][a-z-]*", shown))
