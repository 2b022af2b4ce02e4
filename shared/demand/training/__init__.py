"""Training: panels in, one ensemble per segment out."""

from demand.training.attempt import Failed
from demand.training.choice import Choice
from demand.training.fit import Choices, Ensemble, choose, choosing_origin, fit, train_networks
from demand.training.job import Job
from demand.training.memo import Memo, NoMemo
from demand.training.rows import DataSet, Encoder, Rows, build_data_set, build_rows, learn_encoder
from demand.training.segment import SegmentModel

__all__ = [
    "Choice",
    "Choices",
    "DataSet",
    "Encoder",
    "Ensemble",
    "Failed",
    "Job",
    "Memo",
    "NoMemo",
    "Rows",
    "SegmentModel",
    "build_data_set",
    "build_rows",
    "choose",
    "choosing_origin",
    "fit",
    "learn_encoder",
    "train_networks",
]
