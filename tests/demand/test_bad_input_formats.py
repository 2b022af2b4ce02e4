"""Faults inside JSON, Excel and Parquet files: each is refused with the file, the column and the count."""

import io
from collections.abc import Callable
from pathlib import Path

import openpyxl
import pandas as pd
import pytest
from builders import edit_file, read_refusal, replace_file

WRONG_JSON_LINES = {
    "text for a number": ('"units_returned": 1.0', '"units_returned": "1"', "changed from number to string"),
    "NaN": ('"units_returned": 1.0', '"units_returned": NaN', "units_returned: expected no missing values"),
    "unknown key": ('"units_returned"', '"units"', "unexpected field"),
    "key twice": ('"product_id"', '"store_id"', "specified twice"),
    "no date": ('"week": "2017-01-02"', '"week": "2 Jan 2017"', "2 Jan 2017"),
    "negative": (
        '"units_returned": 1.0',
        '"units_returned": -1.0',
        "expected a finite number >= 0; got 96 bad of 96",
    ),
}


@pytest.mark.parametrize("fault", WRONG_JSON_LINES)
def test_wrong_json_lines_are_refused(folder: Path, fault: str) -> None:
    old, new, expected = WRONG_JSON_LINES[fault]
    edit_file(folder, "returns.jsonl", lambda text: text.replace(old, new))
    message = read_refusal(folder)
    assert expected in message
    assert "returns.jsonl" in message


def test_a_json_line_cut_off_is_refused(folder: Path) -> None:
    edit_file(folder, "returns.jsonl", lambda text: text[:-1])
    assert "expected a line end after the last object" in read_refusal(folder)


WRONG_JSON = {
    "no list": ("[", '{"rows": [', "expected JSON"),
    "key missing": ('  "household_size": 2.5,\n', "", "1 of 3 differ, first row 1 in household_size"),
    "key twice": ('"household_size"', '"population"', "a key twice in one object"),
    "infinity": ("2.5", "Infinity", "Infinity, which is not JSON"),
    "text for a number": ("2.5", '"2.5"', "column household_size: expected numbers (float64)"),
    "share above 1": (
        '"share_age_0_17": 0.2,',
        '"share_age_0_17": 20,',
        "expected a finite number >= 0 and <= 1",
    ),
    "unseen store": (
        '"S1"',
        '"S8"',
        "column store_id: expected only values that the stores table has (1 unseen: 'S8')",
    ),
}


@pytest.mark.parametrize("fault", WRONG_JSON)
def test_wrong_json_is_refused(folder: Path, fault: str) -> None:
    old, new, expected = WRONG_JSON[fault]
    edit_file(folder, "shopper_demographics.json", lambda text: text.replace(old, new))
    message = read_refusal(folder)
    assert expected in message
    assert "shopper_demographics.json" in message


def test_json_that_is_no_list_of_objects_is_refused(folder: Path) -> None:
    replace_file(folder, "shopper_demographics.json", b'{"S1": 3}')
    assert "expected a list of objects with store_id, population" in read_refusal(folder)


def workbook(change: Callable[[openpyxl.Workbook], object], folder: Path) -> None:
    """Changes the workbook of stores and signs it."""
    book = openpyxl.load_workbook(folder / "stores.xlsx")
    change(book)
    out = io.BytesIO()
    book.save(out)
    replace_file(folder, "stores.xlsx", out.getvalue())


def put(cell: str, value: object) -> Callable[[openpyxl.Workbook], None]:
    """A change that puts a value into one cell."""

    def change(book: openpyxl.Workbook) -> None:
        book.worksheets[0][cell] = value

    return change


WRONG_WORKBOOKS: dict[str, tuple[Callable[[openpyxl.Workbook], object], str]] = {
    "postal code as a number": (put("D2", 1234), "column postal_code: expected text; got 1 bad of 4 rows"),
    "no date": (
        put("E2", "in May"),
        "column opened: expected dates; 1 of 4 rows differ, first row 1: 'in May'",
    ),
    "date as a number": (put("E3", 40_000), "column opened: expected dates; 1 of 4 rows differ"),
    "renamed column": (put("C1", "size"), "column format is missing"),
    "unknown format": (put("C2", "huge"), "column format: expected one of large, small; got 1 bad of 4 rows"),
    "store twice": (put("A3", "S1"), "column store_id: expected one row per key; got 2 bad of 4 rows"),
    "closed before opened": (put("F2", "2009-01-01"), "expected opened at most closed; got 1 bad of 4 rows"),
    "two sheets": (lambda book: book.create_sheet("old"), "expected one sheet; got stores, old"),
}


@pytest.mark.parametrize("fault", WRONG_WORKBOOKS)
def test_a_wrong_workbook_is_refused(folder: Path, fault: str) -> None:
    change, expected = WRONG_WORKBOOKS[fault]
    workbook(change, folder)
    message = read_refusal(folder)
    assert expected in message
    assert "stores.xlsx" in message


def parquet(frame: pd.DataFrame) -> bytes:
    """The frame as a Parquet file that no contract has seen."""
    out = io.BytesIO()
    frame.to_parquet(out, index=False)
    return out.getvalue()


WRONG_PARQUET: dict[str, tuple[Callable[[pd.DataFrame], pd.DataFrame], str]] = {
    "time zone": (
        lambda f: f.assign(date=f["date"].dt.tz_localize("UTC")),
        "expected dates without a time zone",
    ),
    "time of day": (
        lambda f: f.assign(date=f["date"] + pd.Timedelta(hours=1)),
        "expected a date without a time of day",
    ),
    "dates as text": (
        lambda f: f.assign(date=f["date"].astype(str)),
        "column date: expected dates (datetime64)",
    ),
    "postal code as a number": (lambda f: f.assign(postal_code=1), "column postal_code: expected text"),
    "renamed": (
        lambda f: f.rename(columns={"temp_min_c": "temp_min"}),
        "temp_min_c is missing (renamed to temp_min?)",
    ),
    "swapped temperatures": (
        lambda f: f.assign(temp_min_c=f["temp_max_c"], temp_max_c=f["temp_min_c"]),
        "expected temp_min_c at most temp_max_c; got 1680 bad of 1680 rows",
    ),
    "fahrenheit": (lambda f: f.assign(temp_max_c=95.0), "expected a finite number >= -90 and <= 60"),
    "day twice": (
        lambda f: f.assign(date=f["date"].iloc[0]),
        "expected one row per key; got 1680 bad of 1680 rows",
    ),
    "after the last week": (
        lambda f: f.assign(date=f["date"] + pd.Timedelta(days=1)),
        "expected nothing after the week of 2018-02-19",
    ),
    "unseen postal code": (
        lambda f: f.assign(postal_code="9" + f["postal_code"]),
        "only values that the stores table has (4 unseen",
    ),
}


@pytest.mark.parametrize("fault", WRONG_PARQUET)
def test_a_wrong_parquet_file_is_refused(folder: Path, fault: str) -> None:
    change, expected = WRONG_PARQUET[fault]
    good = pd.read_parquet(folder / "weather_history.parquet")
    good["date"] = pd.to_datetime(good["date"])
    replace_file(folder, "weather_history.parquet", parquet(change(good)))
    message = read_refusal(folder)
    assert expected in message
    assert "weather_history.parquet" in message
