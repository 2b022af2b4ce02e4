"""Stores to draw: synthetic tables in the shapes that training, scoring and monitoring write."""

import json
from dataclasses import dataclass
from datetime import date, datetime
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd

from demand.bundle import BundleMeta, Entry, Manifest, encode_manifest
from demand.segments import Segment
from level1_pipeline import store

AS_OF = date(2026, 11, 23)  # a Monday
LAST = pd.Timestamp("2026-11-16")  # the last week that has come
VERSION, BEFORE = "aaaabbbbcccc", "111122223333"
FEATURES = (
    "lag_0",
    "mean_4",
    "price",
    "feature_target",
    "temperature",
    "precipitation",
    "category",
    "units_scale",
    "year_ago_+0",
    "age",
    "deal_target",
    "zero_share_8",
)


@dataclass(frozen=True)
class Size:
    """How many of each; the default is what a page must carry."""

    regions: int = 14
    stores: int = 10
    products: int = 16
    weeks: int = 104
    horizons: tuple[int, ...] = (1,)


SMALL = Size(regions=2, stores=2, products=2, weeks=12)


def segments(size: Size) -> list[Segment]:
    regions = [f"R{i + 1:02}" for i in range(size.regions)]
    return [Segment(*each) for each in product(regions, ("large", "small"), ("fast", "slow"))]


def series(size: Size) -> pd.DataFrame:
    """One row per series: region, store_id, product_id, format, speed, level."""
    draw = np.random.default_rng(5)
    rows = [
        (
            f"R{r + 1:02}",
            f"R{r + 1:02}S{s + 1:03}",
            f"P{p + 1:02}",
            ("large", "small")[s % 2],
            ("fast", "slow")[p % 2],
        )
        for r, s, p in product(range(size.regions), range(size.stores), range(size.products))
    ]
    frame = pd.DataFrame(rows, columns=["region", "store_id", "product_id", "format", "speed"])
    return frame.assign(level=draw.lognormal(4, 0.9, len(frame)) * np.where(frame["speed"] == "fast", 2, 0.5))


def write_trained(folder: Path, size: Size = SMALL) -> Path:
    """A store after a training: run, report, gate, backtest and what is in use, without any graph."""
    every, rows = segments(size), series(size)
    draw = np.random.default_rng(7)
    mape = draw.uniform(18, 56, len(every))
    baseline = mape * draw.uniform(1.4, 3.2, len(every))
    keys = {
        "region": [s.region for s in every],
        "format": [s.format for s in every],
        "speed": [s.speed for s in every],
    }
    gain = 100 * (1 - mape / baseline)
    report = pd.DataFrame(
        {
            **keys,
            "mape": mape,
            "baseline_mape": baseline,
            "rmse": mape * 3,
            "rmse0": mape / 4,
            "wape": mape,
            "bias": draw.uniform(-25, 8, len(every)),
            "coverage": draw.uniform(80, 95, len(every)),
            "gain": gain,
            "n": 320,
            "verdict": np.where((mape <= 45) & (gain >= 40), "meets", "misses"),
        }
    )
    store.write_csv(report, folder / store.REPORT)
    passed = mape < 50
    words = {True: "Better than the historical average", False: "Not certainly better than the average"}
    reason = [f"{words[bool(ok)]}: MAPE {m:.1f} %." for m, ok in zip(mape, passed, strict=True)]
    gate = pd.DataFrame(
        {**keys, "decision": np.where(passed, "passed", "refused"), "champion_mape": np.nan, "reason": reason}
    )
    store.write_csv(gate, folder / store.GATE)
    store.write_parquet(_backtest(rows), folder / store.BACKTEST)
    written = [store.REPORT, store.GATE, store.BACKTEST]
    hashes = [{"path": name, "sha256": store.sha256_of(folder / name)} for name in written]
    store.write_json({**run_record(), "artifacts": hashes}, folder / store.RUN)
    write_bundle(folder, every, failed=[s for s, ok in zip(every, passed, strict=True) if not ok])
    return folder


def run_record() -> dict[str, object]:
    names = {
        "ingest": 2.1,
        "condition": 9.4,
        "validate": 1.2,
        "features": 21.0,
        "train": 412.5,
        "evaluate": 30.2,
        "register": 12.9,
    }
    metrics = {
        "mape": 33.4,
        "baseline_mape": 88.1,
        "gain": 62.1,
        "wape": 30.2,
        "rmse": 158.0,
        "rmse0": 21.0,
        "bias": -9.1,
        "coverage": 88.4,
        "n": 17920.0,
    }
    return {
        "model_version": VERSION,
        "config": {"forecast": {"interval": 0.9, "objective": "mape"}},
        "data": {
            "name": "demo",
            "as_of": "2026-11-02",
            "data_hash": "372cfb9fb49ed681",
            "files": {"a.csv": "0"},
        },
        "refused_regions": {},
        "restatements": [],
        "metrics": metrics,
        "stages": [
            {"name": name, "start": "2026-11-09T06:00:00+00:00", "seconds": seconds, "rows_out": 1348225}
            for name, seconds in names.items()
        ],
    }


def write_bundle(folder: Path, every: list[Segment], failed: list[Segment]) -> None:
    """A manifest in use: some segments carried over from an old run, some without a model."""
    meta = BundleMeta(
        VERSION, datetime(2026, 11, 9, 6), "d" * 64, {}, date(2026, 11, 2), date(2026, 9, 7), BEFORE
    )
    entries = {}
    for place, segment in enumerate(each for each in every if each not in failed):
        old = place % 9 == 3
        version, day = (BEFORE, datetime(2026, 9, 1)) if old else (VERSION, meta.trained_at)
        reason = "gate: 7.2 % worse than the champion" if old else ""
        entries[segment] = Entry(
            f"{segment.name}.onnx", None, "encoder.json", version, day, "d" * 64, reason=reason
        )
    names = {"encoder.json", "baseline.parquet", "speeds.parquet", "parity.json", "features.parquet"}
    files = {name: {"sha256": "0" * 64, "bytes": 1} for name in names | {e.file for e in entries.values()}}
    manifest = Manifest(
        meta, files, entries, dict.fromkeys(failed, "Not certainly better than the historical average.")
    )
    place_ = store.bundle_folder(folder, VERSION)
    place_.mkdir(parents=True, exist_ok=True)
    (place_ / "manifest.json").write_bytes(encode_manifest(manifest))
    store.point_at(folder, VERSION)


def write_watched(folder: Path, size: Size = SMALL) -> Path:
    """What scoring and monitoring add: forecasts of every week, actuals, quality, drift, decisions."""
    watched = folder / "monitoring"
    rows = series(size)
    weeks = pd.date_range(end=LAST, periods=size.weeks, freq="7D", unit="us")
    future = pd.date_range(LAST + pd.Timedelta(weeks=1), periods=4, freq="7D", unit="us")
    seasons = _units(rows, weeks.append(future))
    came = np.rint(
        seasons[:, : size.weeks] * np.random.default_rng(1).lognormal(0, 0.3, (len(rows), size.weeks))
    )
    keys = ["region", "store_id", "product_id"]
    actuals = rows.loc[np.repeat(np.arange(len(rows)), size.weeks), keys].assign(
        week=np.tile(weeks, len(rows)), units=came.ravel()
    )
    store.write_parquet(actuals, watched / "actuals.parquet")
    for horizon in size.horizons:
        told = _told(rows, weeks, seasons[:, : size.weeks], horizon)
        for part, chunk in enumerate(np.array_split(np.arange(size.weeks), max(1, size.weeks // 26))):
            frame = told[told["week"].isin(weeks[chunk])]
            store.write_parquet(
                frame,
                watched / "forecasts" / f"{weeks[chunk[-1]]:%Y-%m-%d}-{VERSION}-{horizon}{part}.parquet",
            )
    ahead = _told(rows, future, seasons[:, size.weeks :], 1)
    ahead["horizon"] = np.tile(np.arange(1, 5), len(rows))
    store.write_parquet(ahead.drop(columns=["format", "speed", "baseline"]), folder / store.FORECASTS)
    every = segments(size)
    store.write_parquet(_quality(every, weeks), watched / "quality.parquet")
    store.write_parquet(_drift(every, weeks[-52:]), watched / "drift.parquet")
    store.write_parquet(_deliveries(every, weeks), watched / "data_quality.parquet")
    lines = [decision(weeks[-2], False), decision(weeks[-1], True)]
    (watched / "decisions.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    return folder


def decision(week: pd.Timestamp, retrain: bool) -> dict[str, object]:
    reason = {
        "trigger": "degradation",
        "text": "MAPE of R01-large-fast rose from 24 % to 41 % within three weeks.",
        "evidence": {"before": 24.1, "after": 41.3},
        "segments": ["R01-large-fast"],
    }
    return {
        "decision_id": f"{week:%Y%m%d}",
        "as_of": f"{week:%Y-%m-%d}",
        "retrain": retrain,
        "reasons": [reason] if retrain else [],
        "cooldown_until": "2026-12-14" if retrain else None,
        "budget_left": 3,
        "model_version": VERSION,
        "model_age_days": 14,
    }


def _units(rows: pd.DataFrame, weeks: pd.DatetimeIndex) -> np.ndarray:
    phase = np.arange(len(rows))[:, None] * 0.7
    wave = 1 + 0.35 * np.sin(2 * np.pi * weeks.day_of_year.to_numpy()[None, :] / 365 + phase)
    return rows["level"].to_numpy()[:, None] * wave


def _told(rows: pd.DataFrame, weeks: pd.DatetimeIndex, seasons: np.ndarray, horizon: int) -> pd.DataFrame:
    n = len(weeks)
    units = (seasons * np.random.default_rng(2 + horizon).lognormal(-0.05, 0.08, seasons.shape)).ravel()
    keys = ["region", "store_id", "product_id", "format", "speed"]
    return rows.loc[np.repeat(np.arange(len(rows)), n), keys].assign(
        week=np.tile(weeks, len(rows)),
        horizon=horizon,
        units=units,
        lower=units * 0.58,
        upper=units * 1.75,
        source="champion",
        model_version=VERSION,
        baseline=units * 1.4,
    )


def _backtest(rows: pd.DataFrame) -> pd.DataFrame:
    weeks = pd.date_range("2026-09-14", periods=8, freq="7D", unit="us")
    seasons = _units(rows, weeks)
    frame = _told(rows, weeks, seasons, 1).rename(columns={"units": "ensemble"})
    actual = np.rint(seasons.ravel() * np.random.default_rng(3).lognormal(0, 0.3, len(frame)))
    actual[::11] = 0
    return frame.assign(actual=actual, origin=weeks[0], lasso=frame["ensemble"], network=frame["ensemble"])


def _quality(every: list[Segment], weeks: pd.DatetimeIndex) -> pd.DataFrame:
    draw = np.random.default_rng(4)
    index = pd.DataFrame(
        [
            (s.region, s.format, s.speed, w, h, m)
            for s in every
            for w in weeks
            for h in (1, 2, 3, 4)
            for m in ("champion", "baseline")
        ],
        columns=["region", "format", "speed", "week", "horizon", "method"],
    )
    own, n = index["method"] == "champion", len(index)
    mape = np.where(own, 28, 74) * draw.lognormal(0, 0.12, n) + np.where(own, index["horizon"], 0)
    return index.assign(
        n=40,
        mape=mape,
        wape=mape * 0.9,
        rmse=mape * 2,
        rmse0=np.where(draw.random(n) < 0.1, np.nan, mape / 3),
        bias=np.where(own, -9, 14) + draw.normal(0, 4, n),
        coverage=np.where(own, draw.uniform(84, 95, n), np.nan),
    )


def _drift(every: list[Segment], weeks: pd.DatetimeIndex) -> pd.DataFrame:
    draw = np.random.default_rng(6)
    rows = [
        (s.region, s.format, s.speed, w, f, m)
        for s in every
        for w in weeks
        for f in FEATURES
        for m in ("psi", "ks")
    ]
    frame = pd.DataFrame(rows, columns=["region", "format", "speed", "week", "feature", "measure"])
    limit = np.where(frame["measure"] == "psi", 0.25, 0.3)
    value = limit * draw.beta(2, 7, len(frame))
    late = (frame["feature"] == "temperature") & (frame["week"] >= weeks[-3]) & (frame["region"] == "R02")
    return frame.assign(value=np.where(late, 1.8 * limit, value), limit=limit, n=160)


def _deliveries(every: list[Segment], weeks: pd.DatetimeIndex) -> pd.DataFrame:
    regions = sorted({s.region for s in every})
    rows = [
        (region, week, 160, 0, 4 if (region, week) == ("R01", weeks[-1]) else 0, 0)
        for region in regions
        for week in weeks
    ]
    return pd.DataFrame(rows, columns=["region", "week", "rows", "missing", "late", "restated"])
