"""The manifest of a folder: what each file must be, byte for byte, before anyone parses it."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any

from demand.errors import DataError
from demand.sources.publish import write_bytes
from demand.sources.tables import ABSENT_WEEK

MANIFEST = "manifest.json"
FORMAT = 1
REDELIVER = "Deliver the folder again, or write a manifest for what is really there."


@dataclass(frozen=True)
class FileEntry:
    """What one file must be: sha256 of its bytes, their number, and its data rows."""

    sha256: str
    bytes: int
    rows: int


@dataclass(frozen=True)
class Manifest:
    """Name and last week of a delivery, what an absent week means, and its files by relative path."""

    name: str
    as_of: date
    files: Mapping[str, FileEntry]
    absent_week: str = "zero"


def entry_of(content: bytes, rows: int) -> FileEntry:
    """The entry of a file with these bytes and this many data rows."""
    return FileEntry(hashlib.sha256(content).hexdigest(), len(content), rows)


def write_manifest(manifest: Manifest, folder: Path) -> None:
    """Writes manifest.json, whole or not at all."""
    content = {
        "format": FORMAT,
        "name": manifest.name,
        "as_of": manifest.as_of.isoformat(),
        "absent_week": manifest.absent_week,
        "files": {path: asdict(manifest.files[path]) for path in sorted(manifest.files)},
    }
    write_bytes(folder / MANIFEST, (json.dumps(content, indent=1) + "\n").encode())


def read_manifest(folder: Path) -> Manifest:
    """The manifest of a folder; raises DataError if it is missing, not JSON, or not of this form."""
    path = folder / MANIFEST
    if not path.is_file():
        raise DataError(
            f"{path}: expected a manifest with the hash of every file; there is none. {REDELIVER}"
        )
    try:
        content = json.loads(path.read_bytes())
    except ValueError as error:
        raise DataError(f"{path}: expected JSON; got {error}. {REDELIVER}") from None
    try:
        return _parse(content)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise DataError(f"{path}: {error}. {REDELIVER}") from None


def _parse(content: Any) -> Manifest:
    if not isinstance(content, dict):
        raise ValueError(f"expected an object; got {type(content).__name__}")
    required, allowed = {"format", "name", "as_of", "files"}, {"absent_week"}
    if missing := sorted(required - set(content)):
        raise ValueError(f"expected the keys {', '.join(sorted(required))}; {', '.join(missing)} missing")
    if extra := sorted(set(content) - required - allowed):
        raise ValueError(
            f"unknown keys {', '.join(extra)}; allowed are {', '.join(sorted(required | allowed))}"
        )
    if content["format"] != FORMAT or isinstance(content["format"], bool):
        raise ValueError(f"expected format {FORMAT}; got {content['format']!r}")
    if not isinstance(content["name"], str) or not content["name"]:
        raise ValueError(f"expected a name; got {content['name']!r}")
    absent_week = content.get("absent_week", "zero")
    if absent_week not in ABSENT_WEEK:
        raise ValueError(f"absent_week: expected {' or '.join(ABSENT_WEEK)}; got {absent_week!r}")
    files = {path: _entry(path, entry) for path, entry in content["files"].items()}
    return Manifest(content["name"], date.fromisoformat(content["as_of"]), files, absent_week)


def _entry(path: str, entry: dict[str, Any]) -> FileEntry:
    kinds = {"sha256": str, "bytes": int, "rows": int}
    if not isinstance(entry, dict) or set(entry) != set(kinds):
        raise ValueError(f"files, {path}: expected sha256, bytes and rows; got {entry!r}")
    for key, kind in kinds.items():
        if type(entry[key]) is not kind:
            raise ValueError(f"files, {path}, {key}: expected {kind.__name__}; got {entry[key]!r}")
    return FileEntry(**entry)


def read_verified(folder: Path, path: str, entry: FileEntry) -> bytes:
    """The bytes of one file, those of the manifest; raises DataError if they differ or are missing."""
    origin = folder / path
    if not origin.is_file():
        raise DataError(f"{origin}: the manifest lists this file; it is missing. {REDELIVER}")
    content = origin.read_bytes()
    got = hashlib.sha256(content).hexdigest()
    if got != entry.sha256 or len(content) != entry.bytes:
        raise DataError(
            f"{origin}: expected {entry.bytes} bytes with sha256 {entry.sha256} as the manifest says; "
            f"got {len(content)} bytes with sha256 {got}{looks_like(content)}. {REDELIVER}"
        )
    return content


def looks_like(content: bytes) -> str:
    """A remark on bytes that are evidently no table: empty, UTF-16, a web page; else an empty text."""
    start = content[:512].lstrip().lower()
    if not content:
        return " (the file is empty)"
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return " (the file is UTF-16 text; expected UTF-8)"
    if start.startswith((b"<!doctype", b"<html", b"<?xml")):
        return " (the file is a web page, not a table)"
    return ""
