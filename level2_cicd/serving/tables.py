"""The tables that a release needs, read from Parquet by a short-lived process beside this one.

pyarrow takes a fifth of the memory that a service may have, and is needed only while a release is loaded.
"""

import subprocess
import sys
from collections.abc import Mapping
from datetime import datetime, timedelta

import msgspec
import numpy as np
from numpy.typing import NDArray

from demand.errors import IntegrityError

SECONDS = 300.0  # in which the tables must have been read
EPOCH = datetime(1970, 1, 1)


class Text(msgspec.Struct, frozen=True):
    """A column of texts: the different ones, and which of them each row has, as int32."""

    values: list[str]
    codes: bytes


class Columns(msgspec.Struct, frozen=True):
    """A table of `rows` rows: texts, times (int64 microseconds), numbers (float64), by name of the column.

    floats, matrix: names and values, (n_rows, n_floats) float32, of the columns of features.
    """

    rows: int
    texts: dict[str, Text]
    times: dict[str, bytes]
    numbers: dict[str, bytes]
    floats: list[str]
    matrix: bytes

    def text(self, name: str) -> list[str]:
        """A column of texts; raises KeyError."""
        column = self.texts[name]
        return [column.values[code] for code in np.frombuffer(column.codes, np.int32).tolist()]

    def number(self, name: str) -> NDArray[np.float64]:
        """A column of numbers, (n_rows,), NaN where not known; raises KeyError."""
        return np.frombuffer(self.numbers[name], np.float64)

    def moments(self, name: str) -> list[datetime]:
        """A column of times; raises KeyError."""
        different: dict[int, datetime] = {}
        found = np.frombuffer(self.times[name], np.int64).tolist()
        return [different.setdefault(each, EPOCH + timedelta(microseconds=each)) for each in found]

    def features(self) -> NDArray[np.float32]:
        """The matrix of features, (n_rows, n_floats)."""
        return np.frombuffer(self.matrix, np.float32).reshape(self.rows, len(self.floats))


def read_tables(files: Mapping[str, bytes]) -> dict[str, Columns]:
    """The tables in the bytes of Parquet files, by name; raises IntegrityError where one is none."""
    command = [sys.executable, "-m", "level2_cicd.serving.columns"]
    try:
        done = subprocess.run(
            command, input=msgspec.msgpack.encode(files), capture_output=True, timeout=SECONDS
        )
    except subprocess.TimeoutExpired:
        raise IntegrityError(
            f"{', '.join(files)}: could not be read in {SECONDS:g} seconds. Try again."
        ) from None
    if done.returncode:
        last = done.stderr.decode(errors="replace").strip().splitlines()[-1:]
        raise IntegrityError(
            f"{', '.join(files)}: expected tables in Parquet; got {''.join(last)[:200]}. Make them again."
        )
    return msgspec.msgpack.decode(done.stdout, type=dict[str, Columns])
