"""Forecasts as they were issued: one file per scoring run, with what the historical average says beside."""

import hashlib
from datetime import date
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from demand.bundle import Bundle
from demand.contracts import check, columns
from demand.errors import DataError
from demand.segments import assign_segments
from demand.sources.publish import replacing
from level1_pipeline.monitoring.parquet import read_table

FOLDER, FORECASTS, SUPERSEDED = "monitoring", "forecasts", "superseded"
SERIES = ["region", "store_id", "product_id"]


def with_baseline(bundle: Bundle, stores: pd.DataFrame, forecasts: pd.DataFrame) -> pd.DataFrame:
    """The contracted table `issued`: forecasts with format, speed and the historical average of their series.

    stores: at least store_id and format.
    """
    formats = stores[["store_id", "format"]]
    series = (
        forecasts[SERIES].drop_duplicates(ignore_index=True).merge(formats, on="store_id", validate="m:1")
    )
    speed = [segment.speed for segment in assign_segments(series, bundle.speeds)]
    known = series.assign(speed=pd.array(speed, dtype="str"), baseline=bundle.baseline.predict(series))
    return check("issued", forecasts.merge(known, on=SERIES, validate="m:1"), "issued")


def append_forecasts(store: Path, forecasts_: pd.DataFrame, version: str = "") -> Path:
    """The file that a scoring run's rows were written to; `forecasts_` as the contract `issued` has them.

    version: of the bundle; where it is empty, that of the run that trained last. One file per as-of date
    counts: an earlier run of the same date, by another model or on other data, is kept in superseded/.
    Raises DataError for rows of several runs.
    """
    forecasts = check("issued", forecasts_, "issued")
    as_of = _as_of(forecasts)
    named = version or str(forecasts.sort_values("trained_at", kind="stable")["model_version"].iloc[-1])
    path = _path(store, as_of, named)
    with replacing(path) as part:
        pq.write_table(_arrow(forecasts), part, write_page_checksum=True, compression="zstd")
        _step_aside(path, part)
    return path


def append_scored(store: Path, out: Path, bundle: Bundle, run: tuple[date, pd.DataFrame]) -> Path | None:
    """The same for a file of forecasts, one region in memory at a time.

    run: as-of date and stores of the scoring run. None, and nothing is kept, where there is no forecast,
    and where the model has seen the weeks that it forecast: how well it does there tells nothing.
    """
    as_of, stores = run
    if bundle.meta.as_of is not None and as_of < bundle.meta.as_of:
        return None
    path = _path(store, as_of, bundle.meta.model_version)
    source = pq.ParquetFile(out, page_checksum_verification=True)
    if source.metadata.num_rows == 0:
        return None
    with replacing(path) as part:
        writer = None
        for group in range(source.num_row_groups):
            table = _arrow(with_baseline(bundle, stores, source.read_row_group(group).to_pandas()))
            writer = writer or pq.ParquetWriter(
                part, table.schema, write_page_checksum=True, compression="zstd"
            )
            writer.write_table(table)
        if writer is not None:
            writer.close()
        _step_aside(path, part)
    return path


def read_issued(store: Path, first: date, last: date) -> pd.DataFrame:
    """The issued forecasts of the scoring runs as of `first` to `last`, as their contract has them.

    Raises IntegrityError for a file that is damaged, DataError for two files of one date.
    """
    wanted = {as_of: path for as_of, path in issued_files(store) if first <= as_of <= last}
    if not wanted:
        return check("issued", pd.DataFrame(columns=columns("issued")), "issued")
    return pd.concat([read_table("issued", path) for path in wanted.values()], ignore_index=True)


def issued_files(store: Path) -> list[tuple[date, Path]]:
    """As-of date and path of each file of issued forecasts, the earliest first; raises DataError."""
    found: dict[date, Path] = {}
    for path in sorted((store / FOLDER / FORECASTS).glob("[!.]*.parquet")):
        as_of = _date_of(path)
        if as_of is None or as_of in found:
            also = f"{found[as_of].name} and {path.name}" if as_of else path.name
            raise DataError(
                f"{path.parent}: expected one file per scoring run, as 2026-06-15-VERSION.parquet; got "
                f"{also}. Move what does not belong there to {SUPERSEDED}/."
            )
        found[as_of] = path
    return sorted(found.items())


def _path(store: Path, as_of: date, version: str) -> Path:
    return store / FOLDER / FORECASTS / f"{as_of}-{version}.parquet"


def _step_aside(path: Path, part: Path) -> None:
    """Moves other files of the same date, and what `part` differs from, to where nothing is compared."""
    for each in path.parent.glob(f"{path.name[:10]}-*.parquet"):
        if each != path or _digest(each) != _digest(part):
            aside = path.parent / SUPERSEDED / f"{each.stem}-{_digest(each)[:8]}.parquet"
            aside.parent.mkdir(exist_ok=True)
            each.replace(aside)


def _as_of(forecasts: pd.DataFrame) -> date:
    """The Monday that a scoring run knew last; raises DataError for rows of none or of several."""
    found = pd.DatetimeIndex(forecasts["week"] - pd.to_timedelta(7 * forecasts["horizon"], unit="D")).unique()
    if len(found) != 1:
        got = ", ".join(f"{each:%Y-%m-%d}" for each in sorted(found)) or "no row"
        raise DataError(
            f"issued, columns week and horizon: expected forecasts of one scoring run; got {got}. Append the "
            f"rows of each run by themselves."
        )
    as_of: date = found[0].date()
    return as_of


def _date_of(path: Path) -> date | None:
    try:
        return date.fromisoformat(path.name[:10])
    except ValueError:
        return None


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _arrow(frame: pd.DataFrame) -> pa.Table:
    return pa.Table.from_pandas(frame, preserve_index=False).replace_schema_metadata(None)
