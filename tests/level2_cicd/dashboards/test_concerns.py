from dataclasses import replace

import pandas as pd
import pytest

from level2_cicd.dashboards.accuracy import accuracy
from level2_cicd.dashboards.concerns import ATTENTION, GOOD, NOTHING, PROBLEM, concerns
from level2_cicd.dashboards.gathered import Elsewhere, gather
from level2_cicd.dashboards.reading import Part
from level2_cicd.dashboards.segments import segment_table
from level2_cicd.dashboards.verdicts import training_verdict, verdict


@pytest.fixture(scope="module")
def found(small_store):
    return gather(small_store, None, Elsewhere())


def texts(found, table=None):
    return [each.text for each in concerns(found, segment_table(found) if table is None else table)]


def test_everything_that_needs_a_look_is_said(found):
    said = " | ".join(texts(found))
    for words in (
        "Retraining was called for on 2026-11-16. MAPE of R01-large-fast rose",
        "Older than 60 days, the oldest 83: the models of 1 of the segments",
        "Served by the model of before",
        "Served by the historical average",
        "1 input has drifted beyond the limit in 4 of the segments: temperature.",
        "Data of the last week are incomplete in R01: 0 rows missing, 4 late.",
    ):
        assert words in said


def test_a_damaged_file_is_the_worst_and_comes_first(found):
    broken = replace(found, quality=Part(fault="quality.parquet cannot be read: cut off."))
    every = concerns(broken, segment_table(broken))
    assert (every[0].level, every[0].text) == (PROBLEM, "quality.parquet cannot be read: cut off.")
    assert verdict(broken, segment_table(broken), every).level == PROBLEM


def test_segments_worse_than_the_average_are_a_problem_from_a_tenth_of_them_on(found):
    table = segment_table(found).assign(recent_mape=90.0, recent_baseline_mape=80.0, source="champion")
    every = concerns(found, table)
    assert [e.level for e in every if e.text.startswith("Worse than the historical average")] == [PROBLEM]
    one = table.assign(recent_mape=[90.0] + [10.0] * (len(table) - 1))
    one = pd.concat([one, one.iloc[1:]], ignore_index=True)  # 1 of 15
    assert [e.level for e in concerns(found, one) if e.text.startswith("Worse")] == [ATTENTION]


def test_intervals_that_hold_too_little_are_said(found):
    low = found.quality.value.assign(coverage=70.0)
    assert "Intervals hold 70 % of what came, where 90 % is promised." in texts(
        replace(found, quality=Part(low))
    )


def test_nothing_to_look_at_is_good(found):
    table = segment_table(found).assign(source="champion", stale=False)
    calm = replace(found, decisions=Part([]), drift=Part(), data_quality=Part())
    assert concerns(calm, table) == []
    assert verdict(calm, table, []).level == GOOD


def test_an_empty_store_is_neither_good_nor_bad(tmp_path):
    nothing = gather(tmp_path, None, Elsewhere())
    table = segment_table(nothing)
    assert verdict(nothing, table, concerns(nothing, table)).level == NOTHING
    assert training_verdict(nothing, table).headline == "Nothing has been trained yet."


def test_accuracy_is_of_the_last_weeks_where_they_were_watched_else_of_the_weeks_that_judged(found):
    assert accuracy(found).of == "the last 4 weeks"
    assert accuracy(replace(found, quality=Part())).mape == 33.4
    assert accuracy(replace(found, quality=Part(), run=Part())).mape is None


def test_the_last_weeks_weigh_by_rows(found):
    rows = found.quality.value
    week = rows["week"].max()
    pair = (
        rows[(rows["week"] == week) & (rows["method"] == "champion")]
        .iloc[:2]
        .assign(n=[10, 30], mape=[20.0, 40.0])
    )
    assert accuracy(replace(found, quality=Part(pair))).mape == 35.0  # (10 x 20 + 30 x 40) / 40


def test_training_is_judged_by_its_target_and_its_gate(found):
    table = segment_table(found)
    met = int((table["verdict"] == "meets").sum())
    refused = int((table["decision"] == "refused").sum())
    said = training_verdict(found, table)
    assert said.level == ATTENTION
    assert said.headline == f"{met} of 8 segments meet the target, {refused} were turned down by the gate."
    fine = table.assign(verdict="meets", decision="passed")
    assert training_verdict(found, fine).level == GOOD


def test_drift_of_another_week_than_the_last_does_not_count(found):
    earlier = found.drift.value[
        found.drift.value["week"] < found.drift.value["week"].max() - pd.Timedelta(weeks=3)
    ]
    assert not any("drifted" in text for text in texts(replace(found, drift=Part(earlier))))
