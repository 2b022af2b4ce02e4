"""Features: `weekly` and `outlook` as dense panels, and the table of model inputs built from them."""

from demand.features.anniversary import ANCHOR, GATE, anchors
from demand.features.block import offset_of
from demand.features.panel import Panel, begin_at, build_panel
from demand.features.table import CATEGORIES, FeatureSpec, FeatureTable, build_features, learn_spec
from demand.features.windows import Windows, lag_features

__all__ = [
    "ANCHOR",
    "CATEGORIES",
    "GATE",
    "FeatureSpec",
    "FeatureTable",
    "Panel",
    "Windows",
    "anchors",
    "begin_at",
    "build_features",
    "build_panel",
    "lag_features",
    "learn_spec",
    "offset_of",
]
