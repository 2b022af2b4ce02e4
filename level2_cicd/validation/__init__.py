"""Validation: named checks of data, training and scoring, each with what it saw."""

from level2_cicd.validation.checks import Check, judged, refuse
from level2_cicd.validation.data import validate_data
from level2_cicd.validation.scoring import Candidate, score_candidate, validate_scoring
from level2_cicd.validation.training import validate_training

__all__ = [
    "Candidate",
    "Check",
    "judged",
    "refuse",
    "score_candidate",
    "validate_data",
    "validate_scoring",
    "validate_training",
]
