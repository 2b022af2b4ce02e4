"""Monitoring tables on the disk: Parquet with page checksums, checked against their contracts."""

from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from demand.contracts import check
from demand.errors import DataError, IntegrityError


def read_table(name: str, path: Path) -> pd.DataFrame:
    """A contracted table from a file; raises IntegrityError where it is cut off, changed, or another."""
    try:
        found = pq.read_table(path, page_checksum_verification=True).to_pandas()
        return check(name, found, str(path))
    except (pa.ArrowException, OSError, DataError) as error:
        first = (str(error).splitlines() or [type(error).__name__])[0]
        raise IntegrityError(
            f"{path}: expected the table `{name}` whole, as it was written; got {first}. Restore it "
            f"from a copy, or move it and state.json aside: `monitor` makes the last 26 weeks again."
        ) from None
