"""What errors to expect of a new model: those of the weeks that judged it before it was used."""

import json
from pathlib import Path

import pandas as pd

from demand.drift import weekly_errors
from level1_pipeline import store as files


def judged_errors(store: Path, version: str) -> pd.DataFrame | None:
    """Weekly errors of the weeks that judged a model; None where the store's last run is not that model's."""
    try:
        last = json.loads((store / files.RUN).read_bytes())["model_version"]
        table = pd.read_parquet(store / files.BACKTEST) if last == version else None
    except (OSError, ValueError, KeyError):
        return None
    if table is None or table.empty:
        return None
    known = table[table["actual"].notna()]
    return weekly_errors(known.rename(columns={"ensemble": "forecast"}))
