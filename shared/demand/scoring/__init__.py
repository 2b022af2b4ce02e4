"""Scoring: a verified bundle and panels in, contracted forecasts out, on ONNX Runtime alone."""

from demand.scoring.forecasts import score
from demand.scoring.read import Bundle, read_bundle

__all__ = ["Bundle", "read_bundle", "score"]
