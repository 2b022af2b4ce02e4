"""Partition hashes and the files in which `weekly` is kept."""

import hashlib
import json
from datetime import date
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest
from builders import START, monday, raw_tables, shipments

from demand.conditioning import (
    condition,
    export_csv,
    hashes_until,
    partition_hashes,
    read_partition_hashes,
    read_weekly,
    restated,
    write_weekly,
)
from demand.errors import DataError, IntegrityError, UsageError


@pytest.fixture(scope="module")
def weekly() -> pd.DataFrame:
    return condition(raw_tables()).weekly


def test_there_is_a_hash_per_region_and_year(weekly: pd.DataFrame) -> None:
    hashes = partition_hashes(weekly)
    assert list(hashes) == ["north/2017", "north/2018", "south/2017", "south/2018"]
    assert len(set(hashes.values())) == 4
    assert all(len(value) == 64 for value in hashes.values())


def test_the_hash_of_a_known_table_is_known() -> None:
    # Changes only if the contract of weekly or the hashing does; then earlier hashes no longer compare.
    one = condition(raw_tables(weeks=1, weather_history=None, weather_forecast=None)).weekly
    assert partition_hashes(one)["north/2017"].startswith("ca439725d8944979")


@pytest.mark.parametrize(
    "same",
    [
        lambda f: f.sample(frac=1, random_state=3),
        lambda f: f[f.columns[::-1]],
        lambda f: f.astype({"week": "datetime64[ns]", "region": "category", "store_id": object}),
        lambda f: f.astype({"units": "float32", "shipped": "int64"}),
        lambda f: f.assign(deal=-0.0),
    ],
)
def test_the_hashes_do_not_depend_on_order_dtypes_or_the_sign_of_zero(weekly: pd.DataFrame, same) -> None:  # type: ignore[no-untyped-def]
    assert partition_hashes(same(weekly)) == partition_hashes(weekly)


@pytest.mark.parametrize("column", ["units", "price", "event_name", "temperature", "category"])
def test_a_change_of_one_value_changes_the_hash_of_its_partition_alone(
    weekly: pd.DataFrame, column: str
) -> None:
    changed = weekly.copy()
    changed.loc[0, column] = "other" if changed[column].dtype == "str" else changed.loc[0, column] + 1e-12
    before, after = partition_hashes(weekly), partition_hashes(changed)
    assert [name for name in before if before[name] != after[name]] == ["north/2017"]


def test_a_new_week_is_no_restatement_and_a_changed_old_one_is() -> None:
    old = raw_tables(weeks=59, returns=None)
    before = partition_hashes(condition(old).weekly)
    new = shipments(60)[shipments(60)["week"] == monday(59)]
    now = raw_tables(weeks=60, returns=None, shipments=pd.concat([old.shipments, new]))
    weekly = condition(now).weekly
    assert restated(before, until(weekly, old.as_of)) == []
    changed = weekly["units"].where(weekly["week"] != monday(3), weekly["units"] + 1)
    assert restated(before, until(weekly.assign(units=changed), old.as_of)) == ["north/2017", "south/2017"]
    gone = until(weekly[weekly["region"] == "north"], old.as_of)
    assert restated(before, gone) == restated(gone, before) == ["south/2017", "south/2018"]


def until(weekly: pd.DataFrame, as_of: date) -> dict[str, str]:
    return hashes_until(weekly, partition_hashes(weekly), as_of)


@pytest.mark.parametrize("weeks", [1, 51, 52, 53, 60])
def test_hashes_up_to_a_week_are_those_of_the_table_without_later_weeks(
    weekly: pd.DataFrame, weeks: int
) -> None:
    cut = weekly[weekly["week"] <= monday(weeks - 1)]
    assert until(weekly, monday(weeks - 1).date()) == partition_hashes(cut)


def test_a_region_that_begins_later_in_the_year_is_not_there_yet(weekly: pd.DataFrame) -> None:
    later = weekly[(weekly["region"] == "north") | (weekly["week"] > monday(10))]
    assert list(until(later, monday(10).date())) == ["north/2017"]


def test_before_the_first_week_there_is_nothing_to_hash(weekly: pd.DataFrame) -> None:
    assert until(weekly, date(2016, 12, 26)) == {}


def test_what_was_written_is_read_again_whole_or_by_region(weekly: pd.DataFrame, tmp_path: Path) -> None:
    hashes = write_weekly(weekly, tmp_path / "weekly")
    pd.testing.assert_frame_equal(read_weekly(tmp_path / "weekly"), weekly)
    south = weekly[weekly["region"] == "south"].reset_index(drop=True)
    pd.testing.assert_frame_equal(read_weekly(tmp_path / "weekly", ["south"]), south)
    assert hashes == read_partition_hashes(tmp_path / "weekly") == partition_hashes(weekly)
    assert sorted(path.name for path in (tmp_path / "weekly").iterdir()) == [
        "manifest.json",
        "north.parquet",
        "south.parquet",
    ]


def test_writing_again_replaces_the_folder_and_leaves_nothing_beside_it(
    weekly: pd.DataFrame, tmp_path: Path
) -> None:
    write_weekly(weekly, tmp_path / "weekly")
    write_weekly(weekly[weekly["region"] == "north"], tmp_path / "weekly")
    assert set(read_weekly(tmp_path / "weekly")["region"]) == {"north"}
    assert [path.name for path in tmp_path.iterdir()] == ["weekly"]


def test_a_folder_with_other_files_is_not_replaced(weekly: pd.DataFrame, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(UsageError, match=r"it holds 1 other files, first notes\.txt"):
        write_weekly(weekly, tmp_path)
    assert (tmp_path / "notes.txt").read_text() == "mine"


def test_a_table_against_its_contract_leaves_the_old_folder(weekly: pd.DataFrame, tmp_path: Path) -> None:
    write_weekly(weekly, tmp_path / "weekly")
    with pytest.raises(DataError, match="column units: expected a finite number >= 0"):
        write_weekly(weekly.assign(units=-1.0), tmp_path / "weekly")
    pd.testing.assert_frame_equal(read_weekly(tmp_path / "weekly"), weekly)


def test_an_unknown_region_is_refused(weekly: pd.DataFrame, tmp_path: Path) -> None:
    write_weekly(weekly, tmp_path / "weekly")
    with pytest.raises(UsageError, match="expected one of north, south; got east"):
        read_weekly(tmp_path / "weekly", ["east"])


def test_a_damaged_file_or_manifest_is_refused(weekly: pd.DataFrame, tmp_path: Path) -> None:
    folder = tmp_path / "weekly"
    write_weekly(weekly, folder)
    content = bytearray((folder / "north.parquet").read_bytes())
    content[len(content) // 3] ^= 1
    (folder / "north.parquet").write_bytes(content)
    with pytest.raises(
        IntegrityError, match=r"north\.parquet: expected sha256 .* Condition the raw data again"
    ):
        read_weekly(folder)
    (folder / "north.parquet").unlink()
    with pytest.raises(IntegrityError, match=r"north\.parquet"):
        read_weekly(folder)
    (folder / "manifest.json").write_text(json.dumps({"files": {}}))
    with pytest.raises(IntegrityError, match=r"manifest\.json: expected the manifest of a weekly folder"):
        read_weekly(folder)


def test_parquet_files_carry_page_checksums(weekly: pd.DataFrame, tmp_path: Path) -> None:
    folder = tmp_path / "weekly"
    write_weekly(weekly, folder)
    path = folder / "north.parquet"
    column = pq.read_metadata(path).row_group(0).column(4)  # units
    content = bytearray(path.read_bytes())
    content[column.data_page_offset + column.total_compressed_size // 2] ^= 1
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["files"]["north.parquet"]["sha256"] = hashlib.sha256(content).hexdigest()
    (folder / "manifest.json").write_text(json.dumps(manifest))
    path.write_bytes(content)
    with pytest.raises(IntegrityError, match="expected an undamaged Parquet file"):
        read_weekly(folder)


def test_the_csv_export_holds_the_same_table(weekly: pd.DataFrame, tmp_path: Path) -> None:
    path = tmp_path / "out" / "weekly.csv"
    export_csv(weekly, path)
    read = pd.read_csv(
        path,
        parse_dates=["week"],
        keep_default_na=False,
        na_values={name: [""] for name in weekly.select_dtypes("number")},
    )
    pd.testing.assert_frame_equal(read, weekly, check_dtype=False)
    assert path.read_text().splitlines()[1].split(",")[3] == str(START)
