"""Drift: how far recent inputs and forecast errors lie from those of the same season before."""

from demand.drift.errors import ERROR_COLUMNS, weekly_errors
from demand.drift.measures import categorical_psi, ks, psi, unseen_share, wasserstein
from demand.drift.signals import SignalLimits, signals
from demand.drift.table import MEASURES, DriftLimits, drift_table

__all__ = [
    "ERROR_COLUMNS",
    "MEASURES",
    "DriftLimits",
    "SignalLimits",
    "categorical_psi",
    "drift_table",
    "ks",
    "psi",
    "signals",
    "unseen_share",
    "wasserstein",
    "weekly_errors",
]
