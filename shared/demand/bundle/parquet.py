"""Small tables of a bundle as bytes: Parquet with page checksums."""

import io

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq


def to_parquet(frame: pd.DataFrame) -> bytes:
    """The frame without its index as Parquet."""
    out = io.BytesIO()
    table = pa.Table.from_pandas(frame, preserve_index=False).replace_schema_metadata(None)
    pq.write_table(table, out, write_page_checksum=True)
    return out.getvalue()


def from_parquet(content: bytes) -> pd.DataFrame:
    """The frame of such bytes."""
    frame: pd.DataFrame = pq.read_table(pa.BufferReader(content), page_checksum_verification=True).to_pandas()
    return frame
