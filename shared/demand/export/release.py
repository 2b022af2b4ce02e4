"""What makes up a bundle: graphs of the own run, graphs carried over, and segments that have none."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import pandas as pd

from demand.bundle import (
    ENCODER,
    GRAPHS,
    PARITY,
    PARITY_LIMIT,
    TWINS,
    Bundle,
    BundleMeta,
    Entry,
    Forms,
    InputForm,
    encode_form,
    read_verified,
)
from demand.errors import IntegrityError
from demand.export.certificate import certificate_content, package_versions
from demand.export.exported import Exported
from demand.segments import Segment
from demand.training import Ensemble

PLACE = ["region", "format"]


@dataclass(frozen=True)
class Detail:
    """What tracking and the report say of a segment; metrics that are not a number are kept as unknown."""

    run_id: str | None = None
    metrics: Mapping[str, float | None] = field(default_factory=dict)


@dataclass(frozen=True)
class Carried:
    """A segment's graph in an opened earlier bundle, and why it is carried over from there."""

    bundle: Bundle
    reason: str


@dataclass(frozen=True)
class Release:
    """What a bundle holds beside the graphs of its own ensemble.

    judged: the ensemble trained only up to the weeks that judge; its graphs are the evaluation twins.
    carried, failed: segments whose graph comes from an earlier bundle, and those that get none, with the
    reason; for both, the own ensemble's model is left out.
    """

    judged: Ensemble | Exported | None = None
    details: Mapping[Segment, Detail] = field(default_factory=dict)
    carried: Mapping[Segment, Carried] = field(default_factory=dict)
    failed: Mapping[Segment, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        both = sorted(segment.name for segment in {*self.carried} & {*self.failed})
        if both:
            raise ValueError(f"carried and failed: expected a segment in one of them; got {both} in both.")
        reasons = {**self.failed, **{s: each.reason for s, each in self.carried.items()}}
        silent = sorted(segment.name for segment, reason in reasons.items() if not reason.strip())
        if silent:
            raise ValueError(f"reason: expected why a segment is carried or failed; got none for {silent}.")
        lost = sorted(s.name for s, each in self.carried.items() if s not in each.bundle.entries)
        if lost:
            raise ValueError(f"carried: expected segments of the earlier bundle; it has no graph of {lost}.")


@dataclass
class Parts:
    """Files and entries of a bundle as they come together; certificates as their file has them."""

    contents: dict[str, bytes]
    entries: dict[Segment, Entry]
    certificates: dict[str, dict[str, Any]]
    forms: dict[str, InputForm]

    def parity(self) -> dict[str, Any]:
        """The content of the certificate file."""
        sorted_ = {kind: dict(sorted(found.items())) for kind, found in self.certificates.items()}
        return {"limit": PARITY_LIMIT, "versions": package_versions(), **sorted_}

    def forms_of_segments(self) -> Forms:
        """Which form each segment's graph reads."""
        return Forms(self.forms, {s: entry.form for s, entry in self.entries.items()}, ENCODER)


def own_parts(final: Exported, twins: Exported | None, release: Release, meta: BundleMeta) -> Parts:
    """The parts that the bundle's own run made; raises IntegrityError where one has no certificate."""
    segments = sorted({*final.ensemble.models} - {*release.carried} - {*release.failed})
    judged = {} if twins is None else twins.graphs
    _refuse(final.faults, segments, "graph")
    _refuse({} if twins is None else twins.faults, segments, "evaluation twin")
    encoder = final.ensemble.encoder
    form = InputForm(encoder.spec, encoder.names, encoder.vocabulary)
    parts = Parts({ENCODER: encode_form(form)}, {}, {GRAPHS: {}, TWINS: {}}, {ENCODER: form})
    for segment in segments:
        detail = release.details.get(segment, Detail())
        entry = Entry(
            file=graph_file(segment),
            judged=twin_file(segment) if segment in judged else None,
            form=ENCODER,
            version=meta.model_version,
            trained_at=meta.trained_at,
            data_hash=meta.data_hash,
            run_id=detail.run_id,
            metrics=detail.metrics,
        )
        parts.entries[segment] = entry
        parts.contents[entry.file] = final.graphs[segment]
        if entry.judged:
            parts.contents[entry.judged] = judged[segment]
    for kind, exported in ((GRAPHS, final), (TWINS, twins)):
        found = {} if exported is None else exported.certificates
        parts.certificates[kind] = certificate_content({s: found[s] for s in segments if s in found})
    return parts


def add_carried(parts: Parts, carried: Mapping[Segment, Carried]) -> None:
    """Adds graph, twin, form and certificate of each carried segment, their bytes verified once more.

    Raises IntegrityError where an earlier bundle's files changed, or two of them disagree on a form.
    """
    for segment, each in sorted(carried.items()):
        before = each.bundle.entries[segment]
        form = f"encoder-{before.version}.json"
        judged = twin_file(segment) if before.judged else None
        entry = replace(before, file=graph_file(segment), judged=judged, form=form, reason=each.reason)
        content = read_verified(each.bundle, before.form)
        if parts.contents.setdefault(form, content) != content:
            raise IntegrityError(
                f"{form}: expected one form for model version {before.version}; got two that differ. "
                "Carry its segments over from one bundle."
            )
        parts.contents[entry.file] = read_verified(each.bundle, before.file)
        if before.judged and entry.judged:
            parts.contents[entry.judged] = read_verified(each.bundle, before.judged)
        parts.entries[segment] = entry
        parts.forms[form] = each.bundle.forms[before.form]
        _add_certificates(parts, segment, each.bundle)


def with_carried_places(own: pd.DataFrame, earlier: Iterable[tuple[Segment, pd.DataFrame]]) -> pd.DataFrame:
    """The rows of a table, and of the carried segments' earlier ones for a region and format it has not.

    A region that was refused this time has neither speeds nor averages of its own: its graphs need the old.
    """
    known = set(own[PLACE].itertuples(index=False, name=None))
    parts = [own]
    for segment, table in earlier:
        place = (segment.region, segment.format)
        if place not in known:
            known.add(place)
            parts.append(table[(table["region"] == place[0]) & (table["format"] == place[1])])
    return pd.concat(parts, ignore_index=True) if len(parts) > 1 else own


def graph_file(segment: Segment) -> str:
    """Name of the file of a segment's graph."""
    return f"{segment.name}.onnx"


def twin_file(segment: Segment) -> str:
    """Name of the file of a segment's evaluation twin."""
    return f"{segment.name}.judged.onnx"


def _add_certificates(parts: Parts, segment: Segment, bundle: Bundle) -> None:
    """Copies a segment's certificates, with the versions of the packages that they were made with."""
    parity = json.loads(read_verified(bundle, PARITY))
    for kind in (GRAPHS, TWINS):
        if segment.name in parity[kind]:
            parts.certificates[kind][segment.name] = {
                "versions": parity["versions"],
                **parity[kind][segment.name],
            }


def _refuse(faults: Mapping[Segment, str], segments: list[Segment], kind: str) -> None:
    bad = [f"{segment.name}: {faults[segment]}" for segment in segments if segment in faults]
    if bad:
        raise IntegrityError(
            f"certificate: expected every {kind} to have one; {len(bad)} have not, first {bad[0]}. "
            "Mend the export, or let the segment fail over."
        )
