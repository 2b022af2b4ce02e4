"""Where raw tables come from: a folder with a manifest, the generator, public sets, or your own files."""

from demand.sources.folder import RawFolder, open_raw, read_oracle, read_raw
from demand.sources.references import check_raw
from demand.sources.tables import RawTables, absent_regions, regions
from demand.sources.writer import RawWriter, write_raw, writing_raw

__all__ = [
    "RawFolder",
    "RawTables",
    "RawWriter",
    "absent_regions",
    "check_raw",
    "open_raw",
    "read_oracle",
    "read_raw",
    "regions",
    "write_raw",
    "writing_raw",
]
