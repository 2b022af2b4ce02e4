"""What the validation window chooses, on judged rows made by hand."""

from dataclasses import replace

import numpy as np
import pytest

from demand.config import Config, ForecastConfig
from demand.models.blend import pooled_curve
from demand.models.scale import to_ratio
from demand.training import Rows
from demand.training.choice import Judged, decide

LAST = 20  # the column that training ended with
NO_PRIOR = pooled_curve([])


def judged(*, lasso: np.ndarray, network: np.ndarray, units: float = 30.0, least: float = 0.0) -> Judged:
    """Eight origins of one series, two weeks ahead, all selling `units`; level 20, offset 2."""
    origin, horizon = (part.ravel() for part in np.meshgrid(LAST + np.arange(8), [1, 2], indexing="ij"))
    level, offset, sold = np.full((3, 16, 1), [[[20]], [[2]], [[units]]], np.float32)[..., 0]
    rows = Rows(
        values=np.empty((16, 0), np.float32),
        codes=np.empty((16, 0), np.int64),
        series=np.zeros(16, np.intp),
        origin=origin,
        horizon=horizon,
        level=level,
        offset=offset,
        units=sold,
        ratio=to_ratio(sold, level, offset),
        anchor=np.full(16, np.nan, np.float32),
    )
    members = (lasso[rows.target - LAST].astype(np.float32), network[rows.target - LAST].astype(np.float32))
    return Judged((0,), members, rows, LAST, least)


RIGHT = float(to_ratio(np.float32(30), np.float32(20), np.float32(2)))
WEEKS = np.arange(10)  # after training


@pytest.mark.parametrize("objective", ["mape", "balanced"])
def test_the_weight_is_chosen_in_the_weeks_that_a_model_serves(objective):
    """The network is right in the two weeks after training and off later, the LASSO the other way round."""
    soon = np.where(WEEKS <= 2, RIGHT, RIGHT + 0.5)
    late = np.where(WEEKS <= 2, RIGHT + 0.5, RIGHT)
    config = Config(forecast=ForecastConfig(horizon=2, objective=objective))
    assert decide(judged(lasso=late, network=soon), NO_PRIOR, config).weight == 1
    assert decide(judged(lasso=soon, network=late), NO_PRIOR, config).weight == 0


def test_a_choice_is_judged_with_the_least_forecast():
    """Both members say next to nothing where one unit sold: at least one is said, and that is right."""
    nothing = np.full(10, -2.35)  # 22 e^-2.35 - 2 = 0.1
    config = Config(forecast=ForecastConfig(horizon=2))
    found = judged(lasso=nothing, network=nothing, units=1.0, least=1.0)
    choice = decide(found, NO_PRIOR, config)
    assert choice.mape == pytest.approx(0, abs=1e-4)
    assert choice.least == 1
    assert decide(replace(found, least=0.0), NO_PRIOR, config).mape == pytest.approx(90.2, abs=1)
