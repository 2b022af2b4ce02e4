import numpy as np
import pandas as pd
import pytest

from demand.drift import SignalLimits, signals, weekly_errors

LIMITS = SignalLimits()
START = pd.Timestamp("2024-01-01")
KEYS = ["region", "format", "speed"]


def week(number: int) -> pd.Timestamp:
    return START + pd.Timedelta(weeks=number)


def rows_of(actual: list[float], forecast: list[float], number: int = 0, horizon: int = 1) -> pd.DataFrame:
    """One series per actual, of one segment and week."""
    return pd.DataFrame(
        {
            "region": "R1",
            "format": "large",
            "speed": "fast",
            "store_id": [f"S{i}" for i in range(len(actual))],
            "product_id": "P",
            "week": week(number),
            "horizon": horizon,
            "actual": np.array(actual, dtype=float),
            "forecast": np.array(forecast, dtype=float),
        }
    )


def history(regions: int, weeks: int, n: int = 400) -> pd.DataFrame:
    """Errors without any movement: a level of 0.1 and an error of 0.3 in every week."""
    names = [f"R{i}" for i in range(regions)]
    frame = pd.MultiIndex.from_product([names, range(weeks)], names=["region", "week"]).to_frame(index=False)
    found = {"format": "large", "speed": "fast", "level": 0.1, "weight": 50.0, "error": 0.3, "n": n}
    return frame.assign(**found, week=frame["week"].map(week))


def moved(errors: pd.DataFrame, region: str | None, first: int, **changes: float) -> pd.DataFrame:
    late = (errors["week"] >= week(first)) & (errors["region"].eq(region) if region else True)
    return errors.assign(**{name: errors[name] + np.where(late, by, 0) for name, by in changes.items()})


def above(table: pd.DataFrame) -> set[tuple[str, str]]:
    found = table[table["value"].abs() > table["limit"]]
    return set(zip(found["region"], found["signal"], strict=True))


def test_level_and_error_are_means_by_hand():
    found = weekly_errors(rows_of([10.0, 20.0, 0.0], [10.0, 10.0, 5.0]))
    # Weights 1 / (0.08 + 1 / 10) alike, logs 0 and ln 2; errors 0 and |10/20 - 1|; the third sold nothing.
    assert found["level"].tolist() == pytest.approx([np.log(2) / 2])
    assert found["error"].tolist() == pytest.approx([0.25])
    assert found["weight"].tolist() == pytest.approx([2 / 0.18])
    assert found["n"].tolist() == [2]


def test_one_wild_series_moves_a_segment_by_its_share_alone():
    found = weekly_errors(rows_of([10.0, 10.0, 10.0, 10_000.0], [10.0] * 4))
    assert found["level"].tolist() == pytest.approx([0.25])  # ln 1000 counts as 1
    wild = weekly_errors(rows_of([1.0, 1.0], [1.0, 500.0]))
    assert wild["error"].tolist() == pytest.approx([1.0])  # 499 counts as 2


def test_the_horizons_of_a_series_count_as_one():
    both = pd.concat([rows_of([10.0], [10.0], horizon=3), rows_of([10.0], [20.0], horizon=2)])
    found = weekly_errors(both)
    assert found["n"].tolist() == [1]
    assert found["level"].tolist() == pytest.approx([np.log(0.5) / 2])


def test_forecasts_one_week_ahead_count_only_where_there_are_no_others():
    one, two = rows_of([10.0], [10.0]), rows_of([10.0], [20.0], horizon=2)
    assert weekly_errors(one)["level"].tolist() == [0]
    assert weekly_errors(pd.concat([one, two]))["level"].tolist() == pytest.approx([np.log(0.5)])


def test_without_any_movement_every_signal_is_zero():
    table = signals(history(4, 20), week(19), LIMITS)
    assert table["value"].tolist() == pytest.approx([0.0] * len(table))
    assert len(table) == 4 + 4 + 4 + 2


def test_a_region_that_parts_from_the_others_is_named_and_no_other():
    table = signals(moved(history(5, 20), "R2", 18, level=0.2), week(19), LIMITS)
    assert above(table) == {("R2", "level_shift")}
    (value,) = table.loc[(table["region"] == "R2") & (table["signal"] == "level_shift"), "value"]
    assert value == pytest.approx(0.2)


def test_what_moves_all_regions_is_no_region_of_its_own():
    table = signals(moved(history(5, 20), None, 18, level=0.5), week(19), LIMITS)
    assert above(table) == {("*", "level_shift")}


def test_a_rise_of_the_error_is_seen_in_region_and_segment():
    table = signals(moved(history(5, 20), "R2", 18, error=0.3), week(19), LIMITS)
    assert above(table) == {("R2", "error_rise")}
    assert (table.loc[table["value"].abs() > table["limit"], "format"]).tolist() == ["*", "large"]


def test_few_series_need_a_larger_movement():
    by_count = {
        n: above(signals(moved(history(5, 20, n), "R2", 18, level=0.2), week(19), LIMITS)) for n in (9, 400)
    }
    assert by_count == {9: set(), 400: {("R2", "level_shift")}}


def test_two_regions_have_no_common_movement_and_the_wider_limit():
    table = signals(moved(history(2, 20), "R1", 18, level=0.2), week(19), LIMITS)
    assert set(table["region"]) == {"R0", "R1"}
    limits = table.loc[table["signal"] == "level_shift", "limit"]
    assert limits.tolist() == [LIMITS.common_shift] * 2


@pytest.mark.parametrize(("weeks", "rows"), [(7, 0), (8, 14)])
def test_six_weeks_must_lie_before_the_last_two(weeks, rows):
    assert len(signals(history(4, weeks), week(weeks - 1), LIMITS)) == rows


def test_a_region_without_the_last_week_has_no_signal():
    errors = history(4, 20)
    gone = errors[(errors["region"] != "R3") | (errors["week"] < week(19))]
    assert "R3" not in set(signals(gone, week(19), LIMITS)["region"])


def test_no_errors_at_all_give_an_empty_table():
    assert signals(history(4, 20).iloc[:0], week(19), LIMITS).empty
