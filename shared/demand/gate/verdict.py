"""What becomes of a segment's new model, alone and as a table."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from demand.contracts import check, columns
from demand.gate.bounds import NAN
from demand.segments import Segment


@dataclass(frozen=True)
class Verdict:
    """Whether a new model may be used. reasons: what speaks against it, or for it where it passed.

    alarm: too good to be true, never passed. n: rows with sales; MAPEs in percent on these, the champion's on
    those of them that it forecast. Ratios: the new MAPE over the other's on the same rows, with bounds
    (`upper`: at most, `lower`: at least) that hold for all segments together; NaN where nothing is compared.
    """

    segment: Segment
    passed: bool
    alarm: bool
    reasons: tuple[str, ...]
    n: int = 0
    mape: float = NAN
    baseline_mape: float = NAN
    champion_mape: float = NAN
    baseline_ratio: float = NAN
    baseline_upper: float = NAN
    champion_ratio: float = NAN
    champion_lower: float = NAN
    champion_upper: float = NAN

    @property
    def decision(self) -> str:
        """One of passed, refused, alarm."""
        return "alarm" if self.alarm else "passed" if self.passed else "refused"

    @property
    def reason(self) -> str:
        """All reasons in one line."""
        return " ".join(" ".join(self.reasons).split())


def gate_table(verdicts: dict[Segment, Verdict]) -> pd.DataFrame:
    """The contracted table `gate`: one row per segment, with the decision, its figures and its reason."""
    lines = [
        {**vars(each.segment), **vars(each), "decision": each.decision, "reason": each.reason}
        for each in verdicts.values()
    ]
    frame = pd.DataFrame(lines, columns=columns("gate"))
    return check("gate", frame.replace([np.inf, -np.inf], np.nan), "gate")
