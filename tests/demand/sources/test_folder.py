"""A raw folder gives back what was written, whole or by region, and never appears half."""

from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from builders import grid, prices, raw_tables, shipments

from demand.errors import DataError, UsageError
from demand.sources import RawTables, check_raw, open_raw, read_oracle, read_raw, write_raw, writing_raw
from demand.sources.manifest import read_manifest


def ordered(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.sort_values(list(frame.columns), ignore_index=True)


def assert_same(first: RawTables, second: RawTables) -> None:
    assert [name for name, _ in first.tables()] == [name for name, _ in second.tables()]
    for name, frame in first.tables():
        pd.testing.assert_frame_equal(ordered(frame), ordered(getattr(second, name)))
    assert (first.name, first.as_of, first.absent_week) == (second.name, second.as_of, second.absent_week)


@pytest.mark.parametrize("stores_format", ["xlsx", "csv"])
def test_a_folder_gives_back_what_was_written(tmp_path: Path, stores_format: str) -> None:
    raw = raw_tables(absent_week="unknown")
    write_raw(raw, tmp_path / "raw", stores_format=stores_format)
    assert_same(read_raw(tmp_path / "raw"), check_raw(raw))


def test_a_data_set_without_the_optional_tables_is_written_and_read(tmp_path: Path) -> None:
    optional = ["returns", "shopper_demographics", "weather_history", "weather_forecast", "events", "prices"]
    raw = raw_tables(**dict.fromkeys(optional))
    write_raw(raw, tmp_path / "raw")
    assert_same(read_raw(tmp_path / "raw"), check_raw(raw))


def test_fractions_commas_quotes_and_leading_zeros_survive(tmp_path: Path) -> None:
    raw = raw_tables()
    assert raw.events is not None and raw.returns is not None
    exact = replace(
        raw,
        shipments=shipments().assign(units_shipped=1 / 3),
        returns=raw.returns.assign(units_returned=0.1 + 0.2 - 0.29),
        events=raw.events.assign(name='The "big", long day'),
    )
    write_raw(exact, tmp_path / "raw")
    read = read_raw(tmp_path / "raw")
    assert_same(read, check_raw(exact))
    assert read.stores["postal_code"].tolist() == ["01234", "01235", "60601", "60602"]


def test_the_same_tables_are_written_to_the_same_bytes(built_folder: Path, tmp_path: Path) -> None:
    write_raw(raw_tables(), tmp_path / "again")
    assert (tmp_path / "again" / "manifest.json").read_bytes() == (
        built_folder / "manifest.json"
    ).read_bytes()


def test_shipments_lie_in_a_file_per_region_and_year(built_folder: Path) -> None:
    shipped = [path for path in read_manifest(built_folder).files if path.startswith("shipments/")]
    assert shipped == [
        f"shipments/{region}-{year}.csv" for region in ("north", "south") for year in (2017, 2018)
    ]
    first = (built_folder / shipped[0]).read_text().splitlines()[:2]
    assert first == ["store_id,product_id,week,units_shipped", "S1,P1,2017-01-02,14"]


def test_one_region_is_read_without_the_files_of_the_others(folder: Path) -> None:
    whole = read_raw(folder)
    (folder / "shipments" / "south-2017.csv").write_text("broken")
    assert_same(read_raw(folder, region="north"), whole.region("north"))
    with pytest.raises(DataError, match=r"south-2017\.csv"):
        read_raw(folder)
    with pytest.raises(UsageError, match="expected one of north, south; got 'east'"):
        read_raw(folder, region="east")


def test_a_writer_takes_tables_region_by_region(tmp_path: Path) -> None:
    raw = check_raw(raw_tables(prices=prices(60)))
    assert raw.prices is not None and raw.returns is not None
    with writing_raw(tmp_path / "raw", name=raw.name, as_of=raw.as_of) as writer:
        for region in ("north", "south"):
            part = raw.region(region)
            assert part.prices is not None and part.returns is not None
            writer.shipments(region, part.shipments)
            writer.table("prices", part.prices, f"prices/{region}.parquet")
            writer.table("returns", part.returns, f"returns/{region}.jsonl")
        for name, frame in raw.tables():
            if name not in ("shipments", "prices", "returns"):
                writer.table(name, frame)
        assert not (tmp_path / "raw").exists()  # nothing appears before the end
    assert_same(read_raw(tmp_path / "raw"), raw)
    assert_same(read_raw(tmp_path / "raw", region="south"), raw.region("south"))


def write_weather_by_region(folder: Path, raw: RawTables, source: dict[str, str]) -> None:
    """The raw folder with the weather in a file per region, that of the region which `source` names."""
    with writing_raw(folder, name=raw.name, as_of=raw.as_of) as writer:
        for region, other in source.items():
            writer.shipments(region, raw.region(region).shipments)
            part = raw.region(other)
            for table in ("weather_history", "weather_forecast"):
                writer.table(table, getattr(part, table), f"{table}/{region}.parquet")
        for name, frame in raw.tables():
            if name != "shipments" and not name.startswith("weather"):
                writer.table(name, frame)


def test_weather_may_lie_in_a_file_per_region(tmp_path: Path) -> None:
    raw = check_raw(raw_tables())
    write_weather_by_region(tmp_path / "raw", raw, {"north": "north", "south": "south"})
    assert_same(read_raw(tmp_path / "raw"), raw)
    (tmp_path / "raw" / "weather_history" / "north.parquet").write_text("broken")
    assert_same(read_raw(tmp_path / "raw", region="south"), raw.region("south"))


def test_weather_of_places_without_a_store_of_the_region_is_refused(tmp_path: Path) -> None:
    write_weather_by_region(tmp_path / "raw", check_raw(raw_tables()), {"north": "south", "south": "south"})
    message = (
        r"weather_history/north\.parquet, column postal_code: expected only postal codes of stores of the "
    )
    with pytest.raises(DataError, match=message):
        read_raw(tmp_path / "raw", region="north")


def test_stores_and_products_are_read_once_for_all_regions(folder: Path) -> None:
    whole = read_raw(folder)
    opened = open_raw(folder)
    assert opened.regions == ["north", "south"]
    next(folder.glob("stores.*")).write_text("broken")
    for region in opened.regions:
        assert_same(opened.region(region), whole.region(region))
    with pytest.raises(UsageError, match="expected one of north, south; got 'east'"):
        opened.region("east")


def test_a_region_without_a_delivery_reads_as_one_without_shipments(tmp_path: Path) -> None:
    north = shipments()[shipments()["store_id"].isin(["S1", "S2"])]
    write_raw(raw_tables(shipments=north, returns=None), tmp_path / "raw")
    south = read_raw(tmp_path / "raw", region="south")
    assert south.shipments.empty
    assert south.shipments.dtypes.astype(str).tolist() == ["str", "str", "datetime64[us]", "float64"]


def test_a_path_that_is_not_the_tables_or_was_written_is_refused(tmp_path: Path) -> None:
    raw = raw_tables()
    with writing_raw(tmp_path / "raw", name="x", as_of=raw.as_of) as writer:
        writer.table("stores", raw.stores)
        with pytest.raises(
            UsageError, match=r"stores\.xlsx: expected a new path like stores\.xlsx or stores\.csv"
        ):
            writer.table("stores", raw.stores)
        with pytest.raises(UsageError, match=r"goods\.csv: expected a new path like products\.csv"):
            writer.table("products", raw.products, "goods.csv")


def test_the_oracle_is_kept_apart_from_the_raw_tables(tmp_path: Path) -> None:
    raw = raw_tables()
    oracle = grid(60, raw.shipments["week"].min().date()).assign(
        mean_units=2.5, mape_best_units=2.0, units=3.0
    )
    write_raw(raw, tmp_path / "raw", oracle=oracle)
    read = read_oracle(tmp_path / "raw")
    assert read is not None
    pd.testing.assert_frame_equal(ordered(read), ordered(oracle), check_dtype=False)
    assert "oracle" not in dict(read_raw(tmp_path / "raw").tables())


def test_other_data_have_no_oracle(built_folder: Path) -> None:
    assert read_oracle(built_folder) is None


def test_a_writing_that_fails_leaves_the_old_folder_and_nothing_else(folder: Path) -> None:
    before = (folder / "manifest.json").read_bytes()
    with pytest.raises(DataError, match="expected a finite number >= 0"):
        write_raw(raw_tables(shipments=shipments().assign(units_shipped=-1.0)), folder)
    with pytest.raises(RuntimeError), writing_raw(folder, name="x", as_of=raw_tables().as_of) as writer:
        writer.table("stores", raw_tables().stores)
        raise RuntimeError
    assert (folder / "manifest.json").read_bytes() == before
    assert [path.name for path in folder.parent.iterdir()] == ["raw"]


def test_a_folder_of_someone_else_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "diary.txt").write_text("mine")
    with pytest.raises(UsageError, match=r"expected a new or empty folder, .* first diary\.txt"):
        write_raw(raw_tables(), tmp_path)
    assert (tmp_path / "diary.txt").exists()
