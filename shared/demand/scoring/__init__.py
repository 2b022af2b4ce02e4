"""Scoring: a verified bundle and panels in, contracted forecasts out, on ONNX Runtime alone."""

from demand.bundle import Bundle, read_bundle, read_snapshot
from demand.scoring.forecasts import Scored, score, score_all
from demand.scoring.hindcast import hindcast
from demand.scoring.rows import score_rows

__all__ = ["Bundle", "Scored", "hindcast", "read_bundle", "read_snapshot", "score", "score_all", "score_rows"]
