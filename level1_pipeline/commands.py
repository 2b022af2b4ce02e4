"""The commands: each reads its options, calls one function, and shows what came of it."""

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from level1_pipeline import store
from level1_pipeline.data_commands import OptionalSize, data_app, given_or_generated, settings_of
from level1_pipeline.options import (
    UNIT_JUMP,
    AwaitPromotion,
    ConfigFile,
    Data,
    Fresh,
    LockUri,
    Model,
    NoTracking,
    OptionalData,
    Quiet,
    Settings,
    Store,
    TrackingUri,
    UnitJump,
    Workers,
    read_config,
    read_workers,
)
from level1_pipeline.progress import Watch
from level1_pipeline.run_commands import register_run_commands
from level1_pipeline.tables import complain, say, show_forecasts, show_report
from level1_pipeline.tracking import Place
from level1_pipeline.versions import PRODUCT

if TYPE_CHECKING:  # training needs torch, which takes seconds to import and which scoring does without
    from demand.segments import Segment
    from level1_pipeline.batch import Scored
    from level1_pipeline.failover import Failover
    from level1_pipeline.records import Order, Trained

PARTIAL = 7
SERVED_BY = {"previous": "its model of before", "baseline": "the historical average"}

app = typer.Typer(
    help="Level 1, the automated pipeline: raw sources in, tracked models and forecasts out.",
    epilog="Exit codes: 0 done, 2 bad data, 3 no new model passed the gate, 4 a model file was changed, "
    "5 a server, cluster or disk does not do its part, 6 another run works on the store, 7 done, but a "
    "region was refused or a segment is not served by a new model, 10 `check` says to retrain, 64 wrong "
    "usage.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
app.add_typer(data_app, name="data")
register_run_commands(app)


@app.command()
def train(
    data: Data,
    env_dir: Store,
    config: ConfigFile = None,
    settings: Settings = None,
    workers: Workers = None,
    unit_jump: UnitJump = UNIT_JUMP,
    tracking_uri: TrackingUri = None,
    no_tracking: NoTracking = False,
    model: Model = PRODUCT,
    fresh: Fresh = False,
    lock_uri: LockUri = None,
    await_promotion: AwaitPromotion = False,
    quiet: Quiet = False,
) -> None:
    """Train an ensemble per segment, hold it against the model in use, and release what is no worse.

    Leaves in the store: report.csv and gate.csv (a row per segment), backtest.parquet, run.json (stages,
    rows, hashes, versions), bundle/VERSION (the models as ONNX) and current.json (which bundle is in use).
    With tracking the bundle is a version of the registered model as well. With --await-promotion current.json
    stays as it is.
    A run that was cut off goes on where it was: give the same command again.

    \b
    Examples:
      python -m level1_pipeline train --data data/tiny --env-dir .store/level1
      python -m level1_pipeline train --data data/tiny --env-dir .store/level1 --set network.epochs=4
      python -m level1_pipeline train --data /srv/raw --env-dir /srv/store --workers dask://scheduler:8786
    """
    from level1_pipeline.records import Order

    place = None if no_tracking else Place(env_dir, tracking_uri)
    found = read_config(config, settings)
    executor = read_workers(workers, found)
    point = not await_promotion
    order = Order(data, env_dir, found, place, unit_jump, executor, model, fresh, lock_uri, point)
    trained = _train(order, quiet)
    _show_training(trained, env_dir)
    _conclude(trained.refused, trained.failovers)


@app.command()
def score(
    data: Data,
    env_dir: Store,
    out: Annotated[Path, typer.Option(help="Parquet file to write.", dir_okay=False)],
    as_of: Annotated[
        datetime | None,
        typer.Option(
            formats=["%Y-%m-%d"], help="Last day that counts as known. [default: the data's last week]"
        ),
    ] = None,
    unit_jump: UnitJump = UNIT_JUMP,
    workers: Workers = None,
    quiet: Quiet = False,
) -> None:
    """Forecast the next weeks of every living series with the model in use.

    Shipments of weeks that begin after --as-of are not looked at; plans of prices, promotions and events are.
    The forecasts are kept in the store's folder monitoring as well, where `monitor` finds them.

    \b
    Example:
      python -m level1_pipeline score --data data/tiny --as-of 2026-06-15 --env-dir .store/level1 \\
          --out forecasts.parquet
    """
    from level1_pipeline.batch import Batch, score_batch

    executor = read_workers(workers, read_config(None, None))
    batch = Batch(data, env_dir, out, as_of.date() if as_of else None, unit_jump, executor, monitored=True)
    with Watch(quiet=quiet) as watch:
        scored = score_batch(batch, watch)
    show_forecasts(scored.totals)
    say(f"{scored.rows:,} rows as of the week of {scored.delivery.as_of}: {out}")
    _tell_absent(scored)
    _conclude(scored.refused, {}, absent=not scored.absent.empty)


@app.command()
def backtest(
    data: Data,
    origins: Annotated[int, typer.Option(min=1, help="How many times to train and to look ahead.")],
    out: Annotated[
        Path, typer.Option(help="Parquet file to write, a report in CSV beside it.", dir_okay=False)
    ],
    step: Annotated[int, typer.Option(min=1, help="Weeks between origins.")] = 4,
    config: ConfigFile = None,
    settings: Settings = None,
    workers: Workers = None,
    unit_jump: UnitJump = UNIT_JUMP,
    quiet: Quiet = False,
) -> None:
    """Judge by rolling origins: train as of each, forecast the weeks after it, compare with what came.

    One row per series, origin, week and horizon: actual, ensemble with interval, lasso, network, baseline.
    The last origin lies a horizon before the end of the data. A report per segment is written beside it.

    \b
    Example:
      python -m level1_pipeline backtest --data data/tiny --origins 3 --out backtest.parquet
    """
    from level1_pipeline.backtesting import report_beside, run_backtest
    from level1_pipeline.records import Order
    from level1_pipeline.summaries import by_region, overall

    found_ = read_config(config, settings)
    order = Order(data, out.parent, found_, None, unit_jump, read_workers(workers, found_))
    with Watch(quiet=quiet) as watch:
        found = run_backtest(order, origins, step, out, watch)
    show_report(found.report, by_region(found.table), overall(found.table))
    say(f"{len(found.table):,} rows: {out}\nper segment: {report_beside(out)}")
    _conclude(found.regions.refused, {})


@app.command()
def run(
    env_dir: Store,
    data: OptionalData = None,
    size: OptionalSize = None,
    config: ConfigFile = None,
    settings: Settings = None,
    workers: Workers = None,
    unit_jump: UnitJump = UNIT_JUMP,
    tracking_uri: TrackingUri = None,
    no_tracking: NoTracking = False,
    model: Model = PRODUCT,
    fresh: Fresh = False,
    lock_uri: LockUri = None,
    quiet: Quiet = False,
) -> None:
    """Do it all: make data unless there are some, train, forecast, and show how good it is.

    Leaves what `train` leaves and forecasts.parquet in the store. Synthetic data lie in its folder data/SIZE
    and are made once. Where no --config is named, --size tiny takes level1_pipeline/tiny.toml.

    \b
    Examples:
      python -m level1_pipeline run --size tiny --env-dir .store/level1
      python -m level1_pipeline run --data downloads/walmart --env-dir .store/walmart
    """
    from level1_pipeline.batch import Batch, score_batch
    from level1_pipeline.records import Order

    place = None if no_tracking else Place(env_dir, tracking_uri)
    found = read_config(config or settings_of(size), settings)
    executor = read_workers(workers, found)
    folder = given_or_generated(data, size, env_dir / "data")
    order = Order(folder, env_dir, found, place, unit_jump, executor, model, fresh, lock_uri)
    trained = _train(order, quiet)
    out = env_dir / store.FORECASTS
    batch = Batch(folder, env_dir, out, None, unit_jump, executor, monitored=True)
    with Watch(quiet=quiet) as watch:
        scored = score_batch(batch, watch)
    show_forecasts(scored.totals)
    _show_training(trained, env_dir)
    rows = f"{scored.rows:,} rows after {scored.delivery.as_of}"
    say(f"forecasts:   {out} ({rows})")
    _tell_absent(scored)
    _conclude(trained.refused, trained.failovers, absent=not scored.absent.empty)


def _train(order: "Order", quiet: bool) -> "Trained":
    from level1_pipeline.pipeline import train as train_order

    with Watch(quiet=quiet) as watch:
        return train_order(order, watch)


def _show_training(trained: "Trained", env_dir: Path) -> None:
    from level1_pipeline.summaries import by_region, overall

    if trained.again:
        say("An earlier run did this, with the same data, settings and code; --fresh does it again.")
    show_report(trained.report, by_region(trained.table), overall(trained.table))
    say(f"report:      {env_dir / store.REPORT}")
    say(f"gate:        {env_dir / store.GATE}")
    say(f"run record:  {env_dir / store.RUN}")
    say(f"models:      {store.bundle_folder(env_dir, trained.version)}")


def _tell_absent(scored: "Scored") -> None:
    """Says which series have no forecast at all, not even an average: how many, and the first of them."""
    for reason, rows in scored.absent.groupby("reason"):
        series = rows[["region", "store_id", "product_id"]].drop_duplicates()
        first = " ".join(series.iloc[0])
        complain(f"{len(series):,} series have no forecast, the first is {first}: {reason}")


def _conclude(
    refused: Mapping[str, str], failovers: "Mapping[Segment, Failover]", *, absent: bool = False
) -> None:
    """Says what went wrong beside what was done, and ends the command with its exit code."""
    for region, reason in refused.items():
        complain(f"Region {region} was refused, the others ran: {reason}")
    for segment, each in sorted(failovers.items()):
        if segment.region not in refused:
            complain(f"Segment {segment.name} is served by {SERVED_BY[each.source]}: {each.reason}")
    if refused or failovers or absent:
        raise typer.Exit(PARTIAL)
