"""The bundle: the folder in which trained models travel, and the runtime that reads them without torch."""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from demand.bundle.folder import read_files, read_manifest, verified
    from demand.bundle.form import InputForm, decode_form, encode_form
    from demand.bundle.graph import GRAPH_ERRORS, GRAPHS, OUTPUTS, PARITY_LIMIT, TWINS, open_graph
    from demand.bundle.inputs import Forms, form_features, live, snapshot
    from demand.bundle.manifest import (
        BASELINE,
        ENCODER,
        MANIFEST,
        PARITY,
        SNAPSHOT,
        SPEEDS,
        BundleMeta,
        Entry,
        Manifest,
        encode_manifest,
        file_entry,
    )
    from demand.bundle.parquet import from_parquet, to_parquet
    from demand.bundle.read import (
        Bundle,
        Session,
        open_twins,
        read_bundle,
        read_snapshot,
        read_verified,
    )
    from demand.bundle.runtime import (
        CHUNK,
        RawRows,
        joined,
        raw_rows,
        run_graph,
    )

# Which module has which name. They are imported when they are first asked for: serving reads the manifest and
# opens graphs, and does without pandas and the contracts.
_NAMES = {
    "folder": "read_files read_manifest verified",
    "form": "InputForm decode_form encode_form",
    "graph": "GRAPH_ERRORS GRAPHS OUTPUTS PARITY_LIMIT TWINS open_graph",
    "inputs": "Forms form_features live snapshot",
    "manifest": "BASELINE ENCODER MANIFEST PARITY SNAPSHOT SPEEDS "
    "BundleMeta Entry Manifest encode_manifest file_entry",
    "parquet": "from_parquet to_parquet",
    "read": "Bundle Session open_twins read_bundle read_snapshot read_verified",
    "runtime": "CHUNK RawRows joined raw_rows run_graph",
}
_MODULES = {name: module for module, names in _NAMES.items() for name in names.split()}

__all__ = [
    "BASELINE",
    "CHUNK",
    "ENCODER",
    "GRAPHS",
    "GRAPH_ERRORS",
    "MANIFEST",
    "OUTPUTS",
    "PARITY",
    "PARITY_LIMIT",
    "SNAPSHOT",
    "SPEEDS",
    "TWINS",
    "Bundle",
    "BundleMeta",
    "Entry",
    "Forms",
    "InputForm",
    "Manifest",
    "RawRows",
    "Session",
    "decode_form",
    "encode_form",
    "encode_manifest",
    "file_entry",
    "form_features",
    "from_parquet",
    "joined",
    "live",
    "open_graph",
    "open_twins",
    "raw_rows",
    "read_bundle",
    "read_files",
    "read_manifest",
    "read_snapshot",
    "read_verified",
    "run_graph",
    "snapshot",
    "to_parquet",
    "verified",
]


def __getattr__(name: str) -> object:
    """The named thing, from the module that has it."""
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"demand.bundle.{_MODULES[name]}"), name)
