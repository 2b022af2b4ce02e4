"""What follows a merge: the package itself is validated, registered, promoted and scored in dev."""

from dataclasses import replace
from pathlib import Path

from level2_cicd.flow import Flow
from level2_cicd.metric_table import Figures
from level2_cicd.release import Released, release
from level2_cicd.steps import Steps

APPROVER, REASON = "level2-main", "every check and gate passed"


def integrate(flow: Flow, steps: Steps, out: Path, baseline: Figures | None) -> Released:
    """What the package came to in dev, where the gates approve and no person has to.

    The steps are those of a release, so that whatever breaks there breaks here first; but a region or series
    that cannot be used stops it. Raises what a release raises.
    """
    return release(replace(flow, approver=APPROVER, reason=REASON, strict=True), steps, out, baseline)
