"""Validate scoring: a bundle that is not in use yet forecasts, and its forecasts are looked at."""

import shutil
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd

from demand.bundle import Bundle, read_bundle, read_snapshot
from demand.contracts import check
from demand.errors import DataError
from level1_pipeline import store
from level1_pipeline.batch import Batch, Scored, score_batch
from level1_pipeline.executor import Executor
from level1_pipeline.progress import Watch
from level2_cicd.validation.checks import Check, Result, judged

PART = "scoring"
KEYS = ["region", "store_id", "product_id", "horizon"]
NUMBERS = ["units", "lower", "upper"]


@dataclass(frozen=True)
class Candidate:
    """A bundle, and what batch scoring makes of it: forecasts as contracted."""

    bundle: Bundle
    scored: Scored
    forecasts: pd.DataFrame


def score_candidate(batch: Batch, version: str, watch: Watch) -> Candidate:
    """What batch scoring gives with the bundle of that version, which need not be the one in use.

    batch: data and store; nothing in the store changes. Raises what scoring raises.
    """
    folder = store.bundle_folder(batch.store, version)
    bundle = read_bundle(folder)
    with TemporaryDirectory() as name:
        place = Path(name)
        shutil.copytree(folder, store.bundle_folder(place, version))
        store.point_at(place, version)
        copy = Batch(batch.data, place, place / store.FORECASTS, None, batch.unit_jump, Executor(1))
        scored = score_batch(copy, watch)
        return Candidate(bundle, scored, pd.read_parquet(copy.out))


def validate_scoring(candidate: Candidate) -> list[Check]:
    """The checks of a candidate's forecasts."""
    forecasts = candidate.forecasts
    numbers = forecasts[NUMBERS].to_numpy()
    ordered = (forecasts["lower"] <= forecasts["units"]) & (forecasts["units"] <= forecasts["upper"])
    crossed = int((~ordered).sum())
    finite = bool(np.isfinite(numbers).all() and (numbers >= 0).all())
    sources = forecasts["source"].value_counts()
    told = ", ".join(f"{count:,} {source}" for source, count in sources.items())
    return [
        _contract(forecasts),
        judged(PART, "numbers finite and not negative", finite, f"{numbers.size:,} numbers"),
        judged(PART, "lower <= units <= upper", not crossed, f"{crossed} of {len(forecasts):,} rows crossed"),
        _answered(candidate),
        judged(PART, "a model rather than an average", "champion" in sources, told),
    ]


def _contract(forecasts: pd.DataFrame) -> Check:
    try:
        check("forecasts", forecasts, "forecasts")
    except DataError as error:
        return judged(PART, "contract of the forecasts", False, str(error))
    return judged(PART, "contract of the forecasts", True, f"{len(forecasts):,} rows")


def _answered(candidate: Candidate) -> Check:
    """Whether every series that lives has a forecast for every week ahead, and no other has any."""
    name = "an answer for every live series and week"
    snapshot = read_snapshot(candidate.bundle)
    refused = snapshot["region"].isin(candidate.scored.refused)
    wanted, got = _keys(snapshot[~refused]), _keys(candidate.forecasts)
    lost, odd = len(wanted.difference(got)), len(got.difference(wanted))
    if odd:
        return judged(PART, name, False, f"{odd:,} rows of series that do not live")
    if refused.any() or lost:
        told = f"{lost:,} rows have none; regions refused: {', '.join(candidate.scored.refused) or 'none'}"
        return Check(PART, name, Result.partly, told)
    return judged(PART, name, True, f"{len(wanted):,} rows")


def _keys(table: pd.DataFrame) -> pd.MultiIndex:
    return pd.MultiIndex.from_frame(table[KEYS].astype({"horizon": "int64"}))
