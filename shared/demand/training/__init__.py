"""Training: panels in, one ensemble per segment out."""

from demand.training.choice import Choice
from demand.training.fit import Ensemble, Job, SegmentModel, choose, fit
from demand.training.rows import DataSet, Encoder, Rows, build_data_set, build_rows, learn_encoder

__all__ = [
    "Choice",
    "DataSet",
    "Encoder",
    "Ensemble",
    "Job",
    "Rows",
    "SegmentModel",
    "build_data_set",
    "build_rows",
    "choose",
    "fit",
    "learn_encoder",
]
