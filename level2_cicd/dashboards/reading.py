"""Files of a store for showing: what cannot be read is told on the page and stops nothing."""

import hashlib
import io
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

T = TypeVar("T")
TEXT, NUMBER, DAY = "text", "number", "day"
KINDS: dict[str, Callable[[pd.Series], pd.Series]] = {
    TEXT: lambda values: values.astype(object).where(values.notna(), "").astype(str),
    NUMBER: lambda values: pd.to_numeric(values).astype("float64"),
    DAY: lambda values: pd.to_datetime(values).astype("datetime64[us]"),
}
UNREADABLE = (OSError, ValueError, KeyError, TypeError, AttributeError, OverflowError, pa.ArrowException)
LONGEST = 200  # characters of a library's message that a reader is shown


@dataclass(frozen=True)
class Part(Generic[T]):
    """What a file of the store gave: a value, and in words what is wrong with the file; neither if absent."""

    value: T | None = None
    fault: str = ""

    @property
    def absent(self) -> bool:
        """Whether there simply is nothing yet."""
        return self.value is None and not self.fault


def read_part(path: Path, parse: Callable[[bytes], T], sha256: str | None = None) -> Part[T]:
    """What `parse` makes of a file's bytes; absent without the file, a fault where it is damaged.

    sha256: what the bytes must have, where it is known. A CSV that was cut off would read without a word.
    """
    if not path.exists():
        return Part()
    try:
        content = path.read_bytes()
        got = hashlib.sha256(content).hexdigest()
        if sha256 not in (None, got):
            raise ValueError(f"expected sha256 {sha256}, got {got}.")
        return Part(parse(content))
    except UNREADABLE as error:
        return Part(fault=f"{path.name} cannot be read: {short(error)} Run the step that writes it again.")


def read_table(path: Path, columns: Mapping[str, str], sha256: str | None = None) -> Part[pd.DataFrame]:
    """The named columns of a CSV or Parquet file, each of its kind: text, number (float64) or day."""
    return read_part(
        path, lambda content: typed(_frame(content, path.suffix, list(columns)), columns), sha256
    )


def read_json(path: Path, parse: Callable[[Any], T]) -> Part[T]:
    """What `parse` makes of a JSON file's content."""
    return read_part(path, lambda content: parse(json.loads(content)))


def read_lines(path: Path, parse: Callable[[Any], T]) -> Part[list[T]]:
    """What `parse` makes of each line of JSON; lines that cannot be read are left out and counted."""
    lines = read_part(path, lambda content: content.decode(errors="replace").splitlines())
    if lines.value is None:
        return Part(fault=lines.fault)
    good, bad = [], 0
    for line in filter(str.strip, lines.value):
        try:
            good.append(parse(json.loads(line)))
        except UNREADABLE:
            bad += 1
    fault = f"{path.name}: {bad} of {bad + len(good)} lines cannot be read and are left out." if bad else ""
    return Part(good, fault)


def read_tables(paths: Iterable[Path], columns: Mapping[str, str]) -> Part[pd.DataFrame]:
    """The rows of several files below each other; files that cannot be read are left out and named."""
    parts = [read_table(path, columns) for path in paths]
    frames = [part.value for part in parts if part.value is not None]
    faults = [part.fault for part in parts if part.fault]
    more = f" ({len(faults) - 1} more files likewise.)" if len(faults) > 1 else ""
    fault = f"{faults[0]}{more}" if faults else ""
    return Part(pd.concat(frames, ignore_index=True) if frames else None, fault)


def typed(frame: pd.DataFrame, columns: Mapping[str, str]) -> pd.DataFrame:
    """The named columns in that order, each of its kind; raises ValueError for one that is missing."""
    missing = [name for name in columns if name not in frame.columns]
    if missing:
        raise ValueError(f"expected the columns {', '.join(columns)}; {', '.join(missing)} missing.")
    return pd.DataFrame({name: KINDS[kind](frame[name]) for name, kind in columns.items()})


def short(error: BaseException) -> str:
    """The first words of an error, as one sentence on one line."""
    said = f"missing {error}" if isinstance(error, KeyError) else str(error) or type(error).__name__
    text = " ".join(said.split())
    return text[:LONGEST].rstrip(".") + ("." if len(text) <= LONGEST else " ...")


def _frame(content: bytes, suffix: str, names: list[str]) -> pd.DataFrame:
    if suffix == ".csv":
        return pd.read_csv(io.BytesIO(content), dtype={"region": str, "format": str, "speed": str})
    file = pq.ParquetFile(pa.BufferReader(content), page_checksum_verification=True)
    there = [name for name in names if name in file.schema_arrow.names]
    frame: pd.DataFrame = file.read(columns=there).to_pandas()
    return frame
