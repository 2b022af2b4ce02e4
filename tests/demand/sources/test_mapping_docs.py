import re

import pytest

from demand.sources.mapping import import_table


@pytest.fixture
def page(root):
    return (root / "docs" / "your-own-data.md").read_text(encoding="utf-8")


def block(page, language):
    return re.search(rf"```{language}\n(.*?)```", page, re.DOTALL)[1]


def test_the_example_of_the_page_gives_what_the_page_says(page, tmp_path, monkeypatch):
    (tmp_path / "receipts.csv").write_text(block(page, "csv"), encoding="utf-8")
    (tmp_path / "receipts.toml").write_text(block(page, "toml"), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    names = {}
    exec(block(page, "python"), names)
    tables, notes = names["tables"], names["notes"]
    assert names["import_table"] is import_table
    assert tables.shipments.astype("str").to_numpy().tolist() == [
        ["0012", "Milch 1l", "2024-03-04", "3.5"],
        ["0040", "Milch 1l", "2024-03-04", "4.0"],
    ]
    assert tables.returns.astype("str").to_numpy().tolist() == [["0012", "Milch 1l", "2024-03-04", "0.5"]]
    assert notes[-1] == "week of 2024-03-11 is incomplete: its 1 rows are left out"
