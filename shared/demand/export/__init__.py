"""Export: a trained ensemble as a bundle of ONNX graphs that score without torch and scikit-learn."""

from demand.export.bundle import write_bundle
from demand.export.certificate import certify
from demand.export.graphs import export_graphs

__all__ = ["certify", "export_graphs", "write_bundle"]
