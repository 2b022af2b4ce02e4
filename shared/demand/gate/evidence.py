"""What a segment's backtest rows say about its new model."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from demand import metrics
from demand.config import Config
from demand.gate.bounds import NAN, UNKNOWN, Ratio, mape_ratio
from demand.gate.faults import CHAMPION, SEGMENT, breach, fault_of, fault_of_table, with_champion
from demand.segments import Segment

CLOSE = 1e-6  # relative difference below which a forecast is the actual: models compute with 7 digits


@dataclass(frozen=True)
class Evidence:
    """fault: why the rows cannot be judged by, then nothing else is known. n: rows with sales.

    MAPEs in percent, on these rows; the champion's on the `compared` ones that it forecast (None: there is
    no champion). equal: share of forecasts that are the actual. Ratios: the new MAPE over the other's.
    """

    fault: str = ""
    n: int = 0
    mape: float = NAN
    baseline_mape: float = NAN
    champion_mape: float = NAN
    compared: int | None = None
    equal: float = 0.0
    baseline: Ratio = UNKNOWN
    champion: Ratio = UNKNOWN


def gather(table_: pd.DataFrame, segments: list[Segment], config: Config) -> dict[Segment, Evidence]:
    """The evidence for each of the segments; rows of others are not looked at."""
    fault = fault_of_table(table_)
    if fault:
        return {segment: Evidence(fault) for segment in segments}
    table = with_champion(table_)
    broken = bool(breach(table, "backtest"))
    parts = {Segment(*map(str, key)): rows for key, rows in table.groupby(SEGMENT, sort=False)}
    empty = table.iloc[:0]
    found = {}
    for segment in segments:
        rows = parts.get(segment, empty)
        fault = fault_of(rows, segment.name, broken=broken)
        found[segment] = Evidence(fault) if fault else _evidence(rows, config)
    return found


def _evidence(rows: pd.DataFrame, config: Config) -> Evidence:
    sold = rows[rows["actual"] > 0]
    rivals = sold[sold[CHAMPION].notna()].astype({CHAMPION: "float64"})
    there = bool(rows[CHAMPION].notna().any())
    actual, forecast = sold["actual"].to_numpy(), sold["ensemble"].to_numpy()
    draws, seed = config.gate.draws, config.forecast.seed
    return Evidence(
        n=len(sold),
        mape=metrics.mape(actual, forecast),
        baseline_mape=metrics.mape(actual, sold["baseline"].to_numpy()),
        champion_mape=metrics.mape(rivals["actual"].to_numpy(), rivals[CHAMPION].to_numpy()),
        compared=len(rivals) if there else None,
        equal=float(np.isclose(forecast, actual, rtol=CLOSE, atol=0).mean()) if len(sold) else 0.0,
        baseline=mape_ratio(sold, "baseline", draws=draws, seed=seed),
        champion=mape_ratio(rivals, CHAMPION, draws=draws, seed=seed),
    )
