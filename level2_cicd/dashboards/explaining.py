"""The page that says what drives each segment."""

from typing import Any

import numpy as np
import pandas as pd

from demand.segments import Segment
from level2_cicd.dashboards.common import common, rows_of, segment_data
from level2_cicd.dashboards.concerns import NOTHING, PROBLEM
from level2_cicd.dashboards.drivers import Drivers
from level2_cicd.dashboards.gathered import Gathered
from level2_cicd.dashboards.labels import FAMILIES
from level2_cicd.dashboards.packing import rounded
from level2_cicd.dashboards.page import Page
from level2_cicd.dashboards.reading import Part
from level2_cicd.dashboards.segments import KEYS
from level2_cicd.dashboards.verdicts import Verdict

PLAIN = "plain"  # a verdict that is neither good nor bad


def explain_page(found: Gathered, table: pd.DataFrame, drivers: Part[dict[Segment, Drivers]]) -> Page:
    """What drives each segment: shuffled inputs and the coefficients of the LASSO."""
    known = {each.name: driven for each, driven in (drivers.value or {}).items()}
    context = {
        **common(found, table, _explained(known, drivers)),
        "faults": [drivers.fault] if drivers.fault else [],
        "families": FAMILIES,
        "lines": [_driver_line(row, known) for row in rows_of(table)],
        "known": known,
    }
    return Page("explain", context, {**segment_data(table), "drivers": _driver_data(known)}, ("bars",))


def _explained(known: dict[str, Drivers], part: Part[dict[Segment, Drivers]]) -> Verdict:
    if part.fault:
        return Verdict(PROBLEM, "The model in use cannot be explained.", part.fault)
    ranked = [driven.families for driven in known.values() if driven.families]
    if not ranked:
        return Verdict(NOTHING, "Nothing to explain yet.", "A trained model with forecasts fills this page.")
    mean = {name: float(np.mean([dict(each).get(name, 0.0) for each in ranked])) for name in FAMILIES}
    first, second, third = sorted(FAMILIES, key=lambda name: -mean[name])[:3]
    return Verdict(
        PLAIN,
        f"Forecasts are driven most by: {first.lower()}, {second.lower()} and {third.lower()}.",
        f"Mean of {len(ranked)} segments. Shuffling the first moves a forecast by {mean[first]:.0f} %.",
    )


def _driver_line(row: dict[str, Any], known: dict[str, Drivers]) -> dict[str, Any]:
    """A segment's line of the overview: its name and the change per family, None without a model."""
    driven = known.get(row["name"])
    moved = dict(driven.families) if driven else {}
    return {
        **{key: row[key] for key in (*KEYS, "name", "reason")},
        "moved": moved,
        "network": driven and driven.network,
    }


def _driver_data(known: dict[str, Drivers]) -> dict[str, Any]:
    return {
        name: {
            "families": [[family, rounded(change, 3)] for family, change in driven.families],
            "coefficients": [[each.label, rounded(each.percent, 3)] for each in driven.coefficients],
            "used": driven.used,
            "inputs": driven.inputs,
            "network": rounded(driven.network, 3),
            "rows": driven.rows,
        }
        for name, driven in known.items()
    }
