"""Where raw tables come from: a folder with a manifest, the generator, public sets, or your own files."""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from demand.sources.folder import RawFolder, open_raw, read_oracle, read_raw
    from demand.sources.references import check_raw
    from demand.sources.tables import RawTables, absent_regions, regions
    from demand.sources.writer import RawWriter, write_raw, writing_raw

# Which module has which name. They are imported when they are first asked for: whoever only publishes a file
# does without pandas and the contracts.
_NAMES = {
    "folder": "RawFolder open_raw read_oracle read_raw",
    "references": "check_raw",
    "tables": "RawTables absent_regions regions",
    "writer": "RawWriter write_raw writing_raw",
}
_MODULES = {name: module for module, names in _NAMES.items() for name in names.split()}

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


def __getattr__(name: str) -> object:
    """The named thing, from the module that has it."""
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"demand.sources.{_MODULES[name]}"), name)
