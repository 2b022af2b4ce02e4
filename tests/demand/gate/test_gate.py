from dataclasses import replace
from math import inf, isnan, nan

import numpy as np
import pandas as pd
import pytest
from gates import FAST, OURS, SLOW, joined, judged_rows

from demand.config import Config, GateConfig
from demand.contracts import columns
from demand.gate import gate_table, judge_gate
from demand.segments import Segment

# Champions that are as bad on average (20 %), worse and better in single series.
EQUAL = (0.102, 0.297, 0.163, 0.238, 0.217, 0.183)
LIKE_OURS = (1.02, 0.98, 1.01, 1.00, 1.015, 0.985)


def verdict(table, segment=FAST, segments=(FAST,), **gate):
    config = Config(gate=replace(GateConfig(draws=500), **gate))
    return judge_gate(table, list(segments), config)[segment]


def worse(factor):
    """Our errors times `factor`, against a champion whose errors are like ours give or take two percent."""
    champion = [each * change for each, change in zip(OURS, LIKE_OURS, strict=True)]
    return judged_rows([factor * each for each in OURS], champion=champion)


def same(one, other):
    """Whether two verdicts say the same."""
    pd.testing.assert_frame_equal(gate_table({FAST: one}), gate_table({FAST: other}))
    return True


def test_a_model_that_beats_the_baseline_passes_where_there_is_no_champion():
    found = verdict(judged_rows())
    assert found.passed and not found.alarm and found.decision == "passed"
    assert (found.n, found.mape, found.baseline_mape) == pytest.approx((48, 20, 100))
    assert found.baseline_ratio == pytest.approx(0.2) and 0.2 < found.baseline_upper < 0.4
    assert isnan(found.champion_mape) and isnan(found.champion_ratio) and isnan(found.champion_upper)
    assert found.reason == (
        "Better than the historical average: MAPE 20.0 % against 100.0 %, ratio 0.200, at most "
        f"{found.baseline_upper:.3f}; there is no champion to compare with."
    )


def test_a_table_without_the_column_champion_has_no_champion():
    rows = judged_rows()
    assert same(verdict(rows.drop(columns="champion")), verdict(rows))


def test_a_model_as_good_as_the_champion_passes_and_says_how_they_compare():
    found = verdict(judged_rows(champion=EQUAL))
    assert found.passed
    assert (found.champion_mape, found.champion_ratio) == pytest.approx((20, 1))
    assert found.champion_lower < 1 < found.champion_upper
    assert "; as good as the champion (MAPE 20.0 %): ratio 1.000, between 0." in found.reason


@pytest.mark.parametrize(("factor", "passed"), [(0.9, True), (1.04, True), (1.06, False), (1.2, False)])
def test_a_model_that_is_measured_worse_than_the_champion_beyond_the_margin_is_refused(factor, passed):
    found = verdict(worse(factor))
    assert found.passed == passed and not found.alarm
    assert found.champion_ratio == pytest.approx(factor, rel=0.005)
    if not passed:
        share = f"{100 * (found.champion_ratio - 1):.1f}"
        assert found.reason.startswith(f"{share} % worse than the champion (MAPE 20.0 %): ratio 1.")
        assert found.reason.endswith("; expected at most 1.05 (gate.margin).")


def test_the_margin_and_the_limit_can_be_set():
    assert verdict(worse(1.1), margin=0.2, limit=0.2).passed
    assert not verdict(worse(1.1), margin=0.2, limit=0.1).passed
    assert not verdict(worse(1.04), margin=0.0).passed


def test_a_model_that_may_be_far_worse_than_the_champion_by_chance_is_refused():
    found = verdict(judged_rows(champion=OURS[::-1]))
    assert found.champion_ratio == pytest.approx(1) and found.champion_upper > 1.1
    assert not found.passed
    assert found.reason.startswith("Too uncertain: as good as the champion (MAPE 20.0 %): ")
    assert found.reason.endswith("; expected certainly below 1.1 (gate.limit).")


def test_a_model_as_good_as_the_champion_in_every_series_passes():
    assert verdict(judged_rows(champion=OURS)).passed


def test_a_model_like_the_baseline_is_refused():
    found = verdict(judged_rows((0.9, 1.3, 0.7, 1.1, 1.2, 0.8)))
    assert not found.passed and not found.alarm
    assert found.reason == (
        "Not certainly better than the historical average: MAPE 100.0 % against 100.0 %, ratio 1.000, "
        f"at most {found.baseline_upper:.3f}; expected below 1."
    )


def test_a_model_that_may_be_better_than_the_baseline_by_chance_is_refused():
    found = verdict(judged_rows((0.1, 0.2, 0.9, 1.6, 0.1, 1.1)))
    assert found.baseline_ratio == pytest.approx(4 / 6) and found.baseline_upper > 1 and not found.passed


def test_a_model_exactly_as_good_as_the_baseline_is_refused():
    assert not verdict(judged_rows(OURS, baseline=OURS)).passed


def test_both_reasons_are_told_where_there_are_two():
    found = verdict(judged_rows((0.9, 1.3, 0.7, 1.1, 1.2, 0.8), champion=OURS))
    assert len(found.reasons) == 2
    assert "historical average" in found.reasons[0] and "400.0 % worse" in found.reasons[1]


def test_a_baseline_without_error_cannot_be_beaten():
    assert not verdict(judged_rows(baseline=0.0)).passed


def test_a_champion_without_error_cannot_be_followed():
    found = verdict(judged_rows(champion=0.0))
    assert not found.passed and isnan(found.champion_ratio)
    assert found.reason.startswith("The champion's MAPE is exactly 0, its forecasts are what was sold")


def test_a_champion_that_can_be_compared_on_one_series_only_is_refused():
    rows = judged_rows(champion=OURS, weeks=30)
    found = verdict(rows.assign(champion=rows["champion"].where(rows["store_id"] == "S0")))
    assert not found.passed and found.champion_ratio == pytest.approx(1) and isnan(found.champion_upper)
    assert "Too uncertain: as good as the champion" in found.reason


def test_few_rows_prove_nothing():
    enough, few = judged_rows(OURS[:5], weeks=6), judged_rows(OURS[:5], weeks=6).iloc[1:]
    assert verdict(enough).passed
    found = verdict(few)
    assert (found.n, found.passed) == (29, False)
    assert found.reason == "29 rows with sales to judge by, expected at least 30 (gate.minimum_rows)."
    assert verdict(few, minimum_rows=29).passed


def test_weeks_without_sales_or_not_known_do_not_count():
    rows = judged_rows(OURS[:5], weeks=6)
    for unknown in (0.0, nan):
        found = verdict(rows.assign(actual=rows["actual"].where(rows.index > 0, unknown)))
        assert (found.n, found.passed) == (29, False)


def test_weeks_without_sales_are_no_part_of_the_comparison():
    rows = judged_rows(champion=EQUAL)
    nothing = rows.iloc[:8].assign(actual=0.0, ensemble=999.0, upper=999.0, store_id="S9")
    assert same(verdict(joined(rows, nothing)), verdict(rows))


def test_a_champion_that_can_be_compared_on_few_rows_only_is_refused():
    rows = judged_rows(champion=EQUAL)
    found = verdict(rows.assign(champion=rows["champion"].where(rows.index < 29)))
    assert found.reason.startswith("29 rows with sales and a forecast of the champion, expected at least 30")
    assert not found.passed and found.n == 48
    assert verdict(rows.assign(champion=rows["champion"].where(rows.index < 30))).passed


def test_a_champion_is_compared_on_the_rows_that_it_forecast():
    rows = judged_rows(champion=EQUAL)
    known = rows["store_id"] < "S4"
    found = verdict(rows.assign(champion=rows["champion"].where(known)))
    assert found.mape == pytest.approx(20)
    assert found.champion_mape == pytest.approx((10.2 + 29.7 + 16.3 + 23.8) / 4)
    assert found.champion_ratio == pytest.approx((0.1 + 0.3 + 0.16 + 0.24) / (0.102 + 0.297 + 0.163 + 0.238))


def test_one_series_alone_proves_nothing():
    found = verdict(judged_rows((0.2,), weeks=40))
    assert not found.passed and isnan(found.baseline_upper)


ALARMS = {
    "no error at all": (judged_rows((0.0,) * 6), "The MAPE is exactly 0."),
    "a tenth equals": (judged_rows((0.0, *OURS)), "14.3 % of the forecasts equal the actual"),
    "far below the baseline": (judged_rows(baseline=5.0), "The MAPE is 0.040 of the historical average's"),
    "far below the champion": (judged_rows(champion=0.41), "The MAPE is 0.488 of the champion's"),
}


@pytest.mark.parametrize(("table", "message"), ALARMS.values(), ids=ALARMS.keys())
def test_too_good_to_be_true_is_an_alarm_and_never_passes(table, message):
    found = verdict(table)
    assert (found.passed, found.alarm, found.decision) == (False, True, "alarm")
    assert found.reason.startswith("Too good to be true: ") and message in found.reason
    assert found.reason.endswith("Look for what is known only later among the inputs.")


@pytest.mark.parametrize(
    "table",
    [
        judged_rows((0.0, *[0.2, 0.3] * 5)),  # one of eleven series: 9 %
        judged_rows(baseline=3.9),  # 0.051
        judged_rows(champion=0.39),  # 0.513
        judged_rows((2e-6, *OURS)),  # near the actual, and not the actual
    ],
    ids=["equals", "baseline", "champion", "near"],
)
def test_good_is_no_alarm(table):
    assert verdict(table).passed


def test_the_alarms_can_be_set_and_switched_off():
    assert verdict(judged_rows(baseline=5.0), too_good_baseline=0.0).passed
    assert verdict(judged_rows(champion=0.41), too_good=0.4).passed
    assert verdict(judged_rows((0.0, *OURS)), equal_share=0.2).passed
    assert verdict(judged_rows(), too_good_baseline=0.3).alarm


def test_an_alarm_is_raised_on_few_rows_as_well():
    assert verdict(judged_rows((0.0, 0.0), weeks=2)).alarm


def spoilt(column, value):
    """Both segments' rows, one value of the first segment's spoilt."""
    rows = joined(judged_rows(champion=EQUAL), judged_rows(segment=SLOW, champion=EQUAL))
    return rows.assign(**{column: rows[column].where(rows.index != 7, value)})


FAULTS = {
    "forecast not known": (spoilt("ensemble", nan), "column ensemble: expected no missing values; got 1 bad"),
    "forecast infinite": (spoilt("ensemble", inf), "column ensemble: expected a finite number"),
    "forecast negative": (spoilt("ensemble", -1.0), "column ensemble: expected a finite number >= 0"),
    "baseline not known": (spoilt("baseline", nan), "column baseline: expected no missing values"),
    "baseline infinite": (spoilt("baseline", inf), "column baseline: expected a finite number"),
    "actual infinite": (spoilt("actual", inf), "column actual: expected a finite number"),
    "actual negative": (spoilt("actual", -1.0), "column actual: expected a finite number >= 0"),
    "champion infinite": (spoilt("champion", inf), "1 of 48 forecasts of the champion are infinite or neg"),
    "champion negative": (spoilt("champion", -1.0), "1 of 48 forecasts of the champion are infinite or neg"),
    "bounds crossed": (spoilt("lower", 101.0), "expected lower at most upper"),
    "week of another horizon": (
        spoilt("horizon", 9),
        "1 of 48 rows are of a week that is not `horizon` weeks",
    ),
    "no Monday": (spoilt("week", pd.Timestamp("2024-01-02")), "column week: expected the Monday"),
    "row twice": (
        joined(spoilt("lower", 0.0), judged_rows().iloc[:2]),
        "4 of 50 rows share store, product, origin and week with another.",
    ),
    "row of another segment as well": (
        joined(spoilt("lower", 0.0), judged_rows().iloc[:1].assign(region="Q")),
        "1 of 48 rows share store, product, origin and week with another.",
    ),
    "no rows": (judged_rows(segment=SLOW), "No rows: no forecast of this segment could be compared"),
}


@pytest.mark.parametrize(("table", "message"), FAULTS.values(), ids=FAULTS.keys())
def test_a_segment_that_cannot_be_judged_is_refused_and_the_others_are_judged(table, message):
    found = verdict(table, segments=[FAST, SLOW])
    assert not found.passed and not found.alarm and message in found.reason
    assert (found.n, isnan(found.mape)) == (0, True)
    assert verdict(table, SLOW, segments=[FAST, SLOW]).passed


WHOLE = {
    **{name: judged_rows().drop(columns=name) for name in columns("backtest")},
    "too much": judged_rows().assign(guess=1.0),
    "champion twice": pd.concat([judged_rows(), judged_rows()[["champion"]]], axis=1),
    "no segment": judged_rows().assign(speed=np.nan),
}


@pytest.mark.parametrize("table", WHOLE.values(), ids=WHOLE.keys())
def test_a_table_that_is_none_refuses_every_segment(table):
    found = judge_gate(table, [FAST, SLOW], Config())
    assert [each.decision for each in found.values()] == ["refused", "refused"]
    assert all(each.reason.startswith("backtest: expected ") for each in found.values())


@pytest.mark.parametrize("value", ["1", True, "many"])
def test_a_champion_that_is_no_number_is_refused(value):
    found = verdict(judged_rows().assign(champion=value))
    assert not found.passed and "The champion's forecasts are of type" in found.reason


def test_an_empty_table_refuses_every_segment():
    assert not verdict(judged_rows().iloc[:0]).passed


def test_there_is_a_verdict_for_each_segment_asked_for_and_no_other():
    found = judge_gate(judged_rows(), [SLOW, FAST], Config())
    assert list(found) == [SLOW, FAST]
    assert [each.passed for each in found.values()] == [False, True]
    assert [each.segment for each in found.values()] == [SLOW, FAST]
    assert judge_gate(judged_rows(), [], Config()) == {}


# Better than the baseline, or than 1.1 of the champion; by chance, that would be seen in 3 or 5 of 100 cases.
HARD = judged_rows((0.5, 1.0, 0.3, 0.9, 0.8, 0.4))
UNSURE = judged_rows(champion=(0.11, 0.276, 0.176, 0.216, 0.2464, 0.171))
OTHERS = [SLOW, Segment("Q", "large", "fast")]


def among(first, *others):
    """The verdict on the first part's segment, judged together with the others'."""
    parts = [
        part.assign(region=place.region, speed=place.speed, store_id=place.name + part["store_id"])
        for part, place in zip((first, *others), (FAST, *OTHERS), strict=False)
    ]
    return verdict(joined(*parts), segments=[FAST, *OTHERS[: len(others)]])


def test_a_finding_against_the_baseline_must_be_clearer_where_others_fail():
    like_the_baseline = judged_rows(OURS, baseline=EQUAL)
    assert verdict(HARD).passed
    found = among(HARD, like_the_baseline, like_the_baseline)
    assert not found.passed and found.baseline_upper > 1 > verdict(HARD).baseline_upper


def test_a_finding_against_the_champion_must_be_clearer_where_others_fail():
    far_worse = judged_rows(champion=[each / 1.2 for each in OURS])
    assert verdict(UNSURE).passed
    found = among(UNSURE, far_worse, far_worse)
    assert not found.passed and found.champion_upper > 1.1 > verdict(UNSURE).champion_upper


def test_segments_that_are_clear_cost_the_others_nothing():
    clear = judged_rows(champion=EQUAL)
    assert same(among(HARD, clear, clear), verdict(HARD))
    assert among(UNSURE, clear, clear).champion_upper == pytest.approx(verdict(UNSURE).champion_upper)


def test_segments_without_a_champion_or_without_rows_cost_the_others_nothing():
    assert among(UNSURE, judged_rows()).champion_upper == pytest.approx(verdict(UNSURE).champion_upper)
    assert same(verdict(UNSURE, segments=[FAST, *OTHERS]), verdict(UNSURE))


def test_the_order_of_rows_and_of_segments_changes_nothing():
    table = joined(judged_rows(champion=EQUAL), judged_rows(segment=SLOW))
    shuffled = table.sample(frac=1, random_state=1)[list(table.columns)[::-1]]
    first, second = judge_gate(table, [FAST, SLOW], Config()), judge_gate(shuffled, [SLOW, FAST], Config())
    assert all(same(first[segment], second[segment]) for segment in (FAST, SLOW))


def test_the_table_that_came_in_stays_as_it_was():
    table = judged_rows(champion=EQUAL)
    before = table.copy()
    judge_gate(table, [FAST], Config())
    pd.testing.assert_frame_equal(table, before)


def test_the_gate_as_a_table_has_a_row_per_segment():
    table = joined(judged_rows(champion=EQUAL), judged_rows((0.0,) * 6, segment=SLOW))
    other = Segment("Q", "small", "slow")
    found = gate_table(judge_gate(table, [FAST, SLOW, other], Config()))
    assert list(found) == columns("gate")
    assert found["decision"].tolist() == ["passed", "alarm", "refused"]
    assert found["n"].tolist() == [48, 48, 0]
    assert found["champion_ratio"].isna().tolist() == [False, True, True]
    assert found[["region", "format", "speed"]].iloc[2].tolist() == ["Q", "small", "slow"]


def test_an_endless_bound_is_empty_in_the_table():
    found = judge_gate(judged_rows((0.1, 5.0), baseline=(5.0, 0.1), weeks=20), [FAST], Config())
    assert found[FAST].baseline_upper > 1e9
    endless = {FAST: replace(found[FAST], baseline_upper=inf)}
    assert gate_table(endless)["baseline_upper"].isna().all()


def test_a_gate_over_no_segment_is_an_empty_table():
    assert list(gate_table({})) == columns("gate") and gate_table({}).empty
