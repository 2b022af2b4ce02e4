"""Tables of single regions wait on the disk until all are there; then they become one Parquet file."""

import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow.parquet as pq

from demand.sources.publish import PART, replacing, write_bytes


class Pieces:
    """Parquet tables of regions in a folder of their own; a region's later one replaces its earlier one."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._paths: dict[str, Path] = {}

    def keep(self, region: str, content: bytes) -> None:
        """Keeps a region's table, the bytes of a Parquet file."""
        path = self._paths.setdefault(region, self._folder / f"{len(self._paths)}.parquet")
        write_bytes(path, content)

    def publish(self, regions: Iterable[str], out: Path) -> None:
        """Writes these regions' tables one below the other, a row group each; `out` appears whole or not.

        Pages carry checksums; the same tables give the same bytes. Memory holds one region at a time.
        """
        paths = [self._paths[region] for region in regions]
        schema = pq.read_schema(paths[0])
        with (
            replacing(out) as part,
            part.open("wb") as file,
            pq.ParquetWriter(file, schema, write_page_checksum=True, compression="zstd") as writer,
        ):
            for path in paths:
                writer.write_table(pq.read_table(path, page_checksum_verification=True))


@contextmanager
def pieces_beside(out: Path) -> Iterator[Pieces]:
    """Pieces on the disk of `out`; they are gone when the block ends."""
    out.parent.mkdir(parents=True, exist_ok=True)
    prefix = f".{out.name}."
    with tempfile.TemporaryDirectory(prefix=prefix, suffix=PART, dir=out.parent) as folder:
        yield Pieces(Path(folder))
