"""What the validation window chooses for a segment: alphas, blend, calibration and intervals."""

from dataclasses import dataclass

import numpy as np

from demand.config import Config
from demand.metrics import mape
from demand.models.blend import EQUAL, blend, choose_shift, choose_weight
from demand.models.intervals import Intervals, learn_intervals
from demand.models.lasso import LassoMember
from demand.models.network import Network, predict_network
from demand.models.scale import to_units
from demand.training.linear import hot_codes
from demand.training.rows import Rows

# Of the shift that would remove the validation window's bias: all of it cost more WAPE than it was worth.
SHIFT_SHARE = 0.5


@dataclass(frozen=True)
class Choice:
    """What the validation window chose for a segment.

    alphas: index on the path for each pass. weight: the network's in the blend. shift: added to the log ratio
    of both members. mape: in percent.
    """

    alphas: tuple[int, ...]
    weight: float
    shift: float
    intervals: Intervals
    mape: float


def decide(
    linear: tuple[LassoMember, tuple[int, ...]], network: Network, rows: Rows, config: Config
) -> Choice:
    """The choice of a segment from its validation rows; equal weights and no shift without any.

    linear: the linear member and its alphas; both members were trained on weeks before these rows' targets.
    """
    model, alphas = linear
    if len(rows) == 0:
        return Choice(alphas, EQUAL, 0.0, _unbounded(config), float("nan"))
    members = (
        model.predict(rows.values, hot_codes(rows.codes)),
        predict_network(network, rows.values, rows.codes),
    )
    forecast, scale = config.forecast, (rows.level, rows.offset)
    weight = choose_weight(members, rows.units, scale, forecast.objective)
    ratio = blend(*members, weight)
    balanced = forecast.objective == "balanced"
    shift = SHIFT_SHARE * choose_shift(ratio, rows.units, scale) if balanced else 0.0
    ratio = ratio + np.float32(shift)
    intervals = learn_intervals(
        rows.ratio - ratio, rows.level, rows.horizon, forecast.horizon, forecast.interval
    )
    return Choice(alphas, weight, shift, intervals, mape(rows.units, to_units(ratio, *scale)))


def _unbounded(config: Config) -> Intervals:
    """The widest intervals: nothing is known of a segment's errors."""
    return learn_intervals(
        np.array([-3, 3], np.float32), np.ones(2, np.float32), np.ones(2, int), config.forecast.horizon, 0.99
    )
