"""The frontier: what low relative error costs in bias and in units; every method a point."""

from pathlib import Path
from typing import Any

import altair as alt
import pandas as pd
from methods import OUR_ROWS

FURTHEST = 2.5  # times the best MAPE: what is worse would press all others into a corner
AXES = {"abs_bias": "|bias| %", "wape": "WAPE %"}
# Where a name stands beside its point, as the side and pixels: these rows often lie on top of each other.
PLACES: dict[str, dict[str, Any]] = {
    "ensemble": {"align": "right", "dx": -7, "dy": 0},
    "ensemble-fast": {"align": "right", "dx": -7, "dy": -11},
    "network": {"align": "right", "dx": -7, "dy": 11},
    "lasso": {"align": "left", "dx": 7, "dy": -4},
    "ensemble-balanced": {"align": "left", "dx": 7, "dy": 4},
}


def write_frontier(lines: list[dict[str, Any]], path: Path) -> None:
    """Writes the chart as SVG: MAPE against |bias| and against WAPE, a column per data set."""
    table = pd.DataFrame(lines).assign(abs_bias=lambda t: t["bias"].abs())
    table = table[table["mape"] <= FURTHEST * table.groupby("dataset")["mape"].transform("min")]
    table = table.assign(
        who=table["method"].map(lambda method: "this project" if method in OUR_ROWS else _library(method)),
        label=table["method"].where(table["method"].isin(OUR_ROWS), ""),
    )
    columns = [
        alt.vconcat(*(_panel(part, name, axis) for axis in AXES)) for name, part in table.groupby("dataset")
    ]
    path.parent.mkdir(parents=True, exist_ok=True)
    alt.hconcat(*columns).save(path, format="svg")


def _panel(part: pd.DataFrame, dataset: Any, axis: str) -> alt.LayerChart:
    base = alt.Chart(part, width=300, height=220, title=f"{dataset}: MAPE against {AXES[axis]}").encode(
        x=alt.X("mape:Q", title="MAPE %", scale=alt.Scale(zero=False, padding=70)),
        y=alt.Y(f"{axis}:Q", title=AXES[axis], scale=alt.Scale(zero=False, padding=12)),
        color=alt.Color(
            "who:N", title=None, legend=alt.Legend(orient="bottom", labelLimit=0, columnPadding=30)
        ),
    )
    names = [
        base.transform_filter(alt.datum.label == name).mark_text(fontSize=10, **place).encode(text="label:N")
        for name, place in PLACES.items()
    ]
    return alt.layer(base.mark_point(size=60, filled=True, opacity=0.8), *names)


def _library(method: str) -> str:
    for prefix in ("lightgbm-own-features", "mlforecast-lightgbm", "statsforecast"):
        if method.startswith(prefix):
            return prefix
    return method
