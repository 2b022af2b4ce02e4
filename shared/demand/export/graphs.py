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
    encoder, models = ensemble.encoder, ensemble.models
    n_hidden = len(hidden_layers(next(iter(models.values())).network))
    template = build_template(Topology(len(encoder.names), encoder.vocabulary, n_hidden), OUTPUTS)
    return {segment: fill(template, segment_weights(encoder, model)) for segment, model in models.items()}


def fill(template: onnx.ModelProto, weights: Weights) -> bytes:
    """The bytes of a template with these weights."""
    model = onnx.ModelProto()
    model.CopyFrom(template)
    for name in sorted(weights):
        model.graph.initializer.append(numpy_helper.from_array(np.asarray(weights[name]), name))
    onnx.checker.check_model(model)
    content: bytes = model.SerializeToString(deterministic=True)
    return content
