"""The manifest of a bundle: what it holds, byte for byte, and which run made each segment's graph."""

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import date, datetime
from pathlib import PurePosixPath
from typing import Any

from demand.segments import Segment

MANIFEST = "manifest.json"
ENCODER, BASELINE, SPEEDS, PARITY = "encoder.json", "baseline.parquet", "speeds.parquet", "parity.json"
SNAPSHOT = "features.parquet"
ALWAYS = frozenset({ENCODER, BASELINE, SPEEDS, PARITY, SNAPSHOT})
FORMAT = 2


@dataclass(frozen=True)
class BundleMeta:
    """Where a bundle comes from.

    trained_at: in UTC, without a time zone. data_hash: of the conditioned tables. config: the run's settings.
    as_of, judged_as_of: Mondays of the last week that the graphs, and their evaluation twins, were trained
    on; where they are None, writing a bundle fills them in. previous: version of the bundle it came after.
    """

    model_version: str
    trained_at: datetime
    data_hash: str
    config: Mapping[str, Any]
    as_of: date | None = None
    judged_as_of: date | None = None
    previous: str | None = None

    def __post_init__(self) -> None:
        _check_version(self.model_version)
        _check_time(self.trained_at)


@dataclass(frozen=True)
class Entry:
    """What a bundle says of one segment's graph.

    file: of the graph. judged: of its evaluation twin, trained only up to the weeks that judge; None where
    there is none. form: of the inputs of both. version, trained_at, data_hash: of the run that trained it, a
    version other than the bundle's own where it was carried over, and then `reason` says why. run_id: of its
    own tracked run. metrics: of the report, None where a number is not known.
    """

    file: str
    judged: str | None
    form: str
    version: str
    trained_at: datetime
    data_hash: str
    run_id: str | None = None
    metrics: Mapping[str, float | None] = field(default_factory=dict)
    reason: str = ""

    def __post_init__(self) -> None:
        _check_version(self.version)
        _check_time(self.trained_at)

    @property
    def files(self) -> set[str]:
        """The files that scoring with it needs."""
        return {self.file, self.form} | ({self.judged} if self.judged else set())


@dataclass(frozen=True)
class Manifest:
    """What a bundle holds.

    files: name to sha256 and bytes. entries: of the segments with a graph. failed: segments without any, and
    why; their forecasts are historical averages.
    """

    meta: BundleMeta
    files: Mapping[str, Mapping[str, Any]]
    entries: Mapping[Segment, Entry]
    failed: Mapping[Segment, str] = field(default_factory=dict)

    def content(self) -> dict[str, Any]:
        """The manifest as JSON holds it; `digest` is the sha256 of all the rest."""
        meta = self.meta
        rest = {
            "format": FORMAT,
            "model_version": meta.model_version,
            "trained_at": meta.trained_at.isoformat(),
            "data_hash": meta.data_hash,
            "as_of": _day(meta.as_of),
            "judged_as_of": _day(meta.judged_as_of),
            "previous": meta.previous,
            "config": dict(meta.config),
            "segments": [_entry_content(s, entry) for s, entry in sorted(self.entries.items())],
            "failed": [{**asdict(s), "reason": why} for s, why in sorted(self.failed.items())],
            "files": {name: dict(self.files[name]) for name in sorted(self.files)},
        }
        return {**rest, "digest": _digest(rest)}


def encode_manifest(manifest: Manifest) -> bytes:
    """The manifest as JSON, the same bytes for the same manifest."""
    return _encode(manifest.content())


def decode_manifest(content: bytes) -> Manifest:
    """The manifest of such bytes; raises ValueError, KeyError or TypeError for any others."""
    found = json.loads(content)
    _check_format(found["format"])
    digest = found.pop("digest")
    got = _digest(found)
    if got != digest:
        raise ValueError(f"content with sha256 {got} where its digest says {digest}")
    meta = BundleMeta(
        model_version=found["model_version"],
        trained_at=datetime.fromisoformat(found["trained_at"]),
        data_hash=found["data_hash"],
        config=found["config"],
        as_of=_date(found["as_of"]),
        judged_as_of=_date(found["judged_as_of"]),
        previous=found["previous"],
    )
    files = {name: {key: own[key] for key in ("sha256", "bytes")} for name, own in found["files"].items()}
    entries = dict(_entry_of(each) for each in found["segments"])
    failed = {_segment(each): str(each["reason"]) for each in found["failed"]}
    _check_names(files, entries)
    manifest = Manifest(meta, files, entries, failed)
    if encode_manifest(manifest) != content:  # 1e-05 as 1E-05: a flipped bit that means the same
        raise ValueError("the same content spelt in another way than this package spells it")
    return manifest


def file_entry(content: bytes) -> dict[str, Any]:
    """What the manifest says of a file with these bytes."""
    return {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}


def _entry_content(segment: Segment, entry: Entry) -> dict[str, Any]:
    metrics = {name: _number(value) for name, value in sorted(entry.metrics.items())}
    changed = {"trained_at": entry.trained_at.isoformat(), "metrics": metrics}
    return {**asdict(segment), **asdict(entry), **changed}


def _entry_of(content: dict[str, Any]) -> tuple[Segment, Entry]:
    names = (name for name in Entry.__dataclass_fields__ if name != "trained_at")
    own = {name: content[name] for name in names}
    return _segment(content), Entry(trained_at=datetime.fromisoformat(content["trained_at"]), **own)


def _segment(content: dict[str, Any]) -> Segment:
    return Segment(content["region"], content["format"], content["speed"])


def _check_format(got: object) -> None:
    if got != FORMAT:
        raise ValueError(f"format {got!r} where this version of the package reads {FORMAT}")


def _check_names(files: Mapping[str, object], entries: Mapping[Segment, Entry]) -> None:
    for name in files:
        if PurePosixPath(name).name != name or "\\" in name or name == MANIFEST:
            raise ValueError(f"the file name {name!r}, which leads out of the folder")
    missing = set(ALWAYS).union(*(entry.files for entry in entries.values())) - set(files)
    if missing:
        raise ValueError(f"no entry for {', '.join(sorted(missing))}")


def _check_version(version: str) -> None:
    """Raises ValueError for a version that cannot be part of a file name."""
    if not version or PurePosixPath(version).name != version or not version.isprintable() or "\\" in version:
        raise ValueError(f"model version: expected text that a file can be named by; got {version!r}.")


def _check_time(trained_at: datetime) -> None:
    if trained_at.tzinfo is not None:
        raise ValueError(
            f"trained_at: expected a time in UTC without a time zone; got {trained_at}. "
            "Convert it to UTC and drop the zone."
        )


def _number(value: float | None) -> float | None:
    """JSON has no word for what is not a number."""
    return value if value is not None and math.isfinite(value) else None


def _day(day: date | None) -> str | None:
    return day.isoformat() if day else None


def _date(day: str | None) -> date | None:
    return date.fromisoformat(day) if day else None


def _encode(content: Mapping[str, Any]) -> bytes:
    return (json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False) + "\n").encode()


def _digest(content: Mapping[str, Any]) -> str:
    """Sha256 of the content as JSON with sorted keys and no spaces."""
    return hashlib.sha256(json.dumps(content, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
