"""Measured cells become figures: one row per method, ratios with intervals, segments, coverage."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from cells import Result
from methods import NO_PEER, OUR_ROWS
from scenarios import KEYS

from demand import metrics
from demand.evaluation import SEGMENT, bootstrap_ratio
from demand.models.scale import least_sale

DRAWS, SEED = 1000, 2017
FIGURES = {
    "mape": metrics.mape,
    "wape": metrics.wape,
    "rmse": metrics.rmse,
    "rmse0": metrics.rmse_zero,
    "bias": metrics.bias,
}
COSTS = ("fit_seconds", "predict_seconds", "peak_mb")


@dataclass(frozen=True)
class Measured:
    """The results of a scenario: for each method row its Result per origin, in the order of origins."""

    scenario: str
    results: dict[str, list[Result]]

    @property
    def peers(self) -> list[str]:
        """The rows that are neither this project's nor the oracle's."""
        return [row for row in self.results if row not in NO_PEER]

    def figure(self, row: str, name: str, *, pooled: bool = False) -> float:
        """A figure of FIGURES: mean of the origins, or of all rows together; NaN where nothing is scored."""
        tables = [result.table for result in self.results[row]]
        tables = [pd.concat(tables)] if pooled else tables
        return float(np.mean([FIGURES[name](each["actual"], each[row]) for each in tables]))

    def best_peer(self, name: str = "mape") -> str:
        """The peer with the lowest figure."""
        return min(self.peers, key=lambda row: self.figure(row, name))

    def ratio(self, ours: str, theirs: str) -> tuple[float, float, float]:
        """Ratio of the MAPEs over all origins, with its 95 % interval over series."""
        return bootstrap_ratio(joined(self, [ours, theirs]), ours, theirs, draws=DRAWS, seed=SEED)


def whole(result: Result, row: str) -> Result:
    """A peer's result as the ensemble's is: no forecast below one unit where units come whole."""
    table, least = result.table, least_sale(result.table["actual"].to_numpy())
    return replace(result, table=table.assign(**{row: table[row].clip(lower=least)}))


def joined(measured: Measured, rows: list[str]) -> pd.DataFrame:
    """KEYS, actual and one column per method row; raises ValueError where two methods' rows differ."""
    found: pd.DataFrame | None = None
    for row in rows:
        tables = [result.table for result in measured.results[row]]
        table = pd.concat(tables, ignore_index=True).sort_values(KEYS, ignore_index=True)
        if found is None:
            found = table[[*KEYS, "actual"]]
        if not found[[*KEYS, "actual"]].equals(table[[*KEYS, "actual"]]):
            raise ValueError(
                f"{measured.scenario}: expected the rows of {rows[0]}, {row} has others. Measure both again."
            )
        found = found.assign(**{row: table[row]})
    if found is None:
        raise ValueError(f"{measured.scenario}: nothing to join.")
    return found


def lines(measured: Measured, dataset: str) -> list[dict[str, Any]]:
    """One object per method row: dataset, method, FIGURES and COSTS, means of the origins; None for NaN."""
    joined(measured, list(measured.results))
    found = []
    for row, results in measured.results.items():
        figures = {name: measured.figure(row, name) for name in FIGURES}
        costs = {name: float(np.mean([result.cost[name] for result in results])) for name in COSTS}
        values = {name: None if np.isnan(value) else value for name, value in (figures | costs).items()}
        found.append({"dataset": dataset, "method": row, **values})
    return sorted(found, key=lambda line: (line["method"] not in OUR_ROWS, line["mape"]))


def segments(measured: Measured, row: str = "ensemble") -> pd.DataFrame:
    """SEGMENT, mape, baseline_mape, gain and coverage in percent, rows: means of the origins."""
    parts = []
    for result in measured.results[row]:
        for names, table in result.table.groupby(SEGMENT, observed=True):
            own, baseline = (metrics.mape(table["actual"], table[name]) for name in (row, "baseline"))
            inside = metrics.coverage(table["actual"], table["lower"], table["upper"])
            parts.append([*names, own, baseline, inside, len(table)])
    columns = [*SEGMENT, "mape", "baseline_mape", "coverage", "rows"]
    means = pd.DataFrame(parts, columns=columns).groupby(SEGMENT).mean().reset_index()
    return means.assign(gain=100 * (1 - means["mape"] / means["baseline_mape"]))


def coverage(measured: Measured, row: str = "ensemble") -> float:
    """Share in percent of actuals within the 90 % interval, mean of the origins."""
    tables = [result.table for result in measured.results[row]]
    return float(np.mean([metrics.coverage(t["actual"], t["lower"], t["upper"]) for t in tables]))
