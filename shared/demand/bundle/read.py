"""Read a bundle: every byte verified before it is parsed."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import onnxruntime
import pandas as pd

from demand.bundle.folder import read_files, verified
from demand.bundle.form import InputForm, decode_form
from demand.bundle.graph import check_certificates, open_graph
from demand.bundle.manifest import BASELINE, ENCODER, PARITY, SNAPSHOT, SPEEDS, BundleMeta, Entry, Manifest
from demand.bundle.parquet import from_parquet
from demand.models.baseline import KEYS, HistoricalAverage, fit_baseline
from demand.segments import Segment

Session: TypeAlias = onnxruntime.InferenceSession


@dataclass(frozen=True)
class Bundle:
    """A verified bundle, ready to score.

    forms: what graphs read, by file name. sessions: one per segment with a graph. baseline, speeds: of the
    run that wrote the bundle, whichever run trained a segment's graph.
    """

    folder: Path
    manifest: Manifest
    forms: Mapping[str, InputForm]
    sessions: Mapping[Segment, Session]
    baseline: HistoricalAverage
    speeds: pd.DataFrame

    @property
    def meta(self) -> BundleMeta:
        """Where the bundle comes from."""
        return self.manifest.meta

    @property
    def entries(self) -> Mapping[Segment, Entry]:
        """What the manifest says of each segment with a graph."""
        return self.manifest.entries

    @property
    def form(self) -> InputForm:
        """What the graphs that the bundle's own run trained read."""
        return self.forms[ENCODER]

    @property
    def horizons(self) -> tuple[int, ...]:
        """The weeks ahead that the bundle forecasts."""
        return self.form.spec.horizons


def read_bundle(folder: Path) -> Bundle:
    """The bundle in a folder, every byte verified before it is parsed.

    Raises IntegrityError naming file, expected and got where a file is missing, not listed, or different,
    and where a graph has no certificate within its limit.
    """
    manifest, files = read_files(folder)
    check_certificates(folder / PARITY, files[PARITY], manifest.entries)
    averages = from_parquet(files[BASELINE])
    forms = {ENCODER, *(entry.form for entry in manifest.entries.values())}
    return Bundle(
        folder=folder,
        manifest=manifest,
        forms={name: decode_form(files[name], str(folder / name)) for name in sorted(forms)},
        sessions={
            segment: open_graph(files[entry.file], str(folder / entry.file))
            for segment, entry in manifest.entries.items()
        },
        baseline=fit_baseline(averages[KEYS], averages["units"].to_numpy()),
        speeds=from_parquet(files[SPEEDS]),
    )


def open_twins(bundle: Bundle) -> dict[Segment, Session]:
    """A session of each evaluation twin, its bytes verified now; raises IntegrityError."""
    names = {segment: entry.judged for segment, entry in bundle.entries.items() if entry.judged}
    return {
        segment: open_graph(read_verified(bundle, name), str(bundle.folder / name))
        for segment, name in names.items()
    }


def read_snapshot(bundle: Bundle) -> pd.DataFrame:
    """The feature snapshot of a bundle, its bytes verified now, as `snapshot` writes it; IntegrityError."""
    return from_parquet(read_verified(bundle, SNAPSHOT))


def read_verified(bundle: Bundle, name: str) -> bytes:
    """The bytes of one of a bundle's files; raises IntegrityError where they changed since it was read."""
    return verified(bundle.folder / name, bundle.manifest.files[name])
