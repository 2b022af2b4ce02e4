import hashlib
import json

import pandas as pd
import pytest

from level2_cicd.dashboards.reading import DAY, NUMBER, TEXT, read_json, read_lines, read_table, read_tables

COLUMNS = {"region": TEXT, "week": DAY, "n": NUMBER}


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "table.parquet"
    pd.DataFrame({"region": ["R01"], "week": ["2026-11-16"], "n": [3], "more": [1]}).to_parquet(path)
    return path


def test_a_table_comes_with_the_named_columns_each_of_its_kind(table):
    part = read_table(table, COLUMNS)
    assert part.fault == ""
    assert list(part.value.columns) == ["region", "week", "n"]
    assert part.value.loc[0].tolist() == ["R01", pd.Timestamp("2026-11-16"), 3.0]
    assert part.value["n"].dtype == "float64"


def test_a_file_that_is_not_there_is_absent_and_no_fault(tmp_path):
    part = read_table(tmp_path / "none.parquet", COLUMNS)
    assert part.absent and part.value is None and part.fault == ""


def test_a_table_half_written_is_a_fault_that_names_the_file(table):
    table.write_bytes(table.read_bytes()[:-40])
    part = read_table(table, COLUMNS)
    assert part.value is None
    assert part.fault.startswith("table.parquet cannot be read: ")
    assert part.fault.endswith("Run the step that writes it again.")


def test_a_csv_cut_off_is_a_fault_where_its_hash_is_known(tmp_path):
    path = tmp_path / "table.csv"
    whole = b"region,week,n\nR01,2026-11-16,1\nR02,2026-11-16,2\n"
    sha256 = hashlib.sha256(whole).hexdigest()
    path.write_bytes(whole)
    assert len(read_table(path, COLUMNS, sha256).value) == 2
    path.write_bytes(whole[:31])  # one whole row: it would read
    assert len(read_table(path, COLUMNS).value) == 1
    assert f"expected sha256 {sha256}" in read_table(path, COLUMNS, sha256).fault


def test_a_table_without_one_of_its_columns_is_a_fault_that_names_it(table):
    pd.DataFrame({"region": ["R01"], "week": ["2026-11-16"]}).to_parquet(table)
    assert "expected the columns region, week, n; n missing." in read_table(table, COLUMNS).fault


def test_words_where_numbers_belong_are_a_fault(tmp_path):
    path = tmp_path / "table.csv"
    path.write_text("region,week,n\nR01,2026-11-16,many\n")
    assert "table.csv cannot be read" in read_table(path, COLUMNS).fault


def test_a_region_that_looks_like_a_number_keeps_its_zeros(tmp_path):
    path = tmp_path / "table.csv"
    path.write_text("region,week,n\n007,2026-11-16,1\n")
    assert read_table(path, COLUMNS).value.loc[0, "region"] == "007"


def test_json_of_another_shape_is_a_fault(tmp_path):
    path = tmp_path / "run.json"
    path.write_text("[1, 2]")
    assert "run.json cannot be read" in read_json(path, lambda content: content["stages"]).fault


def test_a_last_line_half_written_is_counted_and_the_others_are_kept(tmp_path):
    path = tmp_path / "decisions.jsonl"
    path.write_text(json.dumps({"a": 1}) + "\n" + json.dumps({"a": 2}) + "\n" + '{"a": ')
    part = read_lines(path, lambda content: content["a"])
    assert part.value == [1, 2]
    assert part.fault == "decisions.jsonl: 1 of 3 lines cannot be read and are left out."


def test_of_several_files_the_broken_one_is_named_and_the_others_are_read(table, tmp_path):
    broken = tmp_path / "broken.parquet"
    broken.write_bytes(b"PAR1")
    part = read_tables([broken, table], COLUMNS)
    assert len(part.value) == 1
    assert part.fault.startswith("broken.parquet cannot be read")
