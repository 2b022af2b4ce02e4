"""A rolling backtest of a folder of data: refitted at each origin, scored on the weeks after it."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from demand.config import Config
from demand.errors import UsageError
from demand.evaluation import backtest, report
from demand.segments import every_segment
from level1_pipeline import store
from level1_pipeline.deliveries import open_delivery
from level1_pipeline.jobs import build_job
from level1_pipeline.progress import Watch
from level1_pipeline.records import Order
from level1_pipeline.regions import Regions, condition_regions, validate


@dataclass(frozen=True)
class Backtest:
    """What a backtest found: its rows, the report of them per segment, and the regions that were refused."""

    table: pd.DataFrame
    report: pd.DataFrame
    regions: Regions


def run_backtest(order: Order, origins: int, step: int, out: Path, watch: Watch) -> Backtest:
    """What a backtest at `origins` origins, `step` weeks apart, found; it leaves its rows at `out`.

    The last origin lies a horizon before the last known week. The report per segment lies beside `out`, its
    name ending in -report.csv. Raises DataError where there are too few weeks.
    """
    watch.stage("condition")
    delivery = open_delivery(order.data)
    watch.expect(len(delivery.regions))
    conditioned = condition_regions(delivery, watch.step)
    regions = validate(conditioned, f"{delivery.name}/shipments", order.unit_jump)
    panels = regions.panels()
    at = spread_origins(panels[0].n_known - 1, order.config, origins, step)
    watch.stage("backtest")
    job = build_job(panels, order.config, int(at[0]))
    watch.expect(len(at))
    weeks = panels[0].weeks

    def told(origin: int, rows: pd.DataFrame) -> None:
        scored = rows[rows["actual"] > 0]
        error = (scored["ensemble"] - scored["actual"]).abs() / scored["actual"]
        watch.step(f"{weeks[origin]:%Y-%m-%d}", float(100 * error.mean()))

    table = backtest(job, at, told)
    found = report(table, every_segment(job.data.series))
    store.write_parquet(table, out)
    store.write_csv(found, report_beside(out))
    return Backtest(table, found, regions)


def spread_origins(last_week: int, config: Config, count: int, step: int) -> NDArray[np.intp]:
    """Origins `step` weeks apart, a whole horizon of known weeks after each; columns, the latest last."""
    if count < 1 or step < 1:
        raise UsageError(f"--origins and --step: expected whole numbers from 1 up; got {count} and {step}.")
    return last_week - config.forecast.horizon - step * np.arange(count)[::-1]


def report_beside(out: Path) -> Path:
    """Where the report of a backtest lies whose rows lie at `out`."""
    return out.with_name(f"{out.stem}-report.csv")
