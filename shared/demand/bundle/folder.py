"""A bundle's folder: the manifest, and files that are, byte for byte, the ones it lists."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from demand.errors import IntegrityError
from demand.segments import Segment

MANIFEST = "manifest.json"
ENCODER, BASELINE, SPEEDS, PARITY = "encoder.json", "baseline.parquet", "speeds.parquet", "parity.json"
FORMAT = 1
REDO = "Fetch the bundle again, or export it anew."


@dataclass(frozen=True)
class BundleMeta:
    """Where a bundle comes from.

    trained_at: in UTC, without a time zone. data_hash: of the conditioned tables. config: the run's settings.
    """

    model_version: str
    trained_at: datetime
    data_hash: str
    config: Mapping[str, Any]

    def __post_init__(self) -> None:
        if self.trained_at.tzinfo is not None:
            raise ValueError(
                f"trained_at: expected a time in UTC without a time zone; got {self.trained_at}. "
                "Convert it to UTC and drop the zone."
            )


@dataclass(frozen=True)
class Manifest:
    """What a bundle holds: file name to its sha256 and bytes, and the file of each segment's graph."""

    meta: BundleMeta
    files: Mapping[str, Mapping[str, Any]]
    graphs: Mapping[Segment, str]

    def content(self) -> dict[str, Any]:
        """The manifest as JSON holds it; `digest` is the sha256 of all the rest."""
        rest = {
            "format": FORMAT,
            "model_version": self.meta.model_version,
            "trained_at": self.meta.trained_at.isoformat(),
            "data_hash": self.meta.data_hash,
            "config": dict(self.meta.config),
            "segments": [
                {"region": s.region, "format": s.format, "speed": s.speed, "file": file}
                for s, file in sorted(self.graphs.items())
            ],
            "files": {name: dict(self.files[name]) for name in sorted(self.files)},
        }
        return {**rest, "digest": _digest(rest)}


def entry_of(content: bytes) -> dict[str, Any]:
    """What the manifest says of a file with these bytes."""
    return {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}


def read_files(folder: Path) -> tuple[Manifest, dict[str, bytes]]:
    """The manifest of a bundle and the bytes of its files, by name.

    Raises IntegrityError naming file, expected and got where a file is missing, is not listed, or differs.
    """
    manifest = _read_manifest(folder / MANIFEST)
    there = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if not path.is_dir()}
    extra = sorted(there - set(manifest.files) - {MANIFEST})
    if extra:
        raise IntegrityError(
            f"{folder / extra[0]}: expected only the {len(manifest.files)} files of the manifest; "
            f"got this one too. {REDO}"
        )
    return manifest, {name: _verified(folder / name, entry) for name, entry in manifest.files.items()}


def _verified(path: Path, expected: Mapping[str, Any]) -> bytes:
    wanted = f"{path}: expected {expected['bytes']} bytes with sha256 {expected['sha256']}"
    if not path.is_file():
        raise IntegrityError(f"{wanted}; got no file. {REDO}")
    content = path.read_bytes()
    got = entry_of(content)
    if got != expected:
        raise IntegrityError(f"{wanted}; got {got['bytes']} bytes with sha256 {got['sha256']}. {REDO}")
    return content


def _read_manifest(path: Path) -> Manifest:
    try:
        content = json.loads(path.read_bytes())
        digest = content.pop("digest")
        _check_head(content, digest)
        trained_at = datetime.fromisoformat(content["trained_at"])
        meta = BundleMeta(content["model_version"], trained_at, content["data_hash"], content["config"])
        files = {
            name: {key: entry[key] for key in ("sha256", "bytes")} for name, entry in content["files"].items()
        }
        graphs = {Segment(s["region"], s["format"], s["speed"]): s["file"] for s in content["segments"]}
        _check_listed({ENCODER, BASELINE, SPEEDS, PARITY, *graphs.values()}, set(files))
        return Manifest(meta, files, graphs)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise IntegrityError(
            f"{path}: expected the manifest of a bundle; got {type(error).__name__}: {error}. {REDO}"
        ) from error


def _check_head(content: dict[str, Any], digest: str) -> None:
    got = _digest(content)
    if got != digest:
        raise ValueError(f"content with sha256 {got} where its digest says {digest}")
    if content["format"] != FORMAT:
        raise ValueError(f"format {content['format']!r}, this version reads {FORMAT}")


def _check_listed(needed: set[str], listed: set[str]) -> None:
    if needed - listed:
        raise ValueError(f"no entry for {', '.join(sorted(needed - listed))}")


def _digest(content: Mapping[str, Any]) -> str:
    """Sha256 of the content as JSON with sorted keys and no spaces."""
    return hashlib.sha256(json.dumps(content, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
