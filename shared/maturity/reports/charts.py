"""The radar of a vector and the trend of past assessments as SVG that needs nothing from outside."""

import math
from collections.abc import Sequence
from html import escape

from maturity.scoring import Dimension
from maturity.trend import Point

MIDDLE, RADIUS = 190.0, 120.0
WIDTH, HEIGHT, EDGE = 640.0, 200.0, 34.0


def radar(dimensions: Sequence[Dimension]) -> str:
    """One axis per dimension from the middle (0 %) to the rim (100 %)."""
    count = len(dimensions)
    rings = "".join(
        f'<polygon class="ring" points="{_ring(count, share)}"/>' for share in (0.25, 0.5, 0.75, 1.0)
    )
    axes = "".join(_axis(place, count) for place in range(count))
    shape = " ".join(_point(place, count, each.score or 0.0) for place, each in enumerate(dimensions))
    labels = "".join(_label(place, count, each) for place, each in enumerate(dimensions))
    told = "; ".join(f"{each.name} {_percent(each)}" for each in dimensions)
    return (
        f'<svg viewBox="-40 0 460 380" role="img" aria-label="{escape("Radar: " + told)}">{rings}{axes}'
        f'<polygon class="shape" points="{shape}"/>{labels}</svg>'
    )


def _ring(count: int, share: float) -> str:
    return " ".join(_point(place, count, share) for place in range(count))


def _point(place: int, count: int, share: float) -> str:
    x, y = _at(place, count, share * RADIUS)
    return f"{x:.1f},{y:.1f}"


def _at(place: int, count: int, distance: float) -> tuple[float, float]:
    angle = 2 * math.pi * place / count - math.pi / 2
    return MIDDLE + distance * math.cos(angle), MIDDLE + distance * math.sin(angle)


def _axis(place: int, count: int) -> str:
    x, y = _at(place, count, RADIUS)
    return f'<line class="ring" x1="{MIDDLE}" y1="{MIDDLE}" x2="{x:.1f}" y2="{y:.1f}"/>'


def _label(place: int, count: int, each: Dimension) -> str:
    x, y = _at(place, count, RADIUS + 22)
    side = "middle" if abs(x - MIDDLE) < 20 else "start" if x > MIDDLE else "end"
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{side}">{escape(each.name)}'
        f'<tspan x="{x:.1f}" dy="1.2em">{_percent(each)}</tspan></text>'
    )


def _percent(each: Dimension) -> str:
    return "not known" if each.score is None else f"{each.score:.0%}"


def trend(points: Sequence[Point]) -> str:
    """A line per scale over the assessments: levels as shares of their top, ML Test Score of seven."""
    lines = (
        ("google", "Google level", [point.google / 2 for point in points]),
        ("azure", "Azure level", [point.azure / 4 for point in points]),
        ("score", "ML Test Score", [point.ml_test_score / 7 for point in points]),
    )
    drawn = "".join(_line(*each, number) for number, each in enumerate(lines))
    first, last = points[0].as_of.isoformat(), points[-1].as_of.isoformat()
    return (
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT + 40}" role="img" aria-label="Trend from {first} to {last}">'
        f'<line class="ring" x1="{EDGE}" y1="{HEIGHT - EDGE}" x2="{WIDTH - 170}" y2="{HEIGHT - EDGE}"/>'
        f'{drawn}<text x="{EDGE}" y="{HEIGHT}">{first}</text>'
        f'<text x="{WIDTH - 170}" y="{HEIGHT}" text-anchor="end">{last}</text></svg>'
    )


def _line(name: str, title: str, shares: Sequence[float], number: int) -> str:
    wide = WIDTH - 170 - EDGE
    step = wide / max(1, len(shares) - 1)
    tall = HEIGHT - 2 * EDGE
    points = [(EDGE + step * place, EDGE + tall * (1 - share)) for place, share in enumerate(shares)]
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    dots = "".join(f'<circle class="{name}" cx="{x:.1f}" cy="{y:.1f}" r="4"/>' for x, y in points)
    label = f'<text x="{WIDTH - 150}" y="{EDGE + 22 * number}">{escape(title)}</text>'
    key = f'<circle class="{name}" cx="{WIDTH - 160}" cy="{EDGE + 22 * number - 5}" r="4"/>'
    return f'<polyline class="{name}" points="{path}"/>{dots}{key}{label}'
