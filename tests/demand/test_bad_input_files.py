"""Files that are not those of the manifest, or no tables at all, are refused by name."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from builders import edit_file, read_refusal, replace_file

FILE = "shipments/north-2017.csv"
FILES = [
    FILE,
    "returns.jsonl",
    "shopper_demographics.json",
    "stores.xlsx",
    "prices.parquet",
    "events.csv",
    "products.csv",
    "weather_history.parquet",
]


@pytest.mark.parametrize("path", FILES)
def test_a_file_that_differs_from_the_manifest_is_refused_with_both_hashes(folder: Path, path: str) -> None:
    content = (folder / path).read_bytes()
    (folder / path).write_bytes(content[: len(content) // 2])
    message = read_refusal(folder)
    assert str(folder / path) in message
    assert f"expected {len(content)} bytes with sha256" in message
    assert f"got {len(content) // 2} bytes" in message


SUBSTITUTES = {
    "empty": (b"", "the file is empty"),
    "web page": (b"\n<!DOCTYPE html><html><body>Please log in</body></html>\n", "the file is a web page"),
    "UTF-16": ("store_id,product_id\nS1,P1\n".encode("utf-16"), "the file is UTF-16 text"),
}


@pytest.mark.parametrize("path", FILES)
@pytest.mark.parametrize("fault", SUBSTITUTES)
def test_an_empty_a_html_and_a_utf16_file_are_refused_by_name(folder: Path, path: str, fault: str) -> None:
    content, remark = SUBSTITUTES[fault]
    (folder / path).write_bytes(content)
    assert remark in read_refusal(folder)
    replace_file(folder, path, content)  # and so they are if the manifest is made to agree
    message = read_refusal(folder)
    assert remark in message
    assert str(folder / path) in message


@pytest.mark.parametrize("path", FILES)
def test_a_truncated_file_is_refused_even_if_the_manifest_agrees(folder: Path, path: str) -> None:
    content = (folder / path).read_bytes()
    replace_file(folder, path, content[: len(content) * 2 // 3])
    assert str(folder / path) in read_refusal(folder)


def test_a_csv_cut_off_in_the_last_number_is_refused(folder: Path) -> None:
    edit_file(folder, FILE, lambda text: text[:-2])
    assert "expected a line end after the last row; the file stops at 'S2,P4,2017-12-25," in read_refusal(
        folder
    )


def test_a_csv_cut_off_between_rows_is_refused(folder: Path) -> None:
    edit_file(folder, FILE, lambda text: "".join(text.splitlines(keepends=True)[:-5]))
    assert f"{FILE}: expected 416 rows as the manifest says; got 411" in read_refusal(folder)


def test_a_missing_manifest_is_refused(folder: Path) -> None:
    (folder / "manifest.json").unlink()
    assert "expected a manifest with the hash of every file; there is none" in read_refusal(folder)


WRONG_MANIFESTS: dict[str, tuple[Callable[[dict], object], str]] = {
    "no object": (lambda m: [m], "expected an object; got list"),
    "key missing": (lambda m: {k: v for k, v in m.items() if k != "as_of"}, "as_of missing"),
    "key unknown": (lambda m: m | {"asof": 1}, "unknown keys asof; allowed are absent_week, as_of"),
    "other format": (lambda m: m | {"format": 2}, "expected format 1; got 2"),
    "no date": (lambda m: m | {"as_of": "last week"}, "Invalid isoformat string: 'last week'"),
    "no Monday": (lambda m: m | {"as_of": "2018-02-20"}, r"got 2018-02-20 (Tuesday)"),
    "no name": (lambda m: m | {"name": ""}, "expected a name; got ''"),
    "absent week": (lambda m: m | {"absent_week": "maybe"}, "expected zero or unknown; got 'maybe'"),
    "file without hash": (lambda m: m | {"files": {FILE: {"rows": 3}}}, "expected sha256, bytes and rows"),
    "rows as text": (
        lambda m: m | {"files": {FILE: m["files"][FILE] | {"rows": "416"}}},
        "rows: expected int; got '416'",
    ),
    "path outside": (
        lambda m: m | {"files": m["files"] | {"../secret.csv": m["files"][FILE]}},
        "got '../secret.csv'",
    ),
    "table twice": (
        lambda m: m | {"files": m["files"] | {"stores.csv": m["files"]["stores.xlsx"]}},
        "stores is there twice: stores.csv, stores.xlsx",
    ),
    "file not there": (
        lambda m: m | {"files": m["files"] | {"shipments/south-2019.csv": m["files"][FILE]}},
        "south-2019.csv: the manifest lists this file; it is missing",
    ),
    "no shipments": (
        lambda m: m | {"files": {k: v for k, v in m["files"].items() if not k.startswith("ship")}},
        "expected a file for shipments; there is none",
    ),
    "wrong rows": (
        lambda m: m | {"files": m["files"] | {FILE: m["files"][FILE] | {"rows": 415}}},
        f"{FILE}: expected 415 rows as the manifest says; got 416",
    ),
}


@pytest.mark.parametrize("fault", WRONG_MANIFESTS)
def test_a_wrong_manifest_is_refused(folder: Path, fault: str) -> None:
    change, expected = WRONG_MANIFESTS[fault]
    path = folder / "manifest.json"
    path.write_text(json.dumps(change(json.loads(path.read_text()))))
    assert expected in read_refusal(folder)


def test_a_manifest_that_is_no_json_is_refused(folder: Path) -> None:
    (folder / "manifest.json").write_text("{")
    assert "manifest.json: expected JSON; got" in read_refusal(folder)


def test_a_listed_shipments_file_that_is_missing_is_refused_by_its_region(folder: Path) -> None:
    (folder / "shipments" / "south-2018.csv").unlink()
    assert "south-2018.csv: the manifest lists this file; it is missing" in read_refusal(folder)


def test_a_file_that_the_manifest_does_not_list_is_refused(folder: Path) -> None:
    (folder / "shipments" / "north-2019.csv").write_bytes((folder / FILE).read_bytes())
    assert "1 files not in the manifest, first shipments/north-2019.csv" in read_refusal(folder)
