"""Write a trained ensemble as a bundle: graphs, inputs, baseline, speeds, certificate, manifest."""

import json
from pathlib import Path
from typing import Any

from demand.bundle import (
    BASELINE,
    ENCODER,
    MANIFEST,
    PARITY,
    SPEEDS,
    BundleMeta,
    InputForm,
    Manifest,
    encode_form,
    entry_of,
    to_parquet,
)
from demand.export.certificate import certificate_content, certify
from demand.export.graphs import export_graphs
from demand.sources.publish import publishing, write_bytes
from demand.training import DataSet, Ensemble


def write_bundle(ensemble: Ensemble, data: DataSet, folder: Path, *, meta: BundleMeta) -> dict[str, Any]:
    """The manifest of the bundle, written to `folder`, which appears whole; `data` is what certifies it.

    Raises IntegrityError where a graph differs from the Python path, UsageError if `folder` holds more.
    """
    graphs = export_graphs(ensemble)
    certificates = certify(ensemble, data, graphs)
    encoder = ensemble.encoder
    contents = {
        ENCODER: encode_form(InputForm(encoder.spec, encoder.names, encoder.vocabulary)),
        BASELINE: to_parquet(ensemble.baseline.series.reset_index()),
        SPEEDS: to_parquet(ensemble.speeds),
        PARITY: _json(certificate_content(certificates)),
        **{f"{segment.name}.onnx": graph for segment, graph in graphs.items()},
    }
    files = {name: entry_of(content) for name, content in contents.items()}
    manifest = Manifest(meta, files, {segment: f"{segment.name}.onnx" for segment in graphs}).content()
    with publishing(folder) as part:
        for name, content in contents.items():
            write_bytes(part / name, content)
        write_bytes(part / MANIFEST, _json(manifest))
    return manifest


def _json(content: object) -> bytes:
    return (json.dumps(content, indent=1, ensure_ascii=False) + "\n").encode()
