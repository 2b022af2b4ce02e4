"""Judge forecasts on weeks that no model saw: rolling backtests, a report per segment, ratios."""

from collections.abc import Callable

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from demand import metrics
from demand.contracts import check, columns
from demand.errors import DataError
from demand.segments import Segment, assign_segments
from demand.training import DataSet, Ensemble, Job, Rows, build_rows, choose, fit

SEGMENT = ["region", "format", "speed"]
TARGET_MAPE, TARGET_GAIN = 45.0, 40.0  # percent: what the case calls good
Error = Callable[[NDArray[np.floating], NDArray[np.floating]], float]


def backtest(
    job: Job, origins: NDArray[np.intp], progress: Callable[[int, pd.DataFrame], None]
) -> pd.DataFrame:
    """The contracted backtest table: refitted at each origin, scored on the weeks after it.

    origins: columns of the panel. progress: told each origin and its rows as they come.
    """
    parts = []
    for origin in origins:
        ensemble = fit(job, int(origin), choose(job, int(origin)))
        part = evaluate(job.data, ensemble, np.array([origin]))
        progress(int(origin), part)
        parts.append(part)
    return check("backtest", pd.concat(parts, ignore_index=True), "backtest")


def evaluate(data: DataSet, ensemble: Ensemble, origins: NDArray[np.intp]) -> pd.DataFrame:
    """Backtest rows of a fitted ensemble at some origins, one per series, origin and known target week.

    A segment without a model has no rows. Raises DataError where there is no row at all.
    """
    rows = build_rows(data, ensemble.encoder, origins).known(data.last_week)
    segments = list(ensemble.models)
    index = {segment: i for i, segment in enumerate(segments)}
    of_series = [index.get(segment, -1) for segment in assign_segments(data.series, ensemble.speeds)]
    own = np.array(of_series)[rows.series]
    if not (own >= 0).any():
        raise DataError(
            f"weeks: expected known units after the origins to judge {len(segments)} segments by; got none. "
            "Deliver newer data, or judge from an earlier origin."
        )
    average = ensemble.baseline.predict(data.series)
    parts = [
        _forecasts(data, ensemble, segments[i], rows.take(own == i), average)
        for i in np.unique(own[own >= 0])
    ]
    frame = pd.concat(parts, ignore_index=True)
    return frame.sort_values(["region", "store_id", "product_id", "origin", "week"], ignore_index=True)


def _forecasts(
    data: DataSet, ensemble: Ensemble, segment: Segment, rows: Rows, average: NDArray[np.float64]
) -> pd.DataFrame:
    found = ensemble.models[segment].forecasts(rows)
    series, weeks = data.series.iloc[rows.series], data.panels[0].weeks
    frame = pd.DataFrame(
        {
            "region": segment.region,
            "format": segment.format,
            "speed": segment.speed,
            "store_id": series["store_id"].to_numpy(),
            "product_id": series["product_id"].to_numpy(),
            "origin": weeks[rows.origin],
            "week": weeks[rows.target],
            "horizon": rows.horizon,
            "actual": rows.units.astype(np.float64),
            **{name: values.astype(np.float64) for name, values in found.items()},
            "baseline": average[rows.series],
        }
    )
    return frame[columns("backtest")]


def report(table: pd.DataFrame, segments: list[Segment]) -> pd.DataFrame:
    """The contracted report: one row per segment of `segments`, computed on backtest rows.

    gain: percent by which the MAPE lies below the baseline's. verdict: meets where MAPE <= 45 % and gain
    >= 40 %, no data where nothing could be scored.
    """
    grouped = dict(list(table.groupby(SEGMENT, sort=True)))
    empty = table.iloc[:0]
    lines = [_line(s, grouped.get((s.region, s.format, s.speed), empty)) for s in segments]
    return check("report", pd.DataFrame(lines)[columns("report")], "report")


def _line(segment: Segment, rows: pd.DataFrame) -> dict[str, object]:
    actual, forecast = rows["actual"].to_numpy(), rows["ensemble"].to_numpy()
    own, baseline = metrics.mape(actual, forecast), metrics.mape(actual, rows["baseline"].to_numpy())
    gain = 100 * (1 - own / baseline) if baseline > 0 else float("nan")
    meets = own <= TARGET_MAPE and gain >= TARGET_GAIN
    return {
        "region": segment.region,
        "format": segment.format,
        "speed": segment.speed,
        "mape": own,
        "baseline_mape": baseline,
        "rmse": metrics.rmse(actual, forecast),
        "rmse0": metrics.rmse_zero(actual, forecast),
        "wape": metrics.wape(actual, forecast),
        "bias": metrics.bias(actual, forecast),
        "coverage": metrics.coverage(actual, rows["lower"].to_numpy(), rows["upper"].to_numpy()),
        "gain": gain,
        "n": len(rows),
        "verdict": "no data" if np.isnan(own) else "meets" if meets else "misses",
    }


def summary(table: pd.DataFrame) -> dict[str, float]:
    """Metrics of all rows together, MAPE of members and baseline included; percent, RMSE in units."""
    actual, forecast = table["actual"].to_numpy(), table["ensemble"].to_numpy()
    found = {name: metrics.mape(actual, table[name].to_numpy()) for name in ("lasso", "network", "baseline")}
    return {
        "mape": metrics.mape(actual, forecast),
        **{f"{name}_mape": value for name, value in found.items()},
        "wape": metrics.wape(actual, forecast),
        "rmse": metrics.rmse(actual, forecast),
        "rmse0": metrics.rmse_zero(actual, forecast),
        "bias": metrics.bias(actual, forecast),
        "coverage": metrics.coverage(actual, table["lower"].to_numpy(), table["upper"].to_numpy()),
        "n": float(len(table)),
    }


def bootstrap_ratio(
    table: pd.DataFrame, ours: str, theirs: str, *, draws: int, seed: int
) -> tuple[float, float, float]:
    """Ratio of two columns' MAPEs with its 95 % interval, resampling whole series (store and product).

    table: store_id, product_id, actual and both forecast columns. Efron and Tibshirani (1993), chapter 8.
    """
    sold = table[table["actual"] > 0]
    errors = pd.DataFrame({c: (sold[c] - sold["actual"]).abs() / sold["actual"] for c in (ours, theirs)})
    sums = errors.groupby([sold["store_id"], sold["product_id"]]).sum().to_numpy()
    drawn = np.random.default_rng(seed).integers(0, len(sums), (draws, len(sums)))
    totals = np.stack([sums[pick].sum(axis=0) for pick in drawn])
    low, high = np.quantile(totals[:, 0] / totals[:, 1], [0.025, 0.975])
    whole = sums.sum(axis=0)
    return float(whole[0] / whole[1]), float(low), float(high)
