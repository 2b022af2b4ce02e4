"""Columns of Parquet files as plain bytes: a process of its own, so that pyarrow is not where it serves.

Reads a MessagePack map of names to the bytes of files from stdin, and writes their `tables.Columns` to
stdout.
"""

import math
import sys
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from level2_cicd.serving.tables import Columns, Text

Table = Any  # pyarrow ships no types


def read_table(content: bytes) -> Table:
    """The table of a Parquet file, page checksums verified; raises pyarrow.ArrowException, OSError."""
    # Not pyarrow's function of that name, which imports the data sets, and pandas with them.
    file = pq.ParquetFile(pa.BufferReader(content), page_checksum_verification=True)
    return file.read(use_threads=False)


def numbers(column: Any) -> NDArray[Any]:
    """A column of numbers, (n_rows,), null as NaN. Not `to_numpy`, which imports pandas."""
    filled = column.fill_null(math.nan) if column.null_count else column
    return np.concatenate([np.from_dlpack(chunk) for chunk in filled.chunks] or [np.empty(0)])


def texts(table: Table, *names: str) -> list[list[str]]:
    """The named columns as lists."""
    return [table[name].to_pylist() for name in names]


def to_columns(table: Table) -> Columns:
    """The table's columns as bytes; those of 32-bit floats as one matrix."""
    kinds = {name: table.schema.field(name).type for name in table.column_names}
    floats = [name for name, kind in kinds.items() if pa.types.is_float32(kind) and name != "level"]
    matrix = np.empty((table.num_rows, len(floats)), np.float32)
    for column, name in enumerate(floats):
        matrix[:, column] = numbers(table[name])
    found = Columns(table.num_rows, {}, {}, {}, floats, matrix.tobytes())
    for name in (name for name in kinds if name not in floats):
        if pa.types.is_timestamp(kinds[name]):
            moments = table[name].cast(pa.timestamp("us")).cast(pa.int64())
            found.times[name] = numbers(moments).astype(np.int64).tobytes()
        elif pa.types.is_string(kinds[name]) or pa.types.is_large_string(kinds[name]):
            coded = table[name].fill_null("").combine_chunks().dictionary_encode()
            found.texts[name] = Text(coded.dictionary.to_pylist(), np.from_dlpack(coded.indices).tobytes())
        else:
            found.numbers[name] = numbers(table[name]).astype(np.float64).tobytes()
    return found


def main() -> None:
    """Turns the files on stdin into columns on stdout."""
    files = msgspec.msgpack.decode(sys.stdin.buffer.read(), type=dict[str, bytes])
    found = {name: to_columns(read_table(content)) for name, content in files.items()}
    sys.stdout.buffer.write(msgspec.msgpack.encode(found))


if __name__ == "__main__":
    main()
