import math

import numpy as np
import pandas as pd
import pytest

from demand.sources import RawTables, orange_juice, walmart
from demand.sources.driver_statistics import all_figures, event_figures, promotion_figures, warmth_figures
from demand.sources.real_series import MEASURED, SETS, outside, span
from demand.sources.series_statistics import make_panel, pearson, percentiles, series_figures
from demand.sources.synthetic import generate

YEARS = 143  # weeks: as long as the longest real set, since most figures depend on the length


@pytest.fixture(scope="module")
def synthetic():
    return all_figures(generate("demo").tables, "category", YEARS)


def small(units, *, first="2024-01-01", absent_week="zero", **tables):
    """Raw tables of one store, product P1, P2, ... per row of `units`; None is a week without a row."""
    weeks = pd.date_range(first, periods=len(units[0]), freq="7D").astype("datetime64[us]")
    rows = [
        ("S1", f"P{number}", week, float(value))
        for number, line in enumerate(units, 1)
        for week, value in zip(weeks, line, strict=True)
        if value is not None
    ]
    products = [f"P{number}" for number in range(1, len(units) + 1)]
    return RawTables(
        name="small",
        as_of=weeks[-1].date(),
        absent_week=absent_week,
        shipments=pd.DataFrame(rows, columns=["store_id", "product_id", "week", "units_shipped"]),
        stores=pd.DataFrame({"store_id": ["S1"], "region": "R", "format": "large", "postal_code": "00001"}),
        products=pd.DataFrame({"product_id": products, "category": "food"}),
        **tables,
    )


def test_every_judged_figure_of_the_synthetic_data_lies_inside_the_span_of_real_series(synthetic):
    assert synthetic.keys() == MEASURED.keys()
    assert outside(synthetic) == {}


def test_most_figures_are_judged():
    assert sum(span(name) is not None for name in MEASURED) == 62


def test_a_figure_beyond_its_span_is_named_with_the_span():
    assert span("smooth") == pytest.approx((0.035, 0.762))  # 0.040 to 0.757 and the rounding
    assert outside({"smooth": 0.9, "erratic": 0.5}) == {"smooth": (0.9, span("smooth"))}


def test_a_figure_of_one_set_is_held_against_its_own_spread():
    assert span("price elasticity p50") == pytest.approx((-3.611, -1.104))
    assert span("price elasticity p10") is None
    assert span("Thanksgiving: all sales") == pytest.approx((0.792, 1.766))
    assert span("weeks on deal") == pytest.approx((0.397, 0.497))


@pytest.mark.gate
@pytest.mark.parametrize(
    ("column", "folder", "read"), [(0, "walmart", walmart.read), (1, "dominicks_oj", orange_juice.read)]
)
def test_the_real_sets_have_the_figures_that_are_written_down(real_data, column, folder, read):
    found = all_figures(read(real_data / folder), "product_id")
    written = {name: row[column] for name, row in MEASURED.items() if row[column] is not None}
    assert found.keys() == written.keys(), SETS[column]
    for name, value in written.items():
        assert found[name] == pytest.approx(value, abs=0.0006 if abs(value) < 10 else 0.06), name


def test_a_panel_starts_each_series_at_its_first_sale_and_fills_with_zero():
    raw = small([[None, 3, None, 4], [1, 2, None, None]])
    returns = pd.DataFrame(
        {"store_id": ["S1"], "product_id": ["P1"], "week": raw.shipments["week"].iloc[1:2]}
    )
    panel = make_panel(
        small([[None, 3, None, 4], [1, 2, None, None]], returns=returns.assign(units_returned=1.0))
    )
    np.testing.assert_array_equal(panel.units, [[np.nan, 3, 0, 3], [1, 2, 0, 0]])
    assert panel.keys["category"].tolist() == ["food", "food"]


def test_a_week_without_a_row_stays_unknown_where_the_set_says_so():
    panel = make_panel(small([[5, None, 4], [1, 2, 3]], absent_week="unknown"))
    np.testing.assert_array_equal(panel.units, [[5, np.nan, 4], [1, 2, 3]])


def test_a_panel_of_the_last_weeks_leaves_out_series_that_sold_nothing_in_them():
    panel = make_panel(small([[5, 0, 0], [1, 2, 3]]), last_weeks=2)
    np.testing.assert_array_equal(panel.units, [[2, 3]])


def test_series_fall_into_their_classes():
    weeks = 104
    smooth = [10, 11] * (weeks // 2)
    erratic = [1, 1, 1, 30] * (weeks // 4)
    intermittent = [10, 0] * (weeks // 2)
    lumpy = [1, 0, 30, 0, 1, 0, 1, 0] * (weeks // 8)
    more = [[step + 1 + week % 3 for week in range(weeks)] for step in range(8)]
    found = series_figures(make_panel(small([smooth, erratic, intermittent, lumpy, *more])), "product_id")
    shares = {name: round(12 * found[name]) for name in ("smooth", "erratic", "intermittent", "lumpy")}
    assert shares == {"smooth": 9, "erratic": 1, "intermittent": 1, "lumpy": 1}
    # 52 zero weeks and 4 of 8 x 13 in the two sparse series, of 12 series of 104 weeks
    assert found["zero weeks"] == pytest.approx((52 + 52) / (12 * 104))
    assert found["no sales in the last quarter"] == 0


def test_a_pure_yearly_wave_correlates_with_itself_a_year_before_and_not_a_quarter():
    wave = [
        [round(1000 * math.exp(math.sin(2 * math.pi * week / 52))) + row for week in range(156)]
        for row in range(12)
    ]
    found = series_figures(make_panel(small(wave)), "category")
    assert found["autocorrelation at 52 weeks"] == pytest.approx(1, abs=0.01)
    assert found["autocorrelation at 13 weeks"] == pytest.approx(0, abs=0.1)
    assert found["correlation with last year p50"] > 0.95
    assert found["variance shared by the group in a week"] == pytest.approx(1, abs=0.01)
    assert found["growth on last year p50"] == pytest.approx(0, abs=0.01)


def test_correlation_passes_over_unknown_weeks_and_short_series():
    first = np.vstack([np.arange(25.0), np.arange(25.0)])
    second = 2 * first
    first[0, 3], second[1, :10] = np.nan, np.nan  # 24 common weeks, and 15, too few
    np.testing.assert_allclose(pearson(first, second), [1, np.nan])


def test_percentiles_are_named_by_their_points():
    assert percentiles("x", np.array([1.0, 2.0, 3.0, np.nan]), (0, 50, 100)) == {
        "x p0": 1,
        "x p50": 2,
        "x p100": 3,
    }


def test_an_event_week_is_held_against_the_weeks_around():
    events = pd.DataFrame(
        {"region": ["*"], "start": ["2024-02-11"], "end": ["2024-02-11"], "name": ["Super Bowl"]}
    )
    events = events.assign(
        kind="sport", start=pd.to_datetime(events["start"]), end=pd.to_datetime(events["end"])
    )
    line = [10] * 6 + [30] + [10] * 7  # the seventh week, of Monday 2024-02-05, has the event
    raw = small([line, [2 * units for units in line]], first="2023-12-25", events=events)
    found = event_figures(raw, make_panel(raw))
    assert found == {
        "Super Bowl: all sales": 3,
        "Super Bowl: by product p10": 3,
        "Super Bowl: by product p90": 3,
    }


def test_a_set_without_events_plan_or_weather_has_no_such_figures():
    raw = small([[1, 2, 3], [4, 5, 6]])
    panel = make_panel(raw)
    assert (event_figures(raw, panel), promotion_figures(raw, panel), warmth_figures(raw, panel)) == (
        {},
        {},
        {},
    )


def test_promotion_figures_find_the_elasticity_and_lift_that_were_put_in():
    rng = np.random.default_rng(1)
    weeks = 130
    feature, deal = rng.random(weeks) < 0.2, rng.random(weeks) < 0.4
    price = 2 * (1 - 0.2 * rng.random(weeks))
    units = np.round(100_000 * np.exp(-2.5 * np.log(price) + 0.6 * feature))
    raw = small([units.tolist()])
    plan = raw.shipments.drop(columns="units_shipped").assign(
        price_usd=price, feature=feature * 1.0, deal=deal * 1.0
    )
    raw = small([units.tolist()], prices=plan)
    found = promotion_figures(raw, make_panel(raw))
    assert found["price elasticity p50"] == pytest.approx(-2.5, abs=0.01)
    assert found["log lift of a feature p50"] == pytest.approx(0.6, abs=0.01)
    assert found["variance promotion explains p50"] == pytest.approx(1, abs=0.001)
    assert found["weeks on deal"] == pytest.approx(deal.mean())


def test_a_plan_without_one_feature_has_no_promotion_figures():
    raw = small([[5] * 80])
    plan = raw.shipments.drop(columns="units_shipped").assign(price_usd=1.0, feature=0.0, deal=0.0)
    raw = small([[5] * 80], prices=plan)
    assert promotion_figures(raw, make_panel(raw)) == {}
