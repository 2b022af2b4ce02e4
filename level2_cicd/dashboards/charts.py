"""The charts, as Vega: written in Altair, compiled here, drawn by the page from rows it fills in.

A colour that begins with @ is a name that the page looks up in its style sheet: light and dark differ.
"""

import json
from collections.abc import Callable
from functools import cache
from typing import Any, TypeAlias

import altair as alt
import vl_convert

Spec: TypeAlias = dict[str, Any]
Drawing: TypeAlias = alt.LayerChart | alt.FacetChart
DAY = "%e %b %Y"
SHORT = "format(datum.value, '~s')"  # 200, 1.2k: an axis format would call 200 0.2k beside 1.2k
CHAMPION, BASELINE, ACTUAL = "@champion", "@baseline", "@actual"


@cache
def library() -> str:
    """Vega-Embed and Vega as one JavaScript text without imports, for `window.vegaEmbed`; 0.9 MB."""
    return str(vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed;"))


@cache
def compiled(name: str) -> str:
    """The Vega specification of a chart as JSON; its data sets are empty."""
    chart = CHARTS[name]().configure(**_LOOK)
    return json.dumps(vl_convert.vegalite_to_vega(chart.to_json(validate=True)), separators=(",", ":"))


_LOOK: Spec = {
    "axis": {
        "labelColor": "@muted", "titleColor": "@muted", "gridColor": "@grid", "domainColor": "@grid",
        "tickColor": "@grid", "labelFontSize": 12, "titleFontSize": 12, "titleFontWeight": "normal",
    },
    "view": {"stroke": None},
    "background": "transparent",
    "font": "system-ui, sans-serif",
    "padding": {"left": 2, "right": 8, "top": 6, "bottom": 2},
}  # fmt: skip


def _rows(name: str = "rows") -> alt.Chart:
    """A chart of a data set that the page fills in, as wide as its place."""
    return alt.Chart(alt.NamedData(name=name)).properties(width="container", height=260)


def _week() -> alt.X:
    return alt.X(
        "week:T", title=None, axis=alt.Axis(grid=False, labelOverlap=True, format="%b %Y", tickCount=8)
    )


def _number(field: str, form: str = ",.3~r") -> alt.Tooltip:
    return alt.Tooltip(f"{field}:Q", format=form)


def _read_off(base: alt.Chart, tips: list[alt.Tooltip]) -> Drawing:
    """A rule at the week nearest to the pointer, which tells its numbers."""
    near = alt.selection_point(
        name="near", nearest=True, on="pointerover", fields=["week"], empty=False, clear="pointerout"
    )
    shown = alt.when(near).then(alt.value(0.6)).otherwise(alt.value(0))
    return alt.layer(base.mark_rule(color="@muted").encode(opacity=shown, tooltip=tips).add_params(near))


def series() -> Drawing:
    """Rows: week, actual, units, lower, upper."""
    base = _rows().encode(x=_week())
    tips = [
        alt.Tooltip("week:T", format=DAY),
        *(_number(field) for field in ("actual", "forecast", "lower", "upper")),
    ]
    scale = alt.Scale(zero=True, nice=True)
    units = alt.Axis(title="units a week", labelExpr=SHORT, tickCount=5)
    return alt.layer(
        base.mark_area(color=CHAMPION, opacity=0.2).encode(
            y=alt.Y("lower:Q", scale=scale, axis=units), y2="upper:Q"
        ),
        base.mark_line(color=CHAMPION, strokeWidth=2.5, strokeDash=[7, 3]).encode(y="forecast:Q"),
        base.mark_line(color=ACTUAL, strokeWidth=1.5).encode(y="actual:Q"),
        base.mark_point(color=ACTUAL, filled=True, size=22, shape="circle", opacity=1).encode(y="actual:Q"),
        _read_off(base, tips),
    )


def total() -> Drawing:
    """Rows: week, actual, forecast; units of all chosen series together."""
    base = _rows().encode(x=_week())
    tips = [alt.Tooltip("week:T", format=DAY), _number("actual", ",.0f"), _number("forecast", ",.0f")]
    units = alt.Y(
        "actual:Q",
        scale=alt.Scale(zero=True),
        axis=alt.Axis(title="units a week", labelExpr=SHORT, tickCount=5),
    )
    return alt.layer(
        base.mark_line(color=ACTUAL, strokeWidth=1.5).encode(y=units),
        base.mark_point(color=ACTUAL, filled=True, size=22, opacity=1).encode(y="actual:Q"),
        base.mark_line(color=CHAMPION, strokeWidth=2.5, strokeDash=[7, 3]).encode(y="forecast:Q"),
        base.mark_point(color=CHAMPION, filled=True, shape="diamond", size=45, opacity=1).encode(y="ahead:Q"),
        _read_off(base, tips),
    )


def error() -> Drawing:
    """Rows: week, champion, baseline. Guide: value, a target or none."""
    base = _rows().encode(x=_week())
    tips = [alt.Tooltip("week:T", format=DAY), _number("champion"), _number("baseline")]
    axis = alt.Axis(title=None, labelExpr=SHORT, tickCount=5)
    own, average = (alt.Y(f"{name}:Q", axis=axis) for name in ("champion", "baseline"))
    return alt.layer(
        base.mark_line(color=BASELINE, strokeWidth=2, strokeDash=[2, 3]).encode(y=average),
        base.mark_line(color=CHAMPION, strokeWidth=2.5).encode(y=own),
        base.mark_point(color=CHAMPION, filled=True, size=20, opacity=1).encode(y="champion:Q"),
        _rows("guide").mark_rule(color="@ink", strokeDash=[10, 5], strokeWidth=1.2).encode(y="value:Q"),
        _read_off(base, tips),
    )


def spread() -> Drawing:
    """Rows: segment, mape, baseline, verdict. Guide: baseline, mape: two points of the line of the target."""
    tips = [alt.Tooltip("segment:N"), _number("mape"), _number("baseline"), alt.Tooltip("verdict:N")]
    kinds = ["meets", "misses"]
    axis = alt.Axis(tickCount=8, labelOverlap=True)
    x = alt.X("baseline:Q", title="error of the historical average, %", scale=alt.Scale(zero=True), axis=axis)
    y = alt.Y("mape:Q", title="error of the model, %", scale=alt.Scale(zero=True, nice=True))
    shape = alt.Shape(
        "verdict:N", scale=alt.Scale(domain=kinds, range=["circle", "triangle-up"]), legend=None
    )
    color = alt.Color("verdict:N", scale=alt.Scale(domain=kinds, range=["@good", "@bad"]), legend=None)
    guide = _rows("guide").encode(x="baseline:Q", y="mape:Q")
    return alt.layer(
        guide.mark_area(color="@good", opacity=0.1),
        guide.mark_line(color="@ink", strokeDash=[10, 5], strokeWidth=1.2),
        _rows()
        .mark_point(filled=True, size=75, opacity=0.85)
        .encode(x=x, y=y, shape=shape, color=color, tooltip=tips),
    ).properties(height=320)


def drift() -> Drawing:
    """Rows: feature, week, until, share (of the limit); beyond 1 a cell is marked."""
    base = _rows().encode(
        x=_week(), x2="until:T", y=alt.Y("feature:N", title=None, axis=alt.Axis(labelLimit=170, grid=False))
    )
    scale = alt.Scale(domain=[0, 1, 2], range=["@heat0", "@heat1", "@heat2"], clamp=True)
    tips = [alt.Tooltip("feature:N"), alt.Tooltip("week:T", format=DAY), _number("share", ".2f")]
    over = _rows().transform_filter("datum.share > 1").encode(x=alt.X("middle:T"), y="feature:N")
    return alt.layer(
        base.mark_rect().encode(color=alt.Color("share:Q", scale=scale, legend=None), tooltip=tips),
        over.mark_point(shape="cross", filled=True, size=24, color="@heatmark", opacity=1),
    ).properties(height=alt.Step(20))


def bars() -> Drawing:
    """Rows: label, value (percent, of either sign), sign (up or down), in the order to be drawn.

    A label stands above its bar: beside it, a phone would have no room for either.
    """
    base = _rows().encode(y=alt.Y("label:N", sort=None, axis=None))
    signs = alt.Scale(domain=["up", "down"], range=[CHAMPION, BASELINE])
    value = alt.X("value:Q", title=None, axis=alt.Axis(labelExpr=SHORT, tickCount=5))
    words = base.transform_calculate(words="format(datum.value, '.3~r') + ' %  ' + datum.label")
    return alt.layer(
        base.mark_bar(height=11, cornerRadius=2, yOffset=9).encode(
            x=value, color=alt.Color("sign:N", scale=signs, legend=None)
        ),
        words.mark_text(
            align="left", baseline="middle", dy=-6, fontSize=13, color="@ink", limit=alt.expr("width")
        ).encode(text="words:N", x=alt.value(2)),
    ).properties(height=alt.Step(40))


CHARTS: dict[str, Callable[[], Drawing]] = {
    "series": series, "total": total, "error": error, "spread": spread, "drift": drift, "bars": bars,
}  # fmt: skip
