"""The table of input drift: every segment, feature and measure, as of one week."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from demand.contracts import check, columns
from demand.drift.measures import categorical_psi, ks, psi, unseen_share, wasserstein
from demand.drift.reference import FEATURES, Columns, living, recent, same_season, values_of
from demand.features import Panel
from demand.segments import Segment

NUMERIC = {"psi": psi, "ks": ks, "wasserstein": wasserstein}
MEASURES = (*NUMERIC, "categorical_psi", "unseen_share")
CATEGORIES = ("store_id", "product_id", "category")
MIX = "product_id"  # whose shares of the units are compared


@dataclass(frozen=True)
class DriftLimits:
    """The values from which drift counts as such, one for each measure.

    A week's rows of a segment share their weather and most of their promotions, so that PSI and KS are large
    in any week that is not like another; their usual limits (0.25, 0.1) hold for independent rows.
    """

    psi: float = 5.0
    ks: float = 0.95
    wasserstein: float = 4.0  # standard deviations
    categorical_psi: float = 1.0
    unseen_share: float = 0.15
    unseen_stores: float = 0.34  # the share of rows in stores that are new: a store opens now and then

    def of(self, feature: str, measure: str) -> float:
        """The limit of a feature's measure."""
        if (feature, measure) == ("store_id", "unseen_share"):
            return self.unseen_stores
        return float(getattr(self, measure))


def drift_table(
    panel: Panel, segments: Sequence[Segment], at: int, until: int, limits: DriftLimits
) -> pd.DataFrame:
    """The contracted table `drift` as of the column `at`, against what was known up to the column `until`.

    segments: of each series, (n_series,). until: the last week that the model was trained on. A measure
    without anything to compare is NaN.
    """
    names = np.array([segment.name for segment in segments])
    by_name = {segment.name: segment for segment in segments}
    rows = [
        {
            "region": by_name[name].region,
            "format": by_name[name].format,
            "speed": by_name[name].speed,
            "week": panel.weeks[at],
            "feature": feature,
            "measure": measure,
            "value": value,
            "limit": limits.of(feature, measure),
            "n": n,
        }
        for name in np.unique(names)
        for feature, measure, value, n in _of_segment(panel, names == name, at, until)
    ]
    return check("drift", pd.DataFrame(rows, columns=columns("drift")), "drift")


def _of_segment(
    panel: Panel, own: NDArray[np.bool_], at: int, until: int
) -> Iterator[tuple[str, str, float, int]]:
    now, before = recent(at), same_season(panel, at, until)
    alive = living(panel, now)[own]
    for feature in FEATURES:
        current = values_of(panel, feature, now)[own][alive]
        reference = values_of(panel, feature, before)[own][living(panel, before)[own]]
        count = int((~np.isnan(current)).sum())
        for measure, function in NUMERIC.items():
            yield feature, measure, function(reference, current), count
    yield MIX, "categorical_psi", _mix(panel, own, now, before), int(alive.sum())
    for feature in CATEGORIES:
        yield feature, "unseen_share", _unseen(panel, own, feature, (now, until)), int(alive.sum())


def _mix(panel: Panel, own: NDArray[np.bool_], now: Columns, before: Columns) -> float:
    """PSI of the products' shares of the units, from the same season to now; as if of 1,000 rows a side."""
    products = panel.series[MIX].to_numpy()[own]
    sides: list[dict[str, float]] = []
    for at in (before, now):
        units = np.nansum(panel.units[own][:, at], axis=1).astype(np.float64)
        total = pd.Series(units).groupby(products).sum()
        share = 1000 * total / total.sum() if total.sum() > 0 else total.iloc[:0]
        sides.append({str(name): float(each) for name, each in share.items()})
    return categorical_psi(*sides)


def _unseen(panel: Panel, own: NDArray[np.bool_], feature: str, at: tuple[Columns, int]) -> float:
    """Share of the latest rows whose category had no known week in the region that was trained on."""
    now, until = at
    values = panel.series[feature].astype(object).to_numpy()
    trained = ~np.isnan(panel.units[:, : until + 1]).all(axis=1)
    alive = living(panel, now)[own]
    rows = np.repeat(values[own][:, None], len(now), axis=1)[alive]
    return unseen_share(set(values[trained]), rows)
