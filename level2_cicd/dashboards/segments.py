"""One row per segment: how good its model is, what serves it since when, and why nothing better does."""

from datetime import date

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from demand import metrics
from demand.bundle import Entry, read_manifest
from demand.errors import IntegrityError
from level1_pipeline import store
from level2_cicd.dashboards.gathered import Gathered

KEYS = ["region", "format", "speed"]
TARGET_MAPE, TARGET_GAIN = 45.0, 40.0  # percent, those of demand.evaluation, which would load torch
STALE_DAYS = 60  # a model older than this is stale
RECENT_WEEKS = 4
NUMBERS = ("mape", "baseline_mape", "gain", "rmse", "rmse0", "wape", "bias", "coverage", "n")
ADDED = (
    "baseline_rmse", "baseline_rmse0", "champion_mape", "age", "recent_mape", "recent_baseline_mape",
)  # fmt: skip
TEXTS = ("verdict", "decision", "gate_reason", "source", "version", "reason")


def segment_table(found: Gathered) -> pd.DataFrame:
    """Every segment that is named, sorted: KEYS, TEXTS ("" if not known), NUMBERS, ADDED (NaN), stale."""
    table = _every(found)
    for part in (_report(found), _zero_errors(found), _gate(found), _serving(found), _recent(found)):
        table = table.merge(part, on=KEYS, how="left")
    numbers, texts = [*NUMBERS, *ADDED], [*KEYS, *TEXTS]
    table = table.reindex(columns=[*texts, *numbers])
    table[numbers] = table[numbers].astype("float64")
    table[texts] = table[texts].astype(object).where(table[texts].notna(), "")
    return table.assign(stale=table["age"] > STALE_DAYS)


def segments_of(found: Gathered, keys: pd.DataFrame, names: list[str]) -> NDArray[np.intp]:
    """Index into `names` (region-format-speed) of the segment of each series, -1 where it is not known."""
    place = {name: i for i, name in enumerate(names)}
    columns = ["region", "store_id", "product_id", "format", "speed"]
    known: dict[tuple[str, ...], str] = {}
    for part in (found.backtest, found.history):
        if part.value is not None:  # the later ones overrule: a product may have become fast since
            for *series, fmt, speed in (
                part.value[columns].drop_duplicates().itertuples(index=False, name=None)
            ):
                known[tuple(series)] = f"{series[0]}-{fmt}-{speed}"
    rows = keys[columns[:3]].itertuples(index=False, name=None)
    return np.array([place.get(known.get(row, ""), -1) for row in rows], dtype=np.intp)


def recent_rows(quality: pd.DataFrame) -> pd.DataFrame:
    """The monitoring rows of the last weeks."""
    recent: pd.DataFrame = quality[quality["week"] > quality["week"].max() - pd.Timedelta(weeks=RECENT_WEEKS)]
    return recent


def pooled(rows: pd.DataFrame, by: list[str], column: str) -> pd.Series:
    """Mean of a column over groups of monitoring rows, weighted by their number of rows; NaN without any."""
    known = rows[rows[column].notna() & (rows["n"] > 0)]
    weighted = known.assign(weighted=known[column] * known["n"])
    sums = weighted.groupby(by, sort=True)[["weighted", "n"]].sum()
    return (sums["weighted"] / sums["n"]).rename(column)


def _every(found: Gathered) -> pd.DataFrame:
    parts = [
        part.value[KEYS]
        for part in (found.report, found.gate, found.quality, found.backtest)
        if part.value is not None
    ]
    if found.manifest.value is not None:
        parts.append(_serving(found)[KEYS])
    if not parts:
        return pd.DataFrame({name: pd.Series(dtype=object) for name in KEYS})
    every = pd.concat(parts).drop_duplicates()
    return every.astype(object).sort_values(KEYS, ignore_index=True)


def _report(found: Gathered) -> pd.DataFrame:
    if found.report.value is None:
        return _nothing()
    return found.report.value[[*KEYS, *NUMBERS, "verdict"]].drop_duplicates(KEYS)


def _zero_errors(found: Gathered) -> pd.DataFrame:
    """RMSE and RMSE of weeks without sales, of the baseline, on the rows that judged."""
    if found.backtest.value is None:
        return _nothing()
    lines = [
        (*name, *(error(rows["actual"].to_numpy(), rows["baseline"].to_numpy()) for error in _ERRORS))
        for name, rows in found.backtest.value.groupby(KEYS)
    ]
    return pd.DataFrame(lines, columns=[*KEYS, "baseline_rmse", "baseline_rmse0"])


_ERRORS = (metrics.rmse, metrics.rmse_zero)


def _gate(found: Gathered) -> pd.DataFrame:
    if found.gate.value is None:
        return _nothing()
    frame = found.gate.value.drop_duplicates(KEYS).rename(columns={"reason": "gate_reason"})
    return frame[[*KEYS, "decision", "champion_mape", "gate_reason"]]


def _serving(found: Gathered) -> pd.DataFrame:
    """What serves each segment of the bundle in use, how old it is in days, and why it is not the newest."""
    manifest = found.manifest.value
    if manifest is None:
        return _nothing()
    known = {entry.version: _known_until(found, entry) for entry in manifest.entries.values()}
    lines: list[tuple[object, ...]] = []
    for segment, entry in manifest.entries.items():
        source = "champion" if entry.version == manifest.meta.model_version else "previous"
        day = known[entry.version]
        age = max(0, (found.as_of - day).days) if found.as_of and day else np.nan
        lines.append((*_keys(segment), source, entry.version, age, entry.reason))
    for segment, why in manifest.failed.items():
        lines.append((*_keys(segment), "baseline", "", np.nan, why))
    return pd.DataFrame(lines, columns=[*KEYS, "source", "version", "age", "reason"])


def _known_until(found: Gathered, entry: Entry) -> date | None:
    """The last week that an entry's run trained on, from the bundle of that run.

    Where that bundle is gone, as much before the last week of this one as the two runs lie apart.
    """
    meta = found.manifest.value.meta if found.manifest.value else None
    if meta is None or meta.as_of is None or entry.version == meta.model_version:
        return meta.as_of if meta else None
    try:
        return read_manifest(store.bundle_folder(found.folder, entry.version)).meta.as_of
    except IntegrityError:
        return meta.as_of - (meta.trained_at.date() - entry.trained_at.date())


def _keys(segment: object) -> tuple[str, ...]:
    return tuple(str(getattr(segment, name)) for name in KEYS)


def _recent(found: Gathered) -> pd.DataFrame:
    """MAPE of model and baseline over the last weeks that were watched."""
    if found.quality.value is None or found.quality.value.empty:
        return _nothing()
    rows = recent_rows(found.quality.value)
    names = {"champion": "recent_mape", "baseline": "recent_baseline_mape"}
    parts = [pooled(rows[rows["method"] == m], KEYS, "mape").rename(name) for m, name in names.items()]
    return pd.concat(parts, axis=1).reset_index()


def _nothing() -> pd.DataFrame:
    return pd.DataFrame({name: pd.Series(dtype=object) for name in KEYS})
