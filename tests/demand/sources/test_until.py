from datetime import date

import pandas as pd
import pytest
from builders import monday, raw_tables

from demand.errors import DataError
from demand.sources import check_raw


def test_tables_until_an_earlier_week_know_no_later_shipment_and_keep_their_plans() -> None:
    raw = raw_tables()
    early = check_raw(raw.until(monday(49).date()))
    assert early.as_of == monday(49).date()
    assert early.shipments["week"].max() == monday(49)
    assert early.returns is not None and early.returns["week"].max() <= monday(49)
    assert early.prices is raw.prices or (early.prices is not None and len(early.prices) == 16 * 68)


def test_weather_of_later_weeks_counts_as_forecast() -> None:
    raw = raw_tables()
    early = raw.until(monday(49).date())
    assert early.weather_history is not None and early.weather_forecast is not None
    end = monday(50)
    assert early.weather_history["date"].max() == end - pd.Timedelta(days=1)
    assert early.weather_forecast["date"].min() == end
    assert not early.weather_forecast.duplicated(["postal_code", "date"]).any()


def test_a_week_after_the_last_one_is_refused() -> None:
    with pytest.raises(DataError, match=r"expected at most 2018-02-19, .*; got 2018-02-26"):
        raw_tables().until(date(2018, 2, 26))
