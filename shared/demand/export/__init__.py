"""Export: a trained ensemble as a bundle of ONNX graphs that score without torch and scikit-learn."""

from demand.export.bundle import write_bundle
from demand.export.certificate import certify
from demand.export.exported import Exported, export
from demand.export.graphs import export_graphs
from demand.export.release import Carried, Detail, Release

__all__ = ["Carried", "Detail", "Exported", "Release", "certify", "export", "export_graphs", "write_bundle"]
