"""The page of a replay: a table and a chart, printed, and put into a document between its markers."""

from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from demand.errors import UsageError
from demand.sources.publish import write_bytes
from level1_pipeline.replay.change import Change
from level1_pipeline.replay.figures import reasons, span
from level1_pipeline.replay.log import Entry
from level1_pipeline.replay.plan import NEVER, POLICY, SCHEDULE, Plan

if TYPE_CHECKING:  # a chart needs the extra `dashboards`
    import altair as alt

BEGIN, END = "<!-- replay: begin -->", "<!-- replay: end -->"
ASSETS = "assets"  # folder of charts, beside the page
COLOURS = [
    "#767676",
    "#0072b2",
    "#d55e00",
]  # Okabe and Ito's, and a grey; told apart without colour by dashes
DASHES = [[6, 4], [2, 2], [1, 0]]


def names(plan: Plan) -> dict[str, str]:
    """What readers call the strategies."""
    every = f"every {plan.schedule_weeks} weeks"
    return {NEVER: "never retrain", SCHEDULE: every, POLICY: "trigger policy"}


def block(lines: list[dict[str, Any]], logs: Mapping[str, list[Entry]], plan: Plan, change: Change) -> str:
    """The table and what it is of, as Markdown."""
    first, last = span(next(iter(logs.values())))
    head = ["strategy", "MAPE %", "before", "in the change", "after", "WAPE %", "bias %"]
    head += [
        "mean age, days",
        "trained",
        "promoted",
        "segments renewed",
        "seconds",
        "over, USD",
        "under, USD",
        "both, USD",
    ]
    table = [f"| {' | '.join(head)} |", f"|---|{'---:|' * (len(head) - 1)}"]
    table += [_row(line, names(plan)) for line in lines]
    season = "No change is injected."
    if change.weeks:
        season = f"The change is injected for {change.weeks} weeks from {change.first} on."
    why = ", ".join(f"{name} {count}" for name, count in reasons(logs[POLICY]).items()) or "none"
    text = [
        f"{plan.weeks} weeks, {first} to {last}; {lines[0]['n']:,} forecasts with an actual. {season}",
        "",
        *table,
        "",
        f"Triggers behind the policy's trainings (one may have several): {why}. A unit too many costs "
        f"{plan.costs.over:g} USD, one too few {plan.costs.under:g} USD.",
    ]
    return "\n".join(text)


def _row(line: Mapping[str, Any], known: Mapping[str, str]) -> str:
    percents = [line[name] for name in ("mape", "mape_before", "mape_inside", "mape_after", "wape")]
    cells = [known[line["strategy"]], *(_percent(value) for value in percents), f"{line['bias']:+.1f}"]
    cells += [
        f"{line['age_days']:.0f}",
        *(str(line[name]) for name in ("trainings", "promotions", "segments")),
    ]
    cells += [f"{line[name]:,.0f}" for name in ("seconds", "over_usd", "under_usd", "stock_usd")]
    return f"| {' | '.join(cells)} |"


def _percent(value: float | None) -> str:
    return "" if value is None else f"{value:.1f}"


def put(text: str, page: Path, chart: Path | None) -> None:
    """Replaces what stands between the markers of a page, and puts the chart into the folder beside it.

    Raises UsageError where the page has no markers.
    """
    whole = page.read_text(encoding="utf-8") if page.is_file() else ""
    before, begin, rest = whole.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise UsageError(f"{page}: expected a page with the lines {BEGIN} and {END}; got none. Put them in.")
    if chart is not None:
        own = page.parent / ASSETS / chart.name
        own.parent.mkdir(parents=True, exist_ok=True)
        write_bytes(own, chart.read_bytes())
        text += f"\n\n![Error and age of the model by week, three ways to retrain]({ASSETS}/{chart.name})"
    write_bytes(page, f"{before}{BEGIN}\n{text}\n{END}{after}".encode())


def can_draw() -> bool:
    """Whether a chart can be drawn; what it takes is in the extra `dashboards`."""
    return find_spec("altair") is not None and find_spec("vl_convert") is not None


def draw(weekly: pd.DataFrame, plan: Plan, change: Change, path: Path) -> None:
    """Writes the chart as SVG: error by week, and below it the age of the model; the season is shaded."""
    import altair as alt

    known = names(plan)
    shown = weekly.assign(strategy=weekly["strategy"].map(known))
    scale = alt.Scale(domain=list(known.values()), range=COLOURS)
    colour = alt.Color("strategy:N", title=None, scale=scale, legend=alt.Legend(orient="top"))
    dash = alt.StrokeDash(
        "strategy:N", title=None, scale=alt.Scale(domain=list(known.values()), range=DASHES)
    )
    base = alt.Chart(shown, width=760).encode(alt.X("week:T", title=None), colour)
    error = base.mark_line().encode(
        alt.Y("mape:Q", title="MAPE %, mean of 4 weeks", scale=alt.Scale(zero=False)), dash
    )
    age = base.mark_line(interpolate="step-after").encode(
        alt.Y("age_days:Q", title="age of the model, days"), dash
    )
    marks = (
        base.transform_filter("datum.trained").mark_point(filled=True, size=45).encode(alt.Y("age_days:Q"))
    )
    panels = [_shaded(error, change, alt), _shaded(age + marks, change, alt)]
    path.parent.mkdir(parents=True, exist_ok=True)
    chart = alt.vconcat(panels[0].properties(height=240), panels[1].properties(height=140))
    chart.properties(title="Shaded: the injected change. Points: a new model was promoted.").save(
        path, format="svg"
    )


def _shaded(layer: "alt.Chart | alt.LayerChart", change: Change, alt: Any) -> Any:
    if change.weeks == 0:
        return alt.layer(layer)
    season = pd.DataFrame({"from": [pd.Timestamp(change.first)], "to": [pd.Timestamp(change.end)]})
    shade = alt.Chart(season).mark_rect(opacity=0.12, color="#000000").encode(x="from:T", x2="to:T")
    return alt.layer(shade, layer)
