import math

import pandas as pd
import pytest

from demand.errors import DataError
from level2_cicd.environments import EnvironmentGate
from level2_cicd.validation.checks import Check, Result, judged, refuse
from level2_cicd.validation.training import environment_gate

METRICS = {"mape": 30.0, "baseline_mape": 60.0, "gain": 50.0}


def report(*mapes: float) -> pd.DataFrame:
    return pd.DataFrame({"mape": mapes})


@pytest.mark.parametrize(
    ("mapes", "good"),
    [
        ((45.0,) * 9 + (99.0,), True),  # 9 of 10 at most 45 %, and 90 % are demanded
        ((45.0,) * 8 + (45.1, 99.0), False),
        ((45.0,) * 8 + (math.nan, math.nan), False),  # what could not be judged does not count as good
        ((), False),
    ],
)
def test_so_many_segments_must_be_good(mapes: tuple[float, ...], good: bool) -> None:
    share, _ = environment_gate(report(*mapes), METRICS, EnvironmentGate())
    assert (share.result is Result.good) == good


@pytest.mark.parametrize(("gain", "good"), [(40.0, True), (39.9, False), (math.nan, False)])
def test_the_whole_must_lie_so_far_below_the_average(gain: float, good: bool) -> None:
    _, whole = environment_gate(report(30.0), {**METRICS, "gain": gain}, EnvironmentGate())
    assert (whole.result is Result.good) == good


def test_a_check_that_holds_partly_stops_only_who_is_strict() -> None:
    checks = [judged("data", "manifest", True, "whole"), Check("data", "regions", Result.partly, "1 of 2")]
    refuse(checks, DataError, strict=False)
    with pytest.raises(DataError, match=r"data validation: .* 1 do not:\n- regions: 1 of 2"):
        refuse(checks, DataError, strict=True)
    failed = [*checks, judged("data", "weeks", False, "8, needed 28")]
    with pytest.raises(DataError, match="1 do not:\n- weeks: 8, needed 28"):
        refuse(failed, DataError, strict=False)
