"""Validate data: raw files against manifest and contracts, conditioned tables, units, weeks."""

from pathlib import Path

import pandas as pd

from demand.conditioning import Conditioned, unit_means
from demand.config import Config
from demand.contracts import check
from demand.errors import DataError
from level1_pipeline.deliveries import Delivery, open_delivery
from level1_pipeline.regions import condition_region, unit_jumps
from level2_cicd.validation.checks import Check, Result, judged

PART = "data"
ACTUALS = ("units", "shipped", "returned")  # columns that no later week may have


def validate_data(folder: Path, config: Config, unit_jump: float) -> list[Check]:
    """The checks of a folder of data; raises DataError where the folder is no delivery at all.

    A region that cannot be used is named, and the others are looked at without it.
    """
    delivery = open_delivery(folder)
    means: dict[str, pd.DataFrame] = {}
    weeks: dict[str, int] = {}
    refused: dict[str, str] = {}
    late: dict[str, str] = {}
    for region in delivery.regions:
        try:
            conditioned = _conditioned(delivery, region)
        except DataError as error:
            refused[region] = str(error)
            continue
        means[region] = unit_means(conditioned.weekly)
        weeks[region] = int(conditioned.weekly["week"].nunique())
        if told := _knows_future(conditioned, delivery):
            late[region] = told
    jumps = unit_jumps(means, f"{delivery.name}/shipments", unit_jump)
    return [
        judged(
            PART,
            "manifest",
            True,
            f"{len(delivery.files)} files, {delivery.rows:,} rows, up to the week of {delivery.as_of}",
        ),
        _by_region("contracts, raw and conditioned", delivery, refused),
        _by_region("units that move with the other regions'", delivery, jumps),
        _by_region("no week from after the last one", delivery, late),
        _long_enough(weeks, config),
    ]


def _conditioned(delivery: Delivery, region: str) -> Conditioned:
    """One region's tables, checked against their contracts once more as who reads them sees them."""
    conditioned, _ = condition_region(delivery, region)
    for table in ("weekly", "outlook"):
        check(table, getattr(conditioned, table), f"{delivery.name}/{region}/{table}")
    return conditioned


def _knows_future(conditioned: Conditioned, delivery: Delivery) -> str:
    """What is known of weeks after the last one; empty where nothing is."""
    last = pd.Timestamp(delivery.as_of)
    known = conditioned.weekly["week"].max()
    told = [name for name in ACTUALS if name in conditioned.outlook.columns]
    if known > last:
        return f"units of the week of {known:%Y-%m-%d} are known"
    return f"the plan has {', '.join(told)}" if told else ""


def _by_region(name: str, delivery: Delivery, wrong: dict[str, str]) -> Check:
    count = len(delivery.regions)
    if not wrong:
        return judged(PART, name, True, f"{count} regions")
    told = "; ".join(f"{region}: {why}" for region, why in wrong.items())
    result = Result.partly if len(wrong) < count else Result.failed
    return Check(PART, name, result, f"{count - len(wrong)} of {count} regions. {told}")


def _long_enough(weeks: dict[str, int], config: Config) -> Check:
    """Whether every region has the weeks that training, choosing and judging take."""
    own = config.training
    need = own.min_weeks + own.validation_weeks + own.holdout_weeks + config.forecast.horizon
    least = min(weeks.values(), default=0)
    return judged(PART, "weeks to train, choose and judge by", least >= need, f"{least}, needed {need}")
