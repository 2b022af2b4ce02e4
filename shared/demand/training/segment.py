"""The ensemble of one segment."""

from dataclasses import dataclass

from demand.models.blend import anchored, blend
from demand.models.encoding import Floats
from demand.models.intervals import Intervals
from demand.models.lasso import LassoMember
from demand.models.network import Network, predict_network
from demand.models.scale import to_units
from demand.training.choice import Choice
from demand.training.linear import hot_codes
from demand.training.rows import Rows


@dataclass(frozen=True)
class SegmentModel:
    """Two members, the network's weight in their blend, and the intervals around it.

    least: units that no forecast is below.
    """

    lasso: LassoMember
    network: Network
    weight: float
    intervals: Intervals
    least: float = 0.0

    def members(self, rows: Rows) -> tuple[Floats, Floats]:
        """Log ratios of the linear member and the network, (n_rows,) each."""
        linear = self.lasso.predict(rows.values, hot_codes(rows.codes))
        return linear, predict_network(self.network, rows.values, rows.codes)

    def predict(self, rows: Rows) -> Floats:
        """Log ratios of the ensemble, (n_rows,)."""
        return anchored(blend(*self.members(rows), self.weight), rows.anchor)

    def forecasts(self, rows: Rows) -> dict[str, Floats]:
        """Units of the ensemble, lower, upper, lasso and network, (n_rows,) each.

        Only `lower` may be below the least forecast: a week without sales lies within the interval.
        """
        linear, network = self.members(rows)
        ratio = anchored(blend(linear, network, self.weight), rows.anchor)
        lower, upper = self.intervals.bounds(ratio, rows.level, rows.horizon)
        bounded = {"ensemble": ratio, "upper": upper, "lasso": linear, "network": network}
        found = {name: to_units(each, rows.level, rows.offset, self.least) for name, each in bounded.items()}
        return found | {"lower": to_units(lower, rows.level, rows.offset)}


def segment_model(linear: LassoMember, network: Network, choice: Choice) -> SegmentModel:
    """The ensemble of two fitted members as a choice says."""
    return SegmentModel(linear, network, choice.weight, choice.intervals, choice.least)
