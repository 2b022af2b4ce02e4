"""The ensemble of one segment."""

from dataclasses import dataclass, replace

from demand.models.blend import anchored, blend
from demand.models.encoding import Floats
from demand.models.intervals import Intervals
from demand.models.lasso import LassoMember
from demand.models.network import Network, predict_network, shifted_network
from demand.training.choice import Choice
from demand.training.linear import hot_codes
from demand.training.rows import Rows


@dataclass(frozen=True)
class SegmentModel:
    """Two members, the network's weight in their blend, and the intervals around it."""

    lasso: LassoMember
    network: Network
    weight: float
    intervals: Intervals

    def members(self, rows: Rows) -> tuple[Floats, Floats]:
        """Log ratios of the linear member and the network, (n_rows,) each."""
        linear = self.lasso.predict(rows.values, hot_codes(rows.codes))
        return linear, predict_network(self.network, rows.values, rows.codes)

    def predict(self, rows: Rows) -> Floats:
        """Log ratios of the ensemble, (n_rows,)."""
        return anchored(blend(*self.members(rows), self.weight), rows.anchor)


def segment_model(linear: LassoMember, network: Network, choice: Choice) -> SegmentModel:
    """The ensemble of two fitted members as a choice says, its shift folded into both."""
    moved = replace(linear, intercept=linear.intercept + choice.shift)
    return SegmentModel(moved, shifted_network(network, choice.shift), choice.weight, choice.intervals)
