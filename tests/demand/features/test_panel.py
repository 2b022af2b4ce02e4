import numpy as np
import pandas as pd
import pytest

from demand.features import begin_at, build_panel
from demand.features.panel import INPUTS, OUTLOOK_WEEKS, SHOPPERS

NAN = np.nan
MONDAY = pd.Timestamp("2021-03-01")


def monday(week: int) -> pd.Timestamp:
    return MONDAY + pd.Timedelta(weeks=week)


def rows(store: str, product: str, weeks: range, **columns: object) -> pd.DataFrame:
    """Conditioned rows of a series; `units` stays out for the outlook."""
    frame = pd.DataFrame({"region": "R", "store_id": store, "product_id": product}, index=range(len(weeks)))
    plain = {
        "format": "large",
        "category": "bread",
        **dict.fromkeys(INPUTS, 0.0),
        **dict.fromkeys(SHOPPERS, NAN),
    }
    return frame.assign(week=[monday(week) for week in weeks], **(plain | {"event_name": ""} | columns))


@pytest.fixture(scope="module")
def weekly() -> pd.DataFrame:
    """S2 P1 known in weeks 0 to 2, S1 P1 in weeks 1 and 2; S2 first, to see the sorting."""
    first = rows("S2", "P1", range(3), units=[5.0, 6.0, 7.0], price=[1.0, 2.0, 3.0], population=200.0)
    second = rows("S1", "P1", range(1, 3), units=[8.0, NAN], event_name=["", "Fair"], population=100.0)
    return pd.concat([first, second], ignore_index=True)


@pytest.fixture(scope="module")
def outlook() -> pd.DataFrame:
    """Two weeks ahead for S2, and for S3, which has no past."""
    known = rows("S2", "P1", range(3, 5), price=[4.0, 5.0], event_name=["Ball", "Fair"], population=200.0)
    return pd.concat([known, rows("S3", "P1", range(3, 5), population=300.0)], ignore_index=True)


@pytest.fixture(scope="module")
def panel(weekly, outlook):
    return build_panel(weekly, outlook)


def test_series_are_sorted_and_units_are_nan_where_a_series_has_no_week(panel):
    assert panel.series["store_id"].tolist() == ["S1", "S2", "S3"]
    assert list(panel.series) == ["region", "store_id", "product_id", "format", "category"]
    np.testing.assert_array_equal(panel.units, [[NAN, 8, NAN], [5, 6, 7], [NAN, NAN, NAN]])
    assert panel.units.dtype == np.float32


def test_weeks_are_the_known_ones_and_those_of_the_outlook(panel):
    assert panel.n_known == 3
    assert panel.weeks.tolist() == [monday(week) for week in range(3 + OUTLOOK_WEEKS)]


def test_inputs_reach_into_the_outlook(panel):
    np.testing.assert_array_equal(panel.inputs["price"][1], [1, 2, 3, 4, 5, *[NAN] * 6])
    assert set(panel.inputs) == set(INPUTS)


def test_shoppers_are_one_value_per_series(panel):
    np.testing.assert_array_equal(panel.shoppers["population"], [100, 200, 300])
    assert np.isnan(panel.shoppers["household_size"]).all()


def test_events_are_codes_of_names_and_0_is_none(panel):
    assert panel.event_names == ("", "Ball", "Fair")
    np.testing.assert_array_equal(panel.event[:2, :6], [[0, 0, 2, 0, 0, 0], [0, 0, 0, 1, 2, 0]])


def test_events_without_a_plain_week_still_leave_0_for_none(weekly, outlook):
    found = build_panel(weekly.assign(event_name="Fair"), outlook.assign(event_name="Ball"))
    assert found.event_names == ("", "Ball", "Fair")
    np.testing.assert_array_equal(found.event[1, :6], [2, 2, 2, 1, 1, 0])


def test_a_span_gives_the_panels_of_regions_the_same_columns(weekly, outlook):
    found = build_panel(weekly, outlook, (monday(-2), monday(2)))
    assert found.weeks[0] == monday(-2)
    np.testing.assert_array_equal(found.units[1], [NAN, NAN, 5, 6, 7])


@pytest.mark.parametrize(
    ("span", "first", "count"), [((1, 2), monday(0), 1), ((0, 1), monday(2), 2), ((3, 4), monday(0), 5)]
)
def test_a_span_that_leaves_weeks_out_is_refused(weekly, outlook, span, first, count):
    message = (
        rf"weekly, column week: expected Mondays from .* {count} rows outside, the first {first:%Y-%m-%d}"
    )
    with pytest.raises(ValueError, match=message):
        build_panel(weekly, outlook, (monday(span[0]), monday(span[1])))


def test_an_outlook_longer_than_the_panel_is_refused(weekly, outlook):
    far = rows("S2", "P1", range(3 + OUTLOOK_WEEKS, 4 + OUTLOOK_WEEKS))
    with pytest.raises(ValueError, match="outlook, column week: expected Mondays"):
        build_panel(weekly, pd.concat([outlook, far], ignore_index=True))


def test_a_monday_has_a_column(panel):
    assert panel.column(monday(4)) == 4


def test_another_day_has_no_column(panel):
    with pytest.raises(ValueError, match=r"expected a Monday from 2021-03-01 to 2021-05-10; got 2021-03-02"):
        panel.column(monday(0) + pd.Timedelta(days=1))


def test_the_tables_that_came_in_stay_as_they_are(weekly, outlook):
    before = weekly.copy(deep=True), outlook.copy(deep=True)
    build_panel(weekly, outlook)
    pd.testing.assert_frame_equal(weekly, before[0])
    pd.testing.assert_frame_equal(outlook, before[1])


def test_a_panel_can_begin_earlier_and_stays_otherwise_the_same(panel):
    found = begin_at(panel, monday(-2))
    assert found.weeks.tolist() == [monday(week) for week in range(-2, 3 + OUTLOOK_WEEKS)]
    np.testing.assert_array_equal(found.units[1], [NAN, NAN, 5, 6, 7])
    np.testing.assert_array_equal(found.inputs["price"][1, :5], [NAN, NAN, 1, 2, 3])
    np.testing.assert_array_equal(found.event[0, :5], [0, 0, 0, 0, 2])
    assert found.n_known == 5
