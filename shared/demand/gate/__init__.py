"""The gate: whether a segment's new model may take the place of the one in use."""

from demand.gate.judge import judge_gate
from demand.gate.verdict import Verdict, gate_table

__all__ = ["Verdict", "gate_table", "judge_gate"]
