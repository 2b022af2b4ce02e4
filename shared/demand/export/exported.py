"""An ensemble's graphs, each with its certificate or the reason why it has none."""

from collections.abc import Mapping
from dataclasses import dataclass

import onnx

from demand.bundle import GRAPH_ERRORS, PARITY_LIMIT
from demand.errors import IntegrityError
from demand.export.certificate import Certificate, beyond, certificate, real_rows
from demand.export.graphs import fill, template
from demand.export.weights import segment_weights
from demand.segments import Segment
from demand.training import DataSet, Ensemble

FAULTS = (onnx.checker.ValidationError, IntegrityError, *GRAPH_ERRORS)


@dataclass(frozen=True)
class Exported:
    """Graphs and certificates of an ensemble; `faults` says of each other segment why it has none."""

    ensemble: Ensemble
    graphs: Mapping[Segment, bytes]
    certificates: Mapping[Segment, Certificate]
    faults: Mapping[Segment, str]


def export(ensemble: Ensemble, data: DataSet) -> Exported:
    """The graphs of an ensemble, certified on rows of `data` at its origin and on edge cases.

    A segment whose graph fails is among the faults, and costs no other segment its own.
    """
    graphs: dict[Segment, bytes] = {}
    certificates: dict[Segment, Certificate] = {}
    faults: dict[Segment, str] = {}
    empty = template(ensemble) if ensemble.models else onnx.ModelProto()
    real = real_rows(ensemble, data)
    for segment, model in ensemble.models.items():
        try:
            graph = fill(empty, segment_weights(ensemble.encoder, model))
            found = certificate(ensemble, segment, graph, real[segment])
        except FAULTS as error:
            faults[segment] = f"export: {type(error).__name__}: {' '.join(str(error).split())[:300]}"
            continue
        if beyond(found):
            faults[segment] = (
                f"parity: expected the graph within {PARITY_LIMIT:g} of the Python path; "
                f"got {', '.join(beyond(found))}"
            )
            continue
        graphs[segment], certificates[segment] = graph, found
    return Exported(ensemble, graphs, certificates, faults)
