"""Write a trained ensemble as a bundle: graphs, inputs, baseline, speeds, snapshot, certificate, manifest."""

import json
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

from demand.bundle import (
    BASELINE,
    ENCODER,
    MANIFEST,
    PARITY,
    SNAPSHOT,
    SPEEDS,
    BundleMeta,
    InputForm,
    Manifest,
    encode_form,
    encode_manifest,
    file_entry,
    snapshot,
    to_parquet,
)
from demand.export.exported import Exported, export
from demand.export.release import Parts, Release, add_carried, own_parts, with_carried_places
from demand.sources.publish import publishing, write_bytes
from demand.training import DataSet, Encoder, Ensemble


def write_bundle(
    ensemble: Ensemble | Exported,
    data: DataSet,
    folder: Path,
    *,
    meta: BundleMeta,
    release: Release | None = None,
) -> dict[str, Any]:
    """The manifest of the bundle, written to `folder`, which appears whole; `data` is what certifies it.

    Raises IntegrityError where a graph that goes in has no certificate or a carried file changed, UsageError
    if `folder` holds more.
    """
    release = release or Release()
    final = _exported(ensemble, data)
    twins = None if release.judged is None else _exported(release.judged, data)
    meta = _dated(meta, data, final.ensemble, None if twins is None else twins.ensemble)
    parts = own_parts(final, twins, release, meta)
    add_carried(parts, release.carried)
    _add_tables(parts, final.ensemble, data, release)
    files = {name: file_entry(content) for name, content in parts.contents.items()}
    manifest = Manifest(meta, files, parts.entries, release.failed)
    with publishing(folder) as part:
        for name, content in parts.contents.items():
            write_bytes(part / name, content)
        write_bytes(part / MANIFEST, encode_manifest(manifest))
    return manifest.content()


def _exported(given: Ensemble | Exported, data: DataSet) -> Exported:
    return given if isinstance(given, Exported) else export(given, data)


def _add_tables(parts: Parts, ensemble: Ensemble, data: DataSet, release: Release) -> None:
    """Adds baseline, speeds, feature snapshot and the certificate file."""
    before = [(segment, each.bundle) for segment, each in sorted(release.carried.items())]
    averages = [(segment, bundle.baseline.series.reset_index()) for segment, bundle in before]
    speeds = with_carried_places(ensemble.speeds, [(segment, b.speeds) for segment, b in before])
    parts.contents |= {
        BASELINE: to_parquet(with_carried_places(ensemble.baseline.series.reset_index(), averages)),
        SPEEDS: to_parquet(speeds),
        SNAPSHOT: snapshot(data.panels, ensemble.origin, parts.forms_of_segments(), speeds),
        PARITY: (json.dumps(parts.parity(), indent=1, ensure_ascii=False) + "\n").encode(),
    }


def _dated(meta: BundleMeta, data: DataSet, final: Ensemble, judged: Ensemble | None) -> BundleMeta:
    """The meta with the weeks that the ensembles know; raises ValueError where it names others."""
    as_of, judged_as_of = _monday(data, final), None if judged is None else _monday(data, judged)
    for name, told, known in (
        ("as_of", meta.as_of, as_of),
        ("judged_as_of", meta.judged_as_of, judged_as_of),
    ):
        if told not in (None, known):
            raise ValueError(f"{name}: expected {known}, the ensemble's own; got {told}. Leave it out.")
    if judged is not None and _form(judged.encoder) != _form(final.encoder):
        raise ValueError(
            f"judged: expected an ensemble that reads {ENCODER} too; got one of another encoder."
        )
    return replace(meta, as_of=as_of, judged_as_of=judged_as_of)


def _monday(data: DataSet, ensemble: Ensemble) -> date:
    found: date = data.panels[0].weeks[ensemble.origin].date()
    return found


def _form(encoder: Encoder) -> bytes:
    return encode_form(InputForm(encoder.spec, encoder.names, encoder.vocabulary))
