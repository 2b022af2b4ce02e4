"""Where raw tables come from: a folder with a manifest, the generator, public sets, or your own files."""

from demand.sources.folder import read_oracle, read_raw, read_stores
from demand.sources.references import check_raw
from demand.sources.tables import RawTables, absent_regions, regions
from demand.sources.writer import RawWriter, write_raw, writing_raw

__all__ = [
    "RawTables",
    "RawWriter",
    "absent_regions",
    "check_raw",
    "read_oracle",
    "read_raw",
    "read_stores",
    "regions",
    "write_raw",
    "writing_raw",
]
