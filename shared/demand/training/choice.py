"""What the validation window chooses for a segment: alphas, blend, calibration and intervals."""

from dataclasses import dataclass

import numpy as np

from demand.config import Config
from demand.metrics import mape
from demand.models.blend import EQUAL, Curve, anchored, blend, choose_weight, error_curve
from demand.models.encoding import Floats
from demand.models.intervals import Intervals, learn_intervals
from demand.models.scale import to_units
from demand.training.rows import Rows


@dataclass(frozen=True)
class Choice:
    """What the validation window chose for a segment.

    alphas: index on the path for each pass. weight: the network's in the blend. mape: in percent. least:
    units that no forecast is below.
    """

    alphas: tuple[int, ...]
    weight: float
    intervals: Intervals
    mape: float
    least: float = 0.0


@dataclass(frozen=True)
class Judged:
    """A segment's validation rows, without their inputs, and the log ratios (n_rows,) of LASSO and network.

    Both members were trained on weeks up to the column `last`, before these rows' targets. alphas: those that
    won. least: units that no forecast is below.
    """

    alphas: tuple[int, ...]
    members: tuple[Floats, Floats]
    rows: Rows
    last: int
    least: float

    def curve(self, objective: str) -> Curve:
        """Error at each weight of the network that is tried, on the weeks that the models would serve.

        Those are the first `horizon` weeks after training: the network ages sooner than the LASSO, and by the
        end of the window it is older than it ever is in use.
        """
        rows = self.rows
        served = rows.target <= self.last + rows.horizon.max(initial=0)
        lasso, network = (member[served] for member in self.members)
        scale = (rows.level[served], rows.offset[served])
        return error_curve((lasso, network), rows.units[served], scale, objective, self.least)


def decide(judged: Judged, prior: Curve, config: Config) -> Choice:
    """The choice of a segment; equal weights without a validation row.

    prior: the error curve of all segments together, which counts for as many rows as a small segment has.
    """
    rows, forecast = judged.rows, config.forecast
    if len(rows) == 0:
        return Choice(judged.alphas, EQUAL, _unbounded(config), float("nan"), judged.least)
    scale = (rows.level, rows.offset)
    weight = choose_weight(judged.curve(forecast.objective), prior)
    ratio = anchored(blend(*judged.members, weight), rows.anchor)
    intervals = learn_intervals(
        rows.ratio - ratio, rows.level, rows.horizon, forecast.horizon, forecast.interval
    )
    error = mape(rows.units, to_units(ratio, *scale, judged.least))
    return Choice(judged.alphas, weight, intervals, error, judged.least)


def _unbounded(config: Config) -> Intervals:
    """The widest intervals: nothing is known of a segment's errors."""
    return learn_intervals(
        np.array([-3, 3], np.float32), np.ones(2, np.float32), np.ones(2, int), config.forecast.horizon, 0.99
    )
