"""Backtest rows by hand: relative errors in, a contracted table out."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from demand.contracts import check, columns
from demand.segments import Segment

FAST, SLOW = Segment("R", "large", "fast"), Segment("R", "large", "slow")
ORIGIN = pd.Timestamp("2024-01-01")
# Relative errors of six series: 20 % on average, and no two ratios to those of the others are alike.
OURS = (0.10, 0.30, 0.16, 0.24, 0.22, 0.18)


def judged_rows(
    ours: Sequence[float] = OURS,
    *,
    baseline: float | Sequence[float] = 1.0,
    champion: float | Sequence[float] | None = None,
    segment: Segment = FAST,
    weeks: int = 8,
) -> pd.DataFrame:
    """Rows of one series per relative error, each with `weeks` weeks of 10 units sold."""
    count = len(ours)
    names = {"ensemble": ours, "baseline": baseline, "champion": np.nan if champion is None else champion}
    errors = {name: np.repeat(np.broadcast_to(each, count), weeks) for name, each in names.items()}
    horizon = np.tile(np.arange(1, weeks + 1), count)
    frame = pd.DataFrame({name: 10.0 + 10.0 * each for name, each in errors.items()}).assign(
        region=segment.region,
        format=segment.format,
        speed=segment.speed,
        store_id=np.repeat([f"S{i}" for i in range(count)], weeks),
        product_id=f"P-{segment.speed}",
        origin=ORIGIN,
        week=ORIGIN + pd.to_timedelta(7 * horizon, unit="D"),
        horizon=horizon,
        actual=10.0,
        lower=0.0,
        upper=100.0,
        lasso=1.0,
        network=1.0,
    )
    rows = check("backtest", frame[columns("backtest")], "by hand")
    return rows.assign(champion=frame["champion"])


def joined(*parts: pd.DataFrame) -> pd.DataFrame:
    return pd.concat(parts, ignore_index=True)
