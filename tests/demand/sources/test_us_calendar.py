from datetime import date

import pandas as pd

from demand.sources.us_calendar import easter_sunday, nth_weekday, super_bowl, us_events


def test_moving_holidays_fall_on_their_dates():
    assert [easter_sunday(year) for year in (2010, 2011, 2024)] == [
        date(2010, 4, 4),
        date(2011, 4, 24),
        date(2024, 3, 31),
    ]
    assert nth_weekday(2012, 11, 3, 4) == date(2012, 11, 22)  # Thanksgiving
    assert nth_weekday(2012, 5, 0, -1) == date(2012, 5, 28)  # Memorial Day
    assert nth_weekday(2012, 12, 0, -1) == date(2012, 12, 31)
    assert [super_bowl(year) for year in (2010, 2013, 2021, 2022)] == [
        date(2010, 2, 7),
        date(2013, 2, 3),
        date(2021, 2, 7),
        date(2022, 2, 13),
    ]


def test_the_events_of_a_span_are_all_that_touch_it_cut_at_its_ends():
    events = us_events(date(2011, 12, 20), date(2012, 1, 1))
    expected = pd.DataFrame(
        {
            "region": "*",
            "start": pd.to_datetime(["2011-12-20", "2011-12-25", "2011-12-26", "2012-01-01"]).astype(
                "datetime64[us]"
            ),
            "end": pd.to_datetime(["2011-12-24", "2011-12-25", "2011-12-31", "2012-01-01"]).astype(
                "datetime64[us]"
            ),
            "name": ["Week before Christmas", "Christmas", "Week after Christmas", "New Year's Day"],
            "kind": "holiday",
        }
    )
    pd.testing.assert_frame_equal(events, expected, check_dtype=False)


def test_moved_events_keep_their_length_and_order():
    plain = us_events(date(2011, 1, 1), date(2011, 6, 30))
    moved = us_events(date(2011, 1, 3), date(2011, 7, 2), moved_days=2)
    assert moved["name"].tolist() == plain["name"].tolist()
    assert (moved["start"] - plain["start"]).unique().tolist() == [pd.Timedelta(days=2)]
    assert (moved["end"] - plain["end"]).unique().tolist() == [pd.Timedelta(days=2)]


def test_the_days_before_easter_end_where_its_weekend_begins():
    easter = us_events(date(2010, 3, 1), date(2010, 4, 30))[["name", "start", "end"]].astype("str")
    assert easter.to_numpy().tolist() == [
        ["Week before Easter", "2010-03-28", "2010-04-02"],
        ["Easter", "2010-04-03", "2010-04-04"],
    ]
