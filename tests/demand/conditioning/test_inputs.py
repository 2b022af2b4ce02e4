"""Weather, events and prices on the rows of weekly and outlook, held against sums done by hand."""

from dataclasses import replace

import pandas as pd
from builders import PRODUCTS, START, events, monday, own, prices, raw_tables, weather

from demand.conditioning import condition


def test_temperature_is_the_mean_of_the_days_middles_and_precipitation_the_weeks_sum() -> None:
    weekly = own(condition(raw_tables()).weekly)
    # Middles of the days are 15, 16, ... 21: mean 18. Six known days with 1 mm: 7 x 6/6.
    assert set(weekly["temperature"]) == {18.0}
    assert set(weekly["precipitation"]) == {7.0}


def test_weather_weeks_ahead_come_from_a_forecast_of_four_days_and_else_from_the_climate() -> None:
    first = monday(60).date()
    eleven_days = weather(first, 11).assign(
        temp_min_c=0.0, temp_max_c=2.0
    )  # week 60 whole, 4 days of week 61
    outlook = own(condition(raw_tables(weather_forecast=eleven_days)).outlook)
    assert outlook["temperature"].tolist() == [1.0, 1.0] + [18.0] * 6
    outlook = own(
        condition(
            raw_tables(weather_forecast=eleven_days[eleven_days["date"] < eleven_days["date"].max()])
        ).outlook
    )
    assert outlook["temperature"].tolist() == [1.0] + [18.0] * 7  # 3 days of week 61 are too few


def test_the_climate_is_the_mean_of_the_same_fiscal_week_of_the_same_place() -> None:
    raw = raw_tables(
        weather_forecast=None, weeks=113
    )  # 2017-01-02 to 2019-02-25: the outlook's weeks twice or more
    assert raw.weather_history is not None
    history = raw.weather_history
    warm = (history["postal_code"] == "01234") & history["date"].between(
        "2018-03-05", "2018-03-11"
    )  # ISO week 10
    hot = history.assign(temp_max_c=history["temp_max_c"] + 8.0 * warm)  # middle + 4
    outlook = condition(replace(raw, weather_history=hot)).outlook
    # Week 10 of 2017 had 18, of 2018 22: mean 20; its neighbours 18.
    assert own(outlook)["temperature"].tolist() == [20.0] + [18.0] * 7
    assert own(outlook, "S2")["temperature"].tolist() == [18.0] * 8


def test_weather_of_weeks_without_a_day_and_of_places_without_any_is_unknown() -> None:
    history = weather(START, 60 * 7)
    gone = history["date"].between("2017-01-16", "2017-01-22") | (history["postal_code"] == "60602")
    weekly = condition(raw_tables(weather_history=history[~gone])).weekly
    assert own(weekly)["temperature"].isna().to_numpy().nonzero()[0].tolist() == [2]
    assert own(weekly, "S4")["temperature"].isna().all()


def test_events_are_shares_of_the_weeks_days_in_their_region() -> None:
    weekly = condition(raw_tables()).weekly
    kinds = ["event_holiday", "event_promotion", "event_sport", "event_school"]
    north, south = own(weekly)[kinds].to_numpy(), own(weekly, "S3")[kinds].to_numpy()
    assert north[1].tolist() == south[1].tolist() == [1 / 7, 0, 0, 0]
    assert north[2].tolist() == [0, 1, 2 / 7, 0]
    assert south[2].tolist() == [0, 0, 0, 0]
    assert south[3].tolist() == [0, 0, 0, 1]
    assert own(weekly)["event_name"].iloc[:4].tolist() == ["", "Founders Day", "Cup final", ""]


def test_events_that_overlap_count_each_day_once() -> None:
    twice = pd.concat([events(), events().assign(name="Other")])
    weekly = own(condition(raw_tables(events=twice)).weekly)
    assert weekly["event_sport"].iloc[2] == 2 / 7


def named(*spans: tuple[int, int, str, str]) -> str:
    """The event name of week 4 where these events (first day, last day, name, kind) fall into it."""
    first = monday(4)
    frame = pd.DataFrame(spans, columns=["start", "end", "name", "kind"]).assign(region="*")
    frame = frame.assign(**{day: first + pd.to_timedelta(frame[day], unit="D") for day in ("start", "end")})
    return str(own(condition(raw_tables(events=frame)).weekly)["event_name"].iloc[4])


def test_the_name_of_a_week_is_that_of_its_longest_event_then_of_the_holiday_then_of_the_first() -> None:
    assert named((0, 0, "A", "holiday"), (1, 2, "B", "sport")) == "B"
    assert named((0, 1, "B", "sport"), (5, 6, "A", "holiday")) == "A"
    assert named((2, 2, "A", "holiday"), (1, 1, "B", "holiday")) == "B"
    assert named((1, 1, "Z", "holiday"), (1, 1, "Y", "holiday")) == "Y"
    assert named((-7, 0, "A", "holiday"), (5, 20, "B", "sport")) == "B"  # only days of the week itself count
    assert named((0, 6, "A", "school"), (0, 6, "B", "promotion")) == ""


def test_events_outside_the_weeks_of_the_data_change_nothing() -> None:
    far = pd.concat(
        [events(), events().assign(start=pd.Timestamp("2030-01-01"), end=pd.Timestamp("2030-02-01"))]
    )
    early = pd.concat(
        [far, events().assign(start=pd.Timestamp("2000-01-01"), end=pd.Timestamp("2000-02-01"))]
    )
    pd.testing.assert_frame_equal(condition(raw_tables(events=early)).weekly, condition(raw_tables()).weekly)


def test_a_missing_price_is_the_last_known_one_without_promotion() -> None:
    table = prices(68)
    gone = table["week"].isin([monday(0), monday(1), monday(6), monday(7), monday(66)])
    conditioned = condition(raw_tables(prices=table[~gone]))
    for product in PRODUCTS:
        weekly, outlook = own(conditioned.weekly, "S1", product), own(conditioned.outlook, "S1", product)
        assert weekly["price"].iloc[:8].tolist()[2:] == [2, 2, 2, 1.5, 1.5, 1.5]  # week 5 is the promotion
        assert weekly["feature"].iloc[:8].tolist() == [0, 0, 0, 0, 0, 1, 0, 0]
        assert (
            weekly["price"].iloc[:2].isna().all()
        )  # nothing is carried backwards, nor from the series before
        # Week 61 is the promotion of the outlook; week 66 keeps the 2.00 of week 65.
        assert outlook["price"].tolist() == [2, 1.5, 2, 2, 2, 2, 2, 2]


def test_the_price_of_the_outlook_goes_on_from_the_last_known_week() -> None:
    outlook = own(condition(raw_tables(prices=prices(54))).outlook)  # week 53 is a promotion
    assert outlook["price"].tolist() == [1.5] * 8
    assert outlook["feature"].tolist() == [0.0] * 8
