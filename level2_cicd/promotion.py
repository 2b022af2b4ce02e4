"""Promotion: a bundle that was judged against what serves takes its place, by one row of the ledger."""

from dataclasses import dataclass
from typing import Any

from demand.bundle import Manifest
from demand.segments import Segment
from level1_pipeline.errors import GateRefused
from level2_cicd.alias import refuse_foreign_registry
from level2_cicd.bundles import whole_bundle
from level2_cicd.environments import Environment
from level2_cicd.evidence import evidence
from level2_cicd.ledger import Ledger, Moved, Row, open_ledger, serving_row
from level2_cicd.mirrors import follow_ledger, settle

KNOWS = ("registered", "promoted")  # rows that say which manifest a version has


@dataclass(frozen=True)
class Promotion:
    """What came of a promotion.

    previous: version that served before, None for none. row: by which it serves. again: it served already,
    and nothing was entered. moved, kept, failed: segments with a new model, that of before, or none;
    and for the latter two, why. said: what was mended on the way, or follows later.
    """

    environment: str
    version: str
    previous: str | None
    row: Row
    again: bool
    moved: tuple[str, ...]
    kept: dict[str, str]
    failed: dict[str, str]
    said: tuple[str, ...] = ()


def promote(environment: Environment, version: str, *, approver: str, reason: str) -> Promotion:
    """Makes a version the one that serves; of several processes that try so at once, exactly one does.

    Segments that lost their gate keep the champion's model, which the bundle carries. What serves already is
    not promoted again. Raises UsageError for a version that is nowhere, IntegrityError for a changed bundle
    or one without parity certificates, GateRefused where it was judged against another version than serves.
    """
    said = settle(environment, alias=False)
    ledger = open_ledger(environment)
    refuse_foreign_registry(environment)
    manifest = whole_bundle(environment, version, _known_sha256(ledger, version)).manifest
    row, previous = _enter(ledger, manifest, evidence(environment, manifest), (approver, reason))
    return Promotion(
        environment=environment.name,
        version=version,
        previous=previous,
        row=row,
        again=previous == version,
        moved=tuple(s.name for s, each in sorted(manifest.entries.items()) if each.version == version),
        kept={s.name: each.reason for s, each in sorted(manifest.entries.items()) if each.version != version},
        failed=_named(manifest.failed),
        said=(*said, *follow_ledger(environment)[1]),
    )


def await_promotion(environment: Environment, version: str, *, actor: str, reason: str) -> Row:
    """The row by which a bundle waits to be promoted, entered unless it is there for the very same bundle.

    Raises as `promote` does, but not where another version serves than it was judged against.
    """
    ledger = open_ledger(environment)
    manifest = whole_bundle(environment, version).manifest
    content = evidence(environment, manifest)
    while True:
        rows = ledger.rows()
        for row in reversed(rows):
            same = row.kind in KNOWS and row.version == version
            if same and row.evidence["manifest_sha256"] == content["manifest_sha256"]:
                return row
        try:
            expected = rows[-1].hash if rows else None
            return ledger.append("registered", version, content, actor, reason, expected=expected)
        except Moved:
            continue


def _enter(
    ledger: Ledger, manifest: Manifest, content: dict[str, Any], said: tuple[str, str]
) -> tuple[Row, str | None]:
    """The row by which the version serves, and what served before: itself, where there was nothing to do."""
    version = manifest.meta.model_version
    while True:
        rows = ledger.rows()
        now = serving_row(rows)
        if now is not None and now.version == version:
            return now, version
        serving = now.version if now else None
        _refuse_unless_judged(manifest, serving)
        try:
            head = rows[-1].hash if rows else None
            return ledger.append("promoted", version, content, *said, expected=head), serving
        except Moved:
            continue  # another row came first: look again at what serves


def _refuse_unless_judged(manifest: Manifest, serving: str | None) -> None:
    meta = manifest.meta
    if meta.previous != serving:
        raise GateRefused(
            f"{meta.model_version}: expected a bundle that was judged against {serving or 'no model'}, which "
            f"serves; it was judged against {meta.previous or 'no model'}. Nothing was promoted. Train it "
            "again (--await-promotion --fresh), so that it is held against what serves now, or roll back to "
            f"{meta.previous or 'a version of before'} first."
        )


def _known_sha256(ledger: Ledger, version: str) -> str | None:
    """What the ledger says that the manifest of a version has; None where it does not know the version."""
    for row in reversed(ledger.rows()):
        if row.kind in KNOWS and row.version == version:
            return str(row.evidence["manifest_sha256"])
    return None


def _named(segments: Any) -> dict[str, str]:
    found: dict[Segment, str] = dict(segments)
    return {segment.name: why for segment, why in sorted(found.items())}
