import errno

import pandas as pd
import pyarrow.parquet as pq
import pytest

from demand.bundle import to_parquet
from level1_pipeline import pieces as module
from level1_pipeline.pieces import pieces_beside

NORTH = pd.DataFrame({"region": ["north"] * 2, "units": [1.0, 2.0]})
SOUTH = pd.DataFrame({"region": ["south"] * 3, "units": [3.0, float("nan"), 5.0]})


TABLES = {"south": to_parquet(SOUTH), "north": to_parquet(NORTH), "lost": to_parquet(NORTH)}


def publish(out, *regions):
    with pieces_beside(out) as pieces:
        for name, table in TABLES.items():
            pieces.keep(name, table)
        pieces.publish(regions, out)


def test_pieces_become_one_file_in_the_order_asked_for(tmp_path):
    out = tmp_path / "new" / "all.parquet"
    publish(out, "north", "south")
    assert pd.read_parquet(out).equals(pd.concat([NORTH, SOUTH], ignore_index=True))
    assert pq.ParquetFile(out).num_row_groups == 2
    assert [path.name for path in out.parent.iterdir()] == ["all.parquet"]


def test_the_same_pieces_give_the_same_bytes(tmp_path):
    for name in ("a", "b"):
        publish(tmp_path / name, "north", "south")
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_a_piece_that_comes_twice_counts_once(tmp_path):
    out = tmp_path / "all.parquet"
    with pieces_beside(out) as pieces:
        pieces.keep("north", TABLES["south"])
        pieces.keep("north", TABLES["north"])
        pieces.publish(["north"], out)
    assert pd.read_parquet(out).equals(NORTH)


@pytest.mark.parametrize("when", ["keep", "publish"])
def test_a_full_disk_leaves_the_file_that_was_there_and_nothing_else(when, tmp_path, monkeypatch):
    def full(*_, **__):
        raise OSError(errno.ENOSPC, "No space left on device")

    out = tmp_path / "all.parquet"
    publish(out, "south")
    before = out.read_bytes()
    if when == "keep":
        monkeypatch.setattr("os.fsync", full)
    else:
        monkeypatch.setattr(module.pq.ParquetWriter, "write_table", full)
    with pytest.raises(
        OSError, match=r"parquet: expected room for [0-9,]+ bytes; got No space left on device"
    ):
        publish(out, "north", "south")
    assert out.read_bytes() == before
    assert list(tmp_path.iterdir()) == [out]
