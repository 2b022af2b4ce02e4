"""The bundle: the folder in which trained models travel, and the runtime that reads them without torch."""

from demand.bundle.folder import (
    BASELINE,
    ENCODER,
    MANIFEST,
    PARITY,
    SPEEDS,
    BundleMeta,
    Manifest,
    entry_of,
    read_files,
)
from demand.bundle.form import InputForm, decode_form, encode_form
from demand.bundle.parquet import from_parquet, to_parquet
from demand.bundle.runtime import (
    CHUNK,
    GRAPH_ERRORS,
    OUTPUTS,
    PARITY_LIMIT,
    RawRows,
    joined,
    open_graph,
    raw_rows,
    run_graph,
)

__all__ = [
    "BASELINE",
    "CHUNK",
    "ENCODER",
    "GRAPH_ERRORS",
    "MANIFEST",
    "OUTPUTS",
    "PARITY",
    "PARITY_LIMIT",
    "SPEEDS",
    "BundleMeta",
    "InputForm",
    "Manifest",
    "RawRows",
    "decode_form",
    "encode_form",
    "entry_of",
    "from_parquet",
    "joined",
    "open_graph",
    "raw_rows",
    "read_files",
    "run_graph",
    "to_parquet",
]
