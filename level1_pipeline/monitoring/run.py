"""One monitoring run: a delivery's actuals join what was forecast, and inputs are held against training's."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path

import pandas as pd

from demand.bundle import Bundle, read_bundle
from demand.conditioning import UNIT_JUMP, unit_means
from demand.contracts import check, columns
from demand.drift import DriftLimits, SignalLimits, drift_table, signals, weekly_errors
from demand.errors import DataError, UsageError
from demand.features import Panel
from demand.segments import assign_segments
from level1_pipeline import store as files
from level1_pipeline.deliveries import Delivery, open_delivery
from level1_pipeline.monitoring import actuals as arriving
from level1_pipeline.monitoring.book import Book, read_book, write_book
from level1_pipeline.monitoring.issued import read_issued
from level1_pipeline.monitoring.quality import joined, quality, replaced
from level1_pipeline.monitoring.reference import judged_errors
from level1_pipeline.progress import Watch
from level1_pipeline.regions import condition_region, expect_some, panel_of, unit_jumps

LONGEST = 26  # weeks ahead that a forecast may look


@dataclass(frozen=True)
class Order:
    """What is monitored: a delivery, the store whose forecasts it is held against, and the last known day."""

    data: Path
    store: Path
    as_of: date
    unit_jump: float = UNIT_JUMP
    drift: DriftLimits = DriftLimits()  # noqa: RUF009 - frozen, so it can be shared
    signals: SignalLimits = SignalLimits()  # noqa: RUF009


@dataclass(frozen=True)
class Monitored:
    """What a run found.

    weeks: of which actuals came or changed. joined: forecast rows that have an actual now. unforecast: rows
    of actuals in these weeks for which nothing had been forecast.
    """

    book: Book
    weeks: tuple[date, ...]
    joined: int
    unforecast: int


@dataclass(frozen=True)
class Seen:
    """What the delivery shows: observed rows, missing rows per region and week, drift, refused regions."""

    rows: pd.DataFrame
    missing: pd.DataFrame
    drift: pd.DataFrame
    refused: Mapping[str, str] = field(default_factory=dict)


def monitor(order: Order, watch: Watch) -> Monitored:
    """What came of a delivery; the tables in the store's folder `monitoring` are up to date afterwards.

    The same run again changes nothing. Raises UsageError for an as-of date before the last run's, DataError
    for data that are refused or end before it, IntegrityError for damaged tables.
    """
    bundle = read_bundle(files.current_bundle(order.store))
    delivery = open_delivery(order.data, order.as_of)
    before = read_book(order.store)
    _expect_later(delivery.as_of, before)
    seen = look(delivery, bundle, order, watch)
    book, found = entered(before, seen, (delivery, bundle, order))
    write_book(order.store, book, before)
    return found


def look(delivery: Delivery, bundle: Bundle, order: Order, watch: Watch) -> Seen:
    """What the delivery shows, region by region; raises DataError where every region is refused."""
    watch.stage("monitor")
    watch.expect(len(delivery.regions))
    parts: dict[str, Seen] = {}
    means: dict[str, pd.DataFrame] = {}
    refused: dict[str, str] = {}
    for region in delivery.regions:
        try:
            parts[region], means[region] = _look_at(delivery, region, bundle, order)
        except DataError as error:
            refused[region] = str(error)
        watch.step(region)
    refused |= unit_jumps(means, f"{delivery.name}/shipments", order.unit_jump)
    kept = {region: part for region, part in parts.items() if region not in refused}
    expect_some(kept, refused)
    rows, missing, drift = (
        pd.concat([getattr(part, name) for part in kept.values()], ignore_index=True)
        for name in ("rows", "missing", "drift")
    )
    return Seen(rows, missing, drift, refused)


def _look_at(delivery: Delivery, region: str, bundle: Bundle, order: Order) -> tuple[Seen, pd.DataFrame]:
    conditioned, _ = condition_region(delivery, region)
    weekly, panel = conditioned.weekly, panel_of(conditioned, delivery)
    rows = arriving.observed(weekly, pd.Timestamp(delivery.as_of))
    gone = rows[rows["units"].isna()].groupby(["region", "week"]).size()
    return Seen(rows, gone.rename("missing").reset_index(), _drift(panel, bundle, order)), unit_means(weekly)


def _drift(panel: Panel, bundle: Bundle, order: Order) -> pd.DataFrame:
    at = panel.n_known - 1
    trained = pd.Timestamp(bundle.meta.as_of or panel.weeks[at])
    until = min(at, max(-1, (trained - panel.weeks[0]).days // 7))
    return drift_table(panel, assign_segments(panel.series, bundle.speeds), at, until, order.drift)


def entered(before: Book, seen: Seen, run: tuple[Delivery, Bundle, Order]) -> tuple[Book, Monitored]:
    """The book with what a delivery shows, and what is to be told of it."""
    delivery, bundle, order = run
    now = pd.Timestamp(delivery.as_of)
    actuals = arriving.seen(before.tables["actuals"], seen.rows, now)
    weeks = arriving.touched(before.tables["actuals"], actuals)
    if not before.whole:
        weeks = pd.DatetimeIndex(actuals["week"].unique())
    rows, unforecast = _rows(order.store, actuals, weeks)
    version = bundle.meta.model_version
    errors, reference = _errors(before, rows, weeks, (bundle, order.store))
    monitored = tuple(sorted({*before.monitored, delivery.as_of}))
    old = before.tables
    told = arriving.data_quality(actuals, _missing(seen, before, now), monitored)
    tables = {
        "quality": replaced(old["quality"], quality(rows), weeks),
        "drift": replaced(old["drift"], seen.drift, pd.DatetimeIndex([now])),
        "errors": errors,
        "signals": replaced(old["signals"], signals(errors, now, order.signals), pd.DatetimeIndex([now])),
        "data_quality": replaced(old["data_quality"], told, pd.DatetimeIndex(told["week"].unique())),
        "actuals": actuals,
    }
    known = {segment.region for segment in (*bundle.entries, *bundle.manifest.failed)}
    new_regions = tuple(sorted(set(delivery.regions) - known))
    book = Book(tables, delivery.as_of, monitored, version, reference, seen.refused, new_regions)
    days = tuple(sorted(week.date() for week in weeks))
    return book, Monitored(book, days, len(rows), unforecast)


def _rows(store: Path, actuals: pd.DataFrame, weeks: pd.DatetimeIndex) -> tuple[pd.DataFrame, int]:
    """Issued rows of the weeks beside their actuals, and how many actuals nothing was forecast for."""
    came = actuals[actuals["week"].isin(weeks)]
    first, last = (weeks.min(), weeks.max()) if len(weeks) else (pd.Timestamp(0), pd.Timestamp(0))
    issued = read_issued(store, (first - timedelta(weeks=LONGEST)).date(), last.date())
    rows = joined(issued[issued["week"].isin(weeks)], came)
    covered = rows[arriving.KEY].drop_duplicates()
    return rows, len(came) - len(covered)


def _errors(
    before: Book, rows: pd.DataFrame, weeks: pd.DatetimeIndex, model: tuple[Bundle, Path]
) -> tuple[pd.DataFrame, str]:
    """Weekly errors up to now; a new model's begin with the weeks that judged it."""
    bundle, store = model
    version, errors = bundle.meta.model_version, before.tables["errors"]
    own = judged_errors(store, version) if before.reference != version else None
    if own is not None:
        errors = replaced(errors, own, pd.DatetimeIndex(own["week"].unique()))
    new = weekly_errors(rows.rename(columns={"units": "forecast"})) if len(rows) else errors.iloc[:0]
    again = pd.DatetimeIndex(new["week"].unique())
    table = replaced(errors, new, again)[columns("errors")]
    return check("errors", table, "errors"), version if own is not None else before.reference


def _missing(seen: Seen, before: Book, now: pd.Timestamp) -> pd.DataFrame:
    """Region, week, missing: rows not delivered; of a refused region as many as its last week had."""
    known = before.tables["actuals"]
    known = known[known["region"].isin(list(seen.refused)) & (known["week"] < now)]
    last = known[known["week"] == known.groupby("region")["week"].transform("max")]
    counts = last.groupby("region").size().rename("missing").reset_index().assign(week=now)
    return pd.concat([seen.missing, counts[list(seen.missing.columns)]], ignore_index=True)


def _expect_later(as_of: date, before: Book) -> None:
    """Raises UsageError for a date before the last run's: a clock that went back undoes nothing."""
    if before.as_of and as_of < before.as_of:
        raise UsageError(
            f"--as-of: expected a week from {before.as_of} on, which monitoring has looked at; got {as_of}. "
            f"Check the clock that the date came from; the tables are as they were."
        )
