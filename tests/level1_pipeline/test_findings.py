import pandas as pd
import pytest

from level1_pipeline.findings import degraded, drifted, restated

WEEK = pd.Timestamp("2026-06-15")
NO_QUALITY = pd.DataFrame(columns=["region", "format", "speed", "week", "horizon", "method", "n", "mape"])


def signal(region: str, name: str, value: float, limit: float = 0.2, segment: tuple[str, str] = ("*", "*")):
    return {
        "region": region,
        "format": segment[0],
        "speed": segment[1],
        "week": WEEK,
        "signal": name,
        "value": value,
        "limit": limit,
        "n": 100,
    }


def drift(speed: str, value: float, measure: str = "wasserstein", region: str = "R01"):
    return {
        "region": region,
        "format": "large",
        "speed": speed,
        "week": WEEK,
        "feature": "temperature",
        "measure": measure,
        "value": value,
        "limit": 4.0,
        "n": 30,
    }


def line(method: str, mape: float, n: int = 30, speed: str = "fast"):
    return {
        "region": "R01",
        "format": "large",
        "speed": speed,
        "week": WEEK,
        "horizon": 1,
        "method": method,
        "n": n,
        "mape": mape,
    }


def test_a_shift_counts_in_both_directions_and_an_error_only_as_it_rises():
    rows = [
        signal("R01", "level_shift", 0.3),
        signal("R02", "level_shift", -0.3),
        signal("R03", "error_rise", 0.3),
        signal("R04", "error_rise", -0.3),
    ]
    assert {each.place for each in degraded(pd.DataFrame(rows), NO_QUALITY)} == {"R01", "R02", "R03"}


def test_a_value_at_its_limit_is_not_above_it():
    assert degraded(pd.DataFrame([signal("R01", "level_shift", 0.2)]), NO_QUALITY) == ()


def test_places_are_named_as_people_name_them():
    rows = [
        signal("*", "error_rise", 0.9),
        signal("R01", "error_rise", 0.6),
        signal("R02", "error_rise", 0.3, segment=("large", "fast")),
    ]
    found = degraded(pd.DataFrame(rows), NO_QUALITY)
    assert [each.place for each in found] == ["all regions", "R01", "R02-large-fast"]
    # e^0.3 = 1.35 and e^0.2 = 1.22
    assert found[2].sentence == "relative error of the forecasts in R02-large-fast moved by +35 %, limit 22 %"


def test_a_segment_no_better_than_the_average_is_degraded():
    rows = pd.DataFrame([line("champion", 90.0), line("champion", 110.0), line("baseline", 95.0)])
    none = pd.DataFrame(columns=list(signal("R", "s", 0)))
    (found,) = degraded(none, rows)  # (90 x 30 + 110 x 30) / 60 = 100
    assert (found.place, found.value, found.limit) == ("R01-large-fast", 100.0, 95.0)
    assert degraded(none, pd.DataFrame([line("champion", 90.0), line("baseline", 95.0)])) == ()


def test_a_segment_with_few_rows_proves_nothing():
    rows = pd.DataFrame([line("champion", 100.0, n=29), line("baseline", 95.0, n=29)])
    assert degraded(pd.DataFrame(columns=list(signal("R", "s", 0))), rows) == ()


@pytest.mark.parametrize(("above", "expected"), [(1, ()), (2, ("R01",)), (4, ("R01",))])
def test_half_of_a_regions_segments_must_drift_alike(above, expected):
    rows = [drift(str(i), 5.0 if i < above else 1.0) for i in range(4)]
    assert tuple(each.place for each in drifted(pd.DataFrame(rows))) == expected


def test_psi_and_ks_are_shown_and_decide_nothing():
    assert drifted(pd.DataFrame([drift("fast", 99.0, measure) for measure in ("psi", "ks")])) == ()


def test_what_could_not_be_compared_neither_drifts_nor_counts_among_the_segments():
    rows = [drift("a", 5.0), drift("b", float("nan")), drift("c", float("nan"))]
    assert [each.place for each in drifted(pd.DataFrame(rows))] == ["R01"]


def test_the_furthest_above_its_limit_comes_first():
    rows = [drift("fast", 5.0, region="R01"), drift("fast", 9.0, region="R02")]
    assert [each.place for each in drifted(pd.DataFrame(rows))] == ["R02", "R01"]


def test_only_what_was_restated_since_the_model_counts():
    actuals = pd.DataFrame(
        {
            "region": "R01",
            "week": WEEK,
            "changed_as_of": pd.to_datetime(["2026-06-22", "2026-06-15", None, None]),
        }
    )
    (found,) = restated(actuals, WEEK.date())
    assert (found.place, found.value) == ("R01", 0.25)
    assert found.sentence == "1 of 4 rows of region R01 were restated for the week of 2026-06-15"
