import pytest
from translations import signature, stale

TRANSLATED = {
    "index.md",
    "walkthroughs/level0-to-level1.md",
    "walkthroughs/level1-to-level2.md",
    "maturity/levels.md",
    "maturity/capabilities.md",
    "maturity/assess.md",
}


@pytest.fixture
def docs(tmp_path):
    """A page and its translation, which is current."""
    (tmp_path / "pt").mkdir()
    (tmp_path / "index.md").write_text("# How mature?\n", encoding="utf-8")
    (tmp_path / "pt" / "index.md").write_text(signature(tmp_path / "index.md", tmp_path) + "# Quão maduro?\n")
    return tmp_path


def test_start_page_walkthroughs_and_maturity_guide_are_translated(root):
    pages = (root / "docs" / "pt").rglob("*.md")
    assert {each.relative_to(root / "docs" / "pt").as_posix() for each in pages} == TRANSLATED


def test_every_translation_is_current(root):
    assert stale(root / "docs") == {}


def test_a_translation_of_todays_page_is_current(docs):
    assert stale(docs) == {}


def test_a_changed_english_page_flags_its_translation(docs):
    (docs / "index.md").write_text("# How mature are we?\n", encoding="utf-8")
    assert stale(docs) == {"pt/index.md": "index.md changed since; translate what is new and sign it"}


def test_a_translation_that_is_not_signed_is_flagged(docs):
    (docs / "pt" / "index.md").write_text("# Quão maduro?\n", encoding="utf-8")
    assert stale(docs) == {"pt/index.md": "its first line does not say what it was translated from"}


def test_a_translation_of_a_page_that_is_gone_is_flagged(docs):
    (docs / "index.md").unlink()
    assert stale(docs) == {"pt/index.md": "there is no English page index.md"}


def test_a_translated_walkthrough_gives_the_same_commands(root):
    from walkthrough import FOLDER, PAGES, blocks

    for name in PAGES:
        own = blocks((root / "docs" / "pt" / "walkthroughs" / name).read_text(encoding="utf-8"))
        assert own == blocks((FOLDER / name).read_text(encoding="utf-8")), name
