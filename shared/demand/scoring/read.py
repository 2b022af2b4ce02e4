"""Read a bundle: every byte verified before it is parsed."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pandas as pd

from demand.bundle import (
    BASELINE,
    ENCODER,
    OUTPUTS,
    PARITY,
    PARITY_LIMIT,
    SPEEDS,
    BundleMeta,
    InputForm,
    decode_form,
    from_parquet,
    open_graph,
    read_files,
)
from demand.errors import IntegrityError
from demand.models.baseline import KEYS, HistoricalAverage, fit_baseline
from demand.segments import Segment


@dataclass(frozen=True)
class Bundle:
    """A verified bundle, ready to score: what graphs read, a session per segment, the baseline and speeds."""

    meta: BundleMeta
    form: InputForm
    sessions: Mapping[Segment, onnxruntime.InferenceSession]
    baseline: HistoricalAverage
    speeds: pd.DataFrame


def read_bundle(folder: Path) -> Bundle:
    """The bundle in a folder, every byte verified before it is parsed.

    Raises IntegrityError naming file, expected and got where a file is missing, not listed, or different,
    and where a segment has no certificate within its limit.
    """
    manifest, files = read_files(folder)
    _check_certificates(folder / PARITY, files[PARITY], manifest.graphs)
    averages = from_parquet(files[BASELINE])
    return Bundle(
        meta=manifest.meta,
        form=decode_form(files[ENCODER], str(folder / ENCODER)),
        sessions={
            segment: open_graph(files[name], str(folder / name)) for segment, name in manifest.graphs.items()
        },
        baseline=fit_baseline(averages[KEYS], averages["units"].to_numpy()),
        speeds=from_parquet(files[SPEEDS]),
    )


def _check_certificates(path: Path, content: bytes, segments: Iterable[Segment]) -> None:
    """Raises IntegrityError unless every segment has a certificate within the limit."""
    parity: dict[str, Any] = json.loads(content)
    for segment in segments:
        difference = parity["segments"].get(segment.name, {}).get("difference", {})
        worst = max(difference.get(output, np.inf) for output in OUTPUTS)
        if not worst <= PARITY_LIMIT:
            raise IntegrityError(
                f"{path}: expected a certificate of {segment.name} within {PARITY_LIMIT:g}; "
                f"got {worst:g}. Export the bundle again."
            )
