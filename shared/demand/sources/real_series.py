"""What real weekly series look like, measured once; synthetic data must lie within the span of these.

The first two columns are the figures of the adapters' sets, and the same code gives them again where the
sets are at hand. The third is a small-basket retail set of 3,600 series over 52 weeks: its figures alone.
"""

from collections.abc import Mapping

from demand.sources.driver_statistics import EVENTS, PROMOTION

SETS = ("Walmart", "orange juice", "small basket")
MEASURED: dict[str, tuple[float | None, float | None, float | None]] = {
    "zero weeks": (0.093, 0.0, 0.43),
    "zero share of a series p10": (0.0, 0.0, 0.04),
    "zero share of a series p50": (0.0, 0.0, 0.46),
    "zero share of a series p90": (0.57, 0.0, 0.79),
    "mean of a series p5": (0.345, 1849.5, 0.7),
    "mean of a series p25": (108.2, 3615.2, 3.0),
    "mean of a series p50": (630.7, 6416.1, 8.7),
    "mean of a series p75": (1847.8, 13940.3, 23.5),
    "mean of a series p95": (5757.6, 25170.8, 95.5),
    "volume in the top fifth": (0.666, 0.468, 0.71),
    "Taylor's exponent": (1.369, 1.962, 1.71),
    "smooth": (0.757, 0.269, 0.04),
    "erratic": (0.099, 0.731, 0.26),
    "intermittent": (0.067, 0.0, 0.14),
    "lumpy": (0.077, 0.0, 0.56),
    "autocorrelation at 1 weeks": (0.578, 0.2, 0.16),
    "autocorrelation at 4 weeks": (0.333, 0.132, 0.09),
    "autocorrelation at 13 weeks": (0.019, 0.053, -0.04),
    "autocorrelation at 52 weeks": (0.641, 0.067, None),
    "correlation with last year p10": (0.063, -0.088, None),
    "correlation with last year p50": (0.648, 0.062, None),
    "correlation with last year p90": (0.854, 0.222, None),
    "variance shared in a week": (0.034, 0.031, 0.07),
    "variance shared by the group in a week": (0.542, 0.792, 0.1),
    "growth on last year p10": (-0.173, -0.636, None),
    "growth on last year p50": (0.019, -0.006, None),
    "growth on last year p90": (0.196, 0.505, None),
    "no sales in the last quarter": (0.075, 0.0, None),
    "begun within the last year": (0.022, 0.0, None),
    "local variation, decile 1": (2.0, 0.794, 1.91),
    "zero weeks, decile 1": (0.821, 0.0, 0.74),
    "local variation, decile 2": (0.601, 0.768, 1.8),
    "zero weeks, decile 2": (0.183, 0.0, 0.66),
    "local variation, decile 3": (0.256, 0.754, 1.77),
    "zero weeks, decile 3": (0.023, 0.0, 0.6),
    "local variation, decile 4": (0.202, 0.555, 1.59),
    "zero weeks, decile 4": (0.009, 0.0, 0.51),
    "local variation, decile 5": (0.179, 0.437, 1.54),
    "zero weeks, decile 5": (0.013, 0.0, 0.46),
    "local variation, decile 6": (0.164, 0.415, 1.53),
    "zero weeks, decile 6": (0.009, 0.0, 0.45),
    "local variation, decile 7": (0.151, 0.965, 1.33),
    "zero weeks, decile 7": (0.007, 0.0, 0.34),
    "local variation, decile 8": (0.14, 0.997, 1.3),
    "zero weeks, decile 8": (0.0, 0.0, 0.28),
    "local variation, decile 9": (0.111, 1.118, 1.04),
    "zero weeks, decile 9": (0.0, 0.0, 0.18),
    "local variation, decile 10": (0.078, 1.207, 0.91),
    "zero weeks, decile 10": (0.0, 0.0, 0.11),
    "two weeks before Christmas: all sales": (1.309, None, None),
    "two weeks before Christmas: by product p10": (0.929, None, None),
    "two weeks before Christmas: by product p90": (2.654, None, None),
    "week before Christmas: all sales": (1.674, None, None),
    "week before Christmas: by product p10": (1.001, None, None),
    "week before Christmas: by product p90": (3.774, None, None),
    "week after Christmas: all sales": (0.88, None, None),
    "week after Christmas: by product p10": (0.664, None, None),
    "week after Christmas: by product p90": (1.123, None, None),
    "Thanksgiving: all sales": (1.301, None, None),
    "Thanksgiving: by product p10": (0.797, None, None),
    "Thanksgiving: by product p90": (1.761, None, None),
    "Super Bowl: all sales": (1.104, None, None),
    "Super Bowl: by product p10": (0.971, None, None),
    "Super Bowl: by product p90": (1.487, None, None),
    "week before Easter: all sales": (1.111, None, None),
    "week before Easter: by product p10": (0.95, None, None),
    "week before Easter: by product p90": (1.266, None, None),
    "warmth: all sales": (0.019, None, None),
    "warmth: by product p10": (-0.028, None, None),
    "warmth: by product p90": (0.073, None, None),
    "price elasticity p10": (None, -3.606, None),
    "price elasticity p50": (None, -2.419, None),
    "price elasticity p90": (None, -1.109, None),
    "log lift of a feature p10": (None, 0.276, None),
    "log lift of a feature p50": (None, 0.641, None),
    "log lift of a feature p90": (None, 1.148, None),
    "variance promotion explains p10": (None, 0.402, None),
    "variance promotion explains p50": (None, 0.566, None),
    "variance promotion explains p90": (None, 0.714, None),
    "residual deviation in log p10": (None, 0.213, None),
    "residual deviation in log p50": (None, 0.405, None),
    "residual deviation in log p90": (None, 0.769, None),
    "weeks with a feature": (None, 0.189, None),
    "weeks on deal": (None, 0.447, None),
}

# Where one set alone knows a figure, its spread over series or products stands in for the span over sets.
OWN_SPREAD = {
    f"{name}{middle}": (f"{name}{low}", f"{name}{high}")
    for names, middle, low, high in (
        (PROMOTION, " p50", " p10", " p90"),
        ((*EVENTS, "warmth"), ": all sales", ": by product p10", ": by product p90"),
    )
    for name in names
}
SHOWN_ONLY = {bound for bounds in OWN_SPREAD.values() for bound in bounds}
EITHER_SIDE = {"weeks with a feature": 0.05, "weeks on deal": 0.05}
ROUNDING = 0.005


def span(name: str) -> tuple[float, float] | None:
    """Lowest and highest value of a figure that real series bear out; None where it is shown, not judged."""
    if name in SHOWN_ONLY:
        return None
    sources = OWN_SPREAD.get(name, (name,))
    known = [value for source in sources for value in MEASURED[source] if value is not None]
    slack = EITHER_SIDE.get(name, ROUNDING)
    return min(known) - slack, max(known) + slack


def outside(figures: Mapping[str, float]) -> dict[str, tuple[float, tuple[float, float]]]:
    """The judged figures that lie outside their span: name -> value and span."""
    judged = {name: (value, span(name)) for name, value in figures.items()}
    return {
        name: (value, ends)
        for name, (value, ends) in judged.items()
        if ends and not ends[0] <= value <= ends[1]
    }
