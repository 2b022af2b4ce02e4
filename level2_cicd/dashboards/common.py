"""What every page says: the verdict, the filter's choices, and the segments."""

from typing import Any

import pandas as pd

from level2_cicd.dashboards.concerns import ATTENTION, GOOD, PROBLEM
from level2_cicd.dashboards.gathered import Gathered
from level2_cicd.dashboards.segments import KEYS, STALE_DAYS, TARGET_GAIN, TARGET_MAPE
from level2_cicd.dashboards.verdicts import Verdict

SHOWN_FROM = {  # what a section shows, and the parts it needs
    "series": ("history", "forecasts", "backtest"),
    **{name: (name,) for name in ("quality", "drift", "data_quality", "decisions", "ledger", "manifest")},
}


def common(found: Gathered, table: pd.DataFrame, verdict: Verdict) -> dict[str, Any]:
    """What the frame of a page needs."""
    manifest = found.manifest.value
    return {
        "words": {GOOD: "Good", ATTENTION: "Attention", PROBLEM: "Problem"},
        "as_of": found.as_of,
        "verdict": verdict,
        "meta": manifest.meta if manifest else None,
        "table": rows_of(table),
        "options": {key: sorted({str(each) for each in table[key]}) for key in KEYS},
        "target_mape": TARGET_MAPE,
        "target_gain": TARGET_GAIN,
        "stale_days": STALE_DAYS,
        "damaged": {name: bool(found.faults(*parts)) for name, parts in SHOWN_FROM.items()},
    }


def rows_of(table: pd.DataFrame) -> list[dict[str, Any]]:
    """One dict per segment, with its name."""
    rows = [{str(key): value for key, value in row.items()} for row in table.to_dict(orient="records")]
    return [{**row, "name": name} for row, name in zip(rows, names_of_segments(table), strict=True)]


def names_of_segments(table: pd.DataFrame) -> list[str]:
    """Region-format-speed of each segment."""
    return [f"{region}-{fmt}-{speed}" for region, fmt, speed in table[KEYS].to_numpy()]


def segment_data(table: pd.DataFrame) -> dict[str, Any]:
    """The segments as the scripts know them, in the order of the table."""
    return {"segments": [list(map(str, row)) for row in table[KEYS].to_numpy()]}
