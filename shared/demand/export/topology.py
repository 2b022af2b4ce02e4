"""The nodes that every segment's graph shares: raw columns in, units out.

Everything linear in the features is one matrix product. Its columns are the network's first layer, its skip
and the LASSO's linear part; then, for the LASSO's products, grouped by the feature they share (the mover),
the sum that each mover is multiplied with, and the movers themselves.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper

from demand.features import CATEGORIES, GATE
from demand.models.design import ONE_HOT
from demand.models.encoding import UNKNOWN, Vocabulary

OPSET, ML_OPSET, IR = 20, 4, 10  # what onnxruntime 1.22 reads
IN_LOG = ("ensemble", "lower_ratio", "upper_ratio", "lasso_ratio", "network_ratio")
LEAST_FLOAT = float(np.finfo(np.float32).min)
ROWS, SERIES = "rows", "n_series"


@dataclass(frozen=True)
class Topology:
    """What shapes the graph: names of the features, known categories, number of hidden layers."""

    names: tuple[str, ...]
    vocabulary: Vocabulary
    n_hidden: int


class _Nodes:
    """The nodes in their order; each bears the name of what it gives."""

    def __init__(self) -> None:
        self.all: list[onnx.NodeProto] = []

    def add(self, operator: str, inputs: str, outputs: str, **attributes: Any) -> str:
        """Add a node from and to names between spaces; gives the last output."""
        out = outputs.split()
        self.all.append(helper.make_node(operator, inputs.split(), out, name=out[0], **attributes))
        return out[-1]


def build_template(topology: Topology, outputs: tuple[str, ...]) -> onnx.ModelProto:
    """The model without a single weight; `weights.segment_weights` names them all."""
    nodes = _Nodes()
    _encode(nodes, topology.vocabulary)
    _scale(nodes)
    nodes.add("Gemm", "scaled feature_matrix from_series", "first")
    nodes.add("Split", "first first_widths", "hidden_1 skip linear by_mover movers", axis=1)
    _lasso(nodes)
    _network(nodes, topology.n_hidden)
    _blend(nodes, anchored=GATE in topology.names)
    _intervals(nodes)
    _units(nodes, outputs)
    results = _vectors(outputs, TensorProto.FLOAT, ROWS)
    graph = helper.make_graph(nodes.all, "segment", _inputs(topology), results, [])
    opsets = [helper.make_opsetid("", OPSET), helper.make_opsetid("ai.onnx.ml", ML_OPSET)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=IR)


def _inputs(topology: Topology) -> list[onnx.ValueInfoProto]:
    """Columns of rows, and the categories of the series that `series` points into."""
    return [
        helper.make_tensor_value_info("features", TensorProto.FLOAT, [ROWS, len(topology.names)]),
        *_vectors(("level",), TensorProto.FLOAT, ROWS),
        *_vectors(("horizon", "series"), TensorProto.INT64, ROWS),
        *_vectors(CATEGORIES, TensorProto.STRING, SERIES),
    ]


def _vectors(names: tuple[str, ...], kind: int, length: str) -> list[onnx.ValueInfoProto]:
    return [helper.make_tensor_value_info(name, kind, [length]) for name in names]


def _encode(nodes: _Nodes, vocabulary: Vocabulary) -> None:
    """Text to codes, unknown text to 0; codes to what they add to the first product, (rows, width)."""
    found = []
    for name, values in zip(CATEGORIES, vocabulary.values, strict=True):
        nodes.add(
            "LabelEncoder", name, f"{name}_code", domain="ai.onnx.ml", keys_strings=values,
            values_int64s=range(1, len(values) + 1), default_int64=UNKNOWN,
        )  # fmt: skip
        found.append(nodes.add("Gather", f"{name}_embedding {name}_code", f"{name}_embedded"))
    for name in ONE_HOT:
        found.append(nodes.add("Gather", f"{name}_effects {name}_code", f"{name}_effect"))
    nodes.add("Concat", " ".join(found), "category_columns", axis=1)
    nodes.add("Gemm", "category_columns category_matrix first_bias", "from_categories")  # (series, width)
    nodes.add("Gather", "from_categories series", "from_series")


def _scale(nodes: _Nodes) -> None:
    """Standardised features within the clip, the mean where a feature is not known.

    ThresholdedRelu gives 0 for whatever is not above its alpha, and NaN is above nothing: one pass over the
    features where IsNaN and Where take three.
    """
    nodes.add("Sub", "features center", "centered")
    nodes.add("Mul", "centered inverse_deviation", "standard")
    nodes.add("ThresholdedRelu", "standard", "known", alpha=LEAST_FLOAT)
    nodes.add("Clip", "known clip_low clip_high", "scaled")


def _lasso(nodes: _Nodes) -> None:
    nodes.add("Mul", "by_mover movers", "products")
    nodes.add("ReduceSum", "products columns", "product_sum", keepdims=0)
    nodes.add("Squeeze", "linear columns", "linear_sum")
    nodes.add("Add", "linear_sum product_sum", "lasso_ratio")


def _network(nodes: _Nodes, n_hidden: int) -> None:
    """SiLU after each hidden layer; the skip comes with its own bias."""
    for layer in range(1, n_hidden + 1):
        nodes.add("Sigmoid", f"hidden_{layer}", f"gate_{layer}")
        nodes.add("Mul", f"hidden_{layer} gate_{layer}", f"active_{layer}")
        after = f"hidden_{layer + 1}" if layer < n_hidden else "body"
        nodes.add("Gemm", f"active_{layer} matrix_{layer + 1} bias_{layer + 1}", after)
    nodes.add("Add", "body skip", "network_column")
    nodes.add("Squeeze", "network_column columns", "network_ratio")


def _blend(nodes: _Nodes, *, anchored: bool) -> None:
    """The weighted members; where the features have a gate, part of the way to the anchor if it is open."""
    nodes.add("Mul", "lasso_ratio lasso_weight", "lasso_part")
    nodes.add("Mul", "network_ratio network_weight", "network_part")
    nodes.add("Add", "lasso_part network_part", "blended" if anchored else "ensemble")
    if not anchored:
        return
    nodes.add("Gather", "features gate_column", "gate", axis=1)
    nodes.add("Greater", "gate half", "open")
    nodes.add("Gather", "features anchor_column", "anchor", axis=1)
    nodes.add("Mul", "anchor anchor_share", "anchor_part")
    nodes.add("Mul", "blended blended_share", "blended_part")
    nodes.add("Add", "anchor_part blended_part", "moved")
    nodes.add("Where", "open moved blended", "ensemble")


def _intervals(nodes: _Nodes) -> None:
    """What the row's cell of volume band and horizon adds to either side."""
    nodes.add("GreaterOrEqual", "level band_edges", "above_edges")  # (n_edges, rows)
    nodes.add("Cast", "above_edges", "above_counts", to=TensorProto.INT64)
    nodes.add("ReduceSum", "above_counts leading", "band", keepdims=0)
    nodes.add("Clip", "horizon first_horizon last_horizon", "known_horizon")
    nodes.add("Sub", "known_horizon first_horizon", "step")
    nodes.add("Mul", "band last_horizon", "band_start")
    nodes.add("Add", "band_start step", "cell")
    for side in ("lower", "upper"):
        nodes.add("Gather", f"{side}_cells cell", f"{side}_width")
        nodes.add("Add", f"ensemble {side}_width", f"{side}_ratio")


def _units(nodes: _Nodes, outputs: tuple[str, ...]) -> None:
    """Log ratios, stacked as (n_outputs, rows), to units of at least `least_units`, one vector per output."""
    nodes.add("Mul", "level offset_share", "offset_by_share")
    nodes.add("Max", "offset_by_share least_offset", "offset")
    nodes.add("Add", "level offset", "scale")
    lines = [nodes.add("Unsqueeze", f"{name} leading", f"{name}_line") for name in IN_LOG]
    nodes.add("Concat", " ".join(lines), "ratios", axis=0)
    nodes.add("Clip", "ratios lowest_ratio highest_ratio", "bounded")
    nodes.add("Exp", "bounded", "growth")
    nodes.add("Mul", "growth scale", "grown")
    nodes.add("Sub", "grown offset", "signed_units")
    nodes.add("Max", "signed_units least_units", "table")
    parts = [f"{name}_part_of_table" for name in outputs]
    nodes.add("Split", "table", " ".join(parts), axis=0, num_outputs=len(outputs))
    for name, part in zip(outputs, parts, strict=True):
        nodes.add("Squeeze", f"{part} leading", name)
