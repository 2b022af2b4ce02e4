"""What serving captured, joined with what came: rows to look at, and to train on next."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pandas as pd

from demand.conditioning import condition
from demand.errors import DataError, UsageError
from level1_pipeline.deliveries import open_delivery
from level1_pipeline.store import write_csv, write_parquet
from level2_cicd.serving.capture_db import Captured, Shadowed

SERIES = ["region", "store_id", "product_id"]
TOLD = [
    *SERIES, "week", "horizon", "actual", "units", "lower", "upper", "source", "reason", "kind", "release",
    "model_version", "at",
]  # fmt: skip
TEXTS = ("category", "format")  # of the inputs; all others are numbers
WRITERS = {".csv": write_csv, ".parquet": write_parquet}


def read_captured(path: Path) -> pd.DataFrame:
    """The captured rows, a column for each field of `Captured`; UsageError where there is no database."""
    return _read(path, Captured.TABLE)


def read_shadow(path: Path) -> pd.DataFrame:
    """What both answered, a column for each field of `Shadowed`; UsageError where there is no database."""
    return _read(path, Shadowed.TABLE)


def actuals(data: Path, regions: list[str]) -> pd.DataFrame:
    """Region, store_id, product_id, week and actual (units a week) of some regions of a folder of data.

    Raises DataError for data that are refused.
    """
    delivery = open_delivery(data)
    parts = [condition(delivery.read(region)).weekly for region in regions if region in delivery.regions]
    if not parts:
        raise DataError(
            f"{data}: expected data of the captured regions, {', '.join(regions) or 'none'}; it has "
            f"{', '.join(delivery.regions)}. Join data of the same stores."
        )
    weekly = pd.concat(parts, ignore_index=True).dropna(subset="units")
    return weekly[[*SERIES, "week", "units"]].rename(columns={"units": "actual"})


def candidates(captured: pd.DataFrame, known: pd.DataFrame) -> pd.DataFrame:
    """The captured rows whose week has come: actual, what was answered and why it was kept, and the inputs.

    known: as `actuals`. Of a row that was asked for several times, the last answer of each release stays. The
    inputs come as columns of their own, raw features by name, NaN where not known.
    """
    last = captured.drop_duplicates([*SERIES, "week", "horizon", "release"], keep="last")
    joined = last.merge(known, on=[*SERIES, "week"], how="inner", validate="many_to_one")
    features = [json.loads(text) for text in joined["inputs"]]
    inputs = pd.DataFrame(features, index=joined.index).drop(columns=TOLD, errors="ignore")
    kinds = {name: "str" if name in TEXTS else "float32" for name in inputs}
    return pd.concat([joined[TOLD], inputs.astype(kinds)], axis=1)


def summary(captured: pd.DataFrame) -> pd.DataFrame:
    """Release, reason and rows: how many rows were captured for what; a row kept for two counts for both."""
    reasons = captured[["release", "reason"]].assign(reason=captured["reason"].str.split("; "))
    every = reasons.explode("reason")
    every["reason"] = every["reason"].str.split(":").str[0]
    return every.groupby(["release", "reason"]).size().rename("rows").reset_index()


def export(frame: pd.DataFrame, path: Path) -> None:
    """Writes the rows as CSV or Parquet, by the file's ending; raises UsageError for any other."""
    if path.suffix not in WRITERS:
        raise UsageError(
            f"--out: expected a file that ends in {' or '.join(WRITERS)}; got {path}. Rename it."
        )
    WRITERS[path.suffix](frame, path)


def _read(path: Path, table: str) -> pd.DataFrame:
    if not path.exists():
        raise UsageError(
            f"{path}: expected what serving captured; got no file. Serve this environment first: the file is "
            "made when the first row is captured."
        )
    with closing(sqlite3.connect(path)) as database:
        frame = pd.read_sql_query(f"SELECT * FROM {table} ORDER BY id", database)
    return frame.assign(week=pd.to_datetime(frame["week"]).astype("datetime64[us]"))
