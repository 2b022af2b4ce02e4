"""The injected change: over a season promotions pull nothing and the product mix is another, nationwide."""

from dataclasses import dataclass, replace
from datetime import date, timedelta

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from demand.sources import RawTables

KEY = ["store_id", "product_id", "week"]
FEATURED, DEAL = 0.45, 0.85  # factors on the units of a week with a feature, and of one with a deal alone
LESS, MORE = 0.7, 1.3  # factors on every second product, and on the others


@dataclass(frozen=True)
class Change:
    """A season of another demand: `weeks` weeks from the Monday `first` on; 0 weeks for none."""

    first: date
    weeks: int

    @property
    def end(self) -> date:
        """The Monday after the season."""
        return self.first + timedelta(weeks=self.weeks)

    def inside(self, weeks: "pd.Series[pd.Timestamp]") -> NDArray[np.bool_]:
        """Whether each Monday lies in the season."""
        inside: NDArray[np.bool_] = (
            (weeks >= pd.Timestamp(self.first)) & (weeks < pd.Timestamp(self.end))
        ).to_numpy()
        return inside


def changed(raw: RawTables, change: Change) -> RawTables:
    """The tables with another demand in the season; plans stay, for who plans does not know of it.

    Every region changes alike, so that none looks as if its units were another.
    """
    if change.weeks == 0:
        return raw
    shipments = _scaled(raw.shipments, raw, change, "units_shipped")
    if raw.returns is None:
        return replace(raw, shipments=shipments)
    returns = _scaled(raw.returns, raw, change, "units_returned")
    most = returns[KEY].merge(shipments, on=KEY, how="left")["units_shipped"].fillna(0.0).to_numpy()
    returns = returns.assign(units_returned=np.minimum(returns["units_returned"], most))
    return replace(raw, shipments=shipments, returns=returns)


def _scaled(frame: pd.DataFrame, raw: RawTables, change: Change, column: str) -> pd.DataFrame:
    factor = np.where(change.inside(frame["week"]), _factor(frame, raw), 1.0)
    return frame.assign(**{column: np.round(frame[column] * factor)})


def _factor(frame: pd.DataFrame, raw: RawTables) -> NDArray[np.float64]:
    """What the units of each row are multiplied by in the season."""
    fewer = sorted(raw.products["product_id"])[::2]
    mix = np.where(frame["product_id"].isin(fewer), LESS, MORE)
    if raw.prices is None:
        return mix
    plan = frame[KEY].merge(raw.prices[[*KEY, "feature", "deal"]], on=KEY, how="left")
    feature, deal = (plan[name].fillna(0.0).to_numpy() for name in ("feature", "deal"))
    found: NDArray[np.float64] = mix * np.where(feature > 0, FEATURED, np.where(deal > 0, DEAL, 1.0))
    return found
