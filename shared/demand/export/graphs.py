"""Graphs of an ensemble: the nodes are built once, the weights of each segment put in."""

import numpy as np
import onnx
from onnx import numpy_helper

from demand.bundle import OUTPUTS
from demand.export.topology import Topology, build_template
from demand.export.weights import Weights, hidden_layers, segment_weights
from demand.segments import Segment
from demand.training import Ensemble


def export_graphs(ensemble: Ensemble) -> dict[Segment, bytes]:
    """The ONNX graph of each segment, as bytes; equal weights give equal bytes.

    Raises onnx.checker.ValidationError where a graph breaks ONNX's rules.
    """
    empty = template(ensemble)
    return {s: fill(empty, segment_weights(ensemble.encoder, model)) for s, model in ensemble.models.items()}


def template(ensemble: Ensemble) -> onnx.ModelProto:
    """The graph of an ensemble's segments, of which there must be one, without their weights."""
    encoder = ensemble.encoder
    n_hidden = len(hidden_layers(next(iter(ensemble.models.values())).network))
    return build_template(Topology(encoder.names, encoder.vocabulary, n_hidden), OUTPUTS)


def fill(template: onnx.ModelProto, weights: Weights) -> bytes:
    """The bytes of a template with these weights."""
    model = onnx.ModelProto()
    model.CopyFrom(template)
    for name in sorted(weights):
        model.graph.initializer.append(numpy_helper.from_array(np.asarray(weights[name]), name))
    onnx.checker.check_model(model)
    content: bytes = model.SerializeToString(deterministic=True)
    return content
