"""Faults inside CSV files: each is refused with the file, the column, the first lines and the count."""

from pathlib import Path

import pytest
from builders import edit_file, raw_tables, read_refusal, replace_file

from demand.sources import write_raw

FILE = "shipments/north-2017.csv"
HEADER = "store_id,product_id,week,units_shipped"
WRONG_COLUMNS = {
    "renamed": (
        HEADER,
        "store_id,product_id,week,units_shiped",
        "units_shipped is missing (renamed to units_shiped?)",
    ),
    "missing": (HEADER, "store_id,product_id,week", "column units_shipped is missing"),
    "extra": (HEADER, HEADER + ",note", "column 'note' is not part of the table"),
    "doubled": (HEADER, HEADER.replace("product_id", "store_id"), "column store_id is there 2 times"),
    "header swapped": (
        HEADER,
        "product_id,store_id,week,units_shipped",
        "expected the column order store_id",
    ),
    "no header": (HEADER + "\n", "", "column store_id is missing"),
}


@pytest.mark.parametrize("fault", WRONG_COLUMNS)
def test_wrong_columns_of_a_csv_are_refused(folder: Path, fault: str) -> None:
    old, new, expected = WRONG_COLUMNS[fault]
    edit_file(folder, FILE, lambda text: text.replace(old, new))
    message = read_refusal(folder)
    assert expected in message
    assert FILE in message


def test_swapped_values_of_two_columns_are_refused_because_their_ids_are_unseen(folder: Path) -> None:
    def swap(text: str) -> str:
        header, *rows = text.splitlines()
        swapped = [",".join([*row.split(",")[1::-1], *row.split(",")[2:]]) for row in rows]
        return "\n".join([header, *swapped]) + "\n"

    edit_file(folder, FILE, swap)
    message = read_refusal(folder)
    assert "column store_id: expected only values that the stores table has (4 unseen: 'P1', 'P2'" in message
    assert "got 416 bad of 416 rows, first row 1: store_id='P1', product_id='S1'" in message


def test_swapped_dates_and_units_are_refused(folder: Path) -> None:
    edit_file(folder, FILE, lambda text: text.replace("2017-01-02,14\n", "14,2017-01-02\n"))
    message = read_refusal(folder)
    assert "column week: expected a date like 2017-01-02; 1 of 416 rows differ, first line 2: '14'" in message
    assert "column units_shipped: expected a plain number; 1 of 416 rows differ" in message


WRONG_ROWS = {
    "comma in one row": (
        "S1,P1,2017-01-09,",
        "S1,P1,2017-01-09,,",
        "1 of 416 rows differ, first line 3 has 5",
    ),
    "comma in every row": ("\nS", "\n,S", "416 of 416 rows differ, first line 2 has 5"),
    "thousands": ("2017-01-02,14\n", '2017-01-02,"1,234"\n', "column units_shipped: expected a plain number"),
    "bare thousands": ("2017-01-02,14\n", "2017-01-02,1,234\n", "line 2 has 5: 'S1,P1,2017-01-02,1,234'"),
    "nan": ("2017-01-02,14\n", "2017-01-02,nan\n", "first line 2: 'nan'"),
    "inf": (
        "2017-01-02,14\n",
        "2017-01-02,inf\n",
        "units_shipped: expected a finite number >= 0; got 1 bad of 416",
    ),
    "empty number": (
        "2017-01-02,14\n",
        "2017-01-02,\n",
        "units_shipped: expected no missing values; got 1 bad",
    ),
    "negative": (
        "2017-01-02,14\n",
        "2017-01-02,-14\n",
        "units_shipped: expected a finite number >= 0; got 1 bad",
    ),
    "Tuesday": (
        "P1,2017-01-02",
        "P1,2017-01-03",
        "column week: expected the Monday on which the week starts; got 2 bad",
    ),
    "no such day": (
        "P1,2017-01-02",
        "P1,2017-02-30",
        "column week: expected a date like 2017-01-02; 2 of 416",
    ),
    "American date": ("P1,2017-01-02", "P1,01/02/2017", "first line 2: '01/02/2017', line 210: '01/02/2017'"),
    "week twice": (
        "S1,P1,2017-01-09",
        "S1,P1,2017-01-02",
        "expected one row per key; got 2 bad of 416 rows, first row 1",
    ),
    "open quote": ("S1,P1,2017-01-09", 'S1,"P1,2017-01-09', "expected plain CSV; got unexpected end of data"),
    "empty line": (
        "\nS1,P1,2017-01-09",
        "\n\nS1,P1,2017-01-09",
        "column store_id: expected trimmed printable text, not empty; got 1 bad",
    ),
    "unseen store": ("S1,P1,", "S9,P1,", "column store_id: expected only values that the stores table has"),
    "unseen product": (
        "S1,P1,",
        "S1,P9,",
        "column product_id: expected only values that the products table has",
    ),
    "store of another region": (
        "S1,P1,",
        "S3,P1,",
        "column store_id: expected only stores of the region north",
    ),
    "blank in an id": (
        "S1,P1,2017-01-09",
        "S1 ,P1,2017-01-09",
        "column store_id: expected trimmed printable text",
    ),
}


@pytest.mark.parametrize("fault", WRONG_ROWS)
def test_wrong_rows_of_a_csv_are_refused_with_their_lines_and_counts(folder: Path, fault: str) -> None:
    old, new, expected = WRONG_ROWS[fault]
    edit_file(folder, FILE, lambda text: text.replace(old, new))
    message = read_refusal(folder)
    assert expected in message
    assert str(folder / FILE) in message


def test_bytes_that_are_no_utf8_are_refused_with_their_line(folder: Path) -> None:
    content = (folder / "events.csv").read_bytes().replace(b"Cup final", b"Cup \xe9final")
    replace_file(folder, "events.csv", content)
    assert "events.csv: expected UTF-8 text" in read_refusal(folder)
    assert "on line 3" in read_refusal(folder)


def test_a_header_that_is_no_utf8_is_refused(folder: Path) -> None:
    replace_file(folder, "events.csv", b"\xe9" + (folder / "events.csv").read_bytes())
    assert "events.csv: expected a header line in UTF-8" in read_refusal(folder)


def test_a_shipments_file_of_an_unseen_region_is_refused(tmp_path: Path) -> None:
    tables = raw_tables()
    write_raw(tables, tmp_path / "raw")
    manifest = tmp_path / "raw" / "manifest.json"
    (tmp_path / "raw" / FILE).rename(tmp_path / "raw" / "shipments" / "east-2017.csv")
    manifest.write_text(manifest.read_text().replace(FILE, "shipments/east-2017.csv"))
    assert "expected a region that the stores table has (north, south); got 'east'" in read_refusal(
        tmp_path / "raw"
    )


def test_a_week_that_two_deliveries_share_is_refused(folder: Path) -> None:
    edit_file(folder, "shipments/north-2018.csv", lambda text: text.replace("P1,2018-01-01", "P1,2017-12-25"))
    message = read_refusal(folder)
    assert (
        "all files of shipments together, column store_id, product_id, week: expected one row per key"
        in message
    )
