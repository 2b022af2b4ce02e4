"""One flipped bit anywhere in a raw folder is refused; in Parquet even if the manifest agrees with it."""

import itertools
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from builders import START, raw_tables, replace_file, weather

from demand.errors import DataError
from demand.sources import read_raw, write_raw
from demand.sources.manifest import read_manifest, read_verified
from demand.sources.parsing import parse

FLIPS_PER_FILE = 25


def flipped(content: bytes, position: int, bit: int) -> bytes:
    """The same bytes with one bit the other way round."""
    changed = bytearray(content)
    changed[position] ^= 1 << bit
    return bytes(changed)


def test_every_flipped_bit_in_every_kind_of_raw_file_is_refused(folder: Path) -> None:
    random = np.random.default_rng(2)
    manifest = read_manifest(folder)
    refused = 0
    for path, entry in manifest.files.items():
        content = (folder / path).read_bytes()
        for position in random.choice(len(content), FLIPS_PER_FILE, replace=False):
            (folder / path).write_bytes(flipped(content, int(position), int(random.integers(8))))
            with pytest.raises(DataError, match=r"bytes with sha256 .* as the manifest says; got"):
                read_verified(folder, path, entry)
            refused += 1
        (folder / path).write_bytes(content)
    assert {path.rpartition(".")[2] for path in manifest.files} == {"csv", "json", "jsonl", "xlsx", "parquet"}
    assert refused == FLIPS_PER_FILE * len(manifest.files) >= 200
    assert len(read_raw(folder).shipments) == 960  # and the folder that was put back is taken


def test_every_path_into_the_reader_meets_the_flip(folder: Path) -> None:
    for path in read_manifest(folder).files:
        content = (folder / path).read_bytes()
        (folder / path).write_bytes(flipped(content, len(content) // 2, 0))
        with pytest.raises(DataError, match=f"{path}: expected {len(content)} bytes"):
            read_raw(folder)
        (folder / path).write_bytes(content)


HEADER = 100  # a page header, in Thrift, is shorter: no checksum covers it


def page_bytes(path: Path) -> list[int]:
    """Positions of the bytes inside dictionary and data pages: where a page checksum must find a flip."""
    positions: list[int] = []
    group = pq.read_metadata(path).row_group(0)
    for column in map(group.column, range(group.num_columns)):
        start = column.dictionary_page_offset if column.has_dictionary_page else column.data_page_offset
        end = start + column.total_compressed_size
        pages = [start, column.data_page_offset, end] if column.has_dictionary_page else [start, end]
        for low, high in itertools.pairwise(pages):
            positions += range(low + HEADER, high)
    return positions


def test_a_flip_in_a_parquet_page_is_refused_though_the_manifest_agrees(tmp_path: Path) -> None:
    random = np.random.default_rng(3)
    daily = weather(START, 60 * 7)
    noise = random.uniform(0, 9, len(daily))
    folder, path = tmp_path / "raw", "weather_history.parquet"
    write_raw(raw_tables(weather_history=daily.assign(temp_max_c=daily["temp_max_c"] + noise)), folder)
    content = (folder / path).read_bytes()
    positions = page_bytes(folder / path)
    assert len(positions) > 5000
    for position in random.choice(positions, 100, replace=False):
        spoilt = flipped(content, int(position), int(random.integers(8)))
        with pytest.raises(DataError, match=f"{path}: expected an undamaged Parquet file"):
            parse(spoilt, "weather_history", path)
    # And through the whole reader, the manifest made to agree.
    replace_file(folder, path, spoilt)
    with pytest.raises(DataError, match="CRC checksum verification failed"):
        read_raw(folder)


def test_a_flip_in_parquet_is_found_by_the_page_checksum_where_no_compression_would_notice(
    folder: Path,
) -> None:
    path = folder / "prices.parquet"
    table = pq.read_table(path)
    options = {"compression": "none", "use_dictionary": False, "column_encoding": None}
    messages = {}
    for checksum in (True, False):
        pq.write_table(table, path, write_page_checksum=checksum, **options)
        chunk = pq.read_metadata(path).row_group(0).column(3)  # price_usd
        middle = chunk.data_page_offset + chunk.total_compressed_size // 2
        replace_file(folder, "prices.parquet", flipped(path.read_bytes(), middle, 0))
        try:
            read_raw(folder)
        except DataError as error:
            messages[checksum] = str(error)
    assert "CRC checksum verification failed" in messages.pop(True)
    assert messages == {}  # without page checksums the wrong price went through: that is why they are written
