"""What the validation window chooses for a segment: alphas, blend, calibration and intervals."""

from dataclasses import dataclass

import numpy as np

from demand.config import Config
from demand.metrics import mape
from demand.models.blend import EQUAL, Curve, anchored, blend, choose_shift, choose_weight, error_curve
from demand.models.encoding import Floats
from demand.models.intervals import Intervals, learn_intervals
from demand.models.scale import to_units
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


@dataclass(frozen=True)
class Judged:
    """A segment's validation rows, without their inputs, and the log ratios (n_rows,) of LASSO and network.

    Both members were trained on weeks before these rows' targets; alphas: those that won.
    """

    alphas: tuple[int, ...]
    members: tuple[Floats, Floats]
    rows: Rows

    def curve(self, objective: str) -> Curve:
        """Error at each weight of the network that is tried."""
        return error_curve(self.members, self.rows.units, (self.rows.level, self.rows.offset), objective)


def decide(judged: Judged, prior: Curve, config: Config) -> Choice:
    """The choice of a segment; equal weights and no shift without a validation row.

    prior: the error curve of all segments together, which counts for as many rows as a small segment has.
    """
    rows, forecast = judged.rows, config.forecast
    if len(rows) == 0:
        return Choice(judged.alphas, EQUAL, 0.0, _unbounded(config), float("nan"))
    scale = (rows.level, rows.offset)
    weight = choose_weight(judged.curve(forecast.objective), prior)
    ratio = blend(*judged.members, weight)
    balanced = forecast.objective == "balanced"
    shift = SHIFT_SHARE * choose_shift(ratio, rows.units, scale) if balanced else 0.0
    ratio = anchored(ratio + np.float32(shift), rows.anchor)
    intervals = learn_intervals(
        rows.ratio - ratio, rows.level, rows.horizon, forecast.horizon, forecast.interval
    )
    return Choice(judged.alphas, weight, shift, intervals, mape(rows.units, to_units(ratio, *scale)))


def _unbounded(config: Config) -> Intervals:
    """The widest intervals: nothing is known of a segment's errors."""
    return learn_intervals(
        np.array([-3, 3], np.float32), np.ones(2, np.float32), np.ones(2, int), config.forecast.horizon, 0.99
    )
