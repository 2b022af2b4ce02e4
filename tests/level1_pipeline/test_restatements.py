from dataclasses import replace
from datetime import date

import pytest

from level1_pipeline.restatements import Changes, Delivered, Known, changes, known_of, reading

PARTITIONS = {"R01/2025": "a", "R01/2026": "b", "R02/2025": "c", "R02/2026": "d"}
CODE = {"ingest": "1", "condition": "2"}
KNOWN = Known("run1", "demo", date(2026, 6, 15), PARTITIONS, frozenset({"R01", "R02"}), CODE)
NOW = Delivered(
    "demo", date(2026, 6, 22), PARTITIONS, frozenset({"R01", "R02"}), frozenset(), {**CODE, "train": "9"}
)
SAME = Changes("run1", date(2026, 6, 15))


def without(*names):
    return {name: sha256 for name, sha256 in PARTITIONS.items() if name not in names}


def test_without_an_earlier_run_nothing_is_reported():
    assert changes(None, NOW) == Changes()
    assert changes(None, NOW).sentences() == []


def test_a_delivery_with_one_more_week_restates_nothing():
    assert changes(KNOWN, NOW) == SAME
    assert changes(KNOWN, NOW).sentences() == []


def test_weeks_that_are_not_what_they_were_are_named_by_region_and_year():
    found = changes(KNOWN, replace(NOW, then={**PARTITIONS, "R02/2025": "x", "R01/2026": "y"}))
    assert found == replace(SAME, restated=("R01/2026", "R02/2025"))
    assert found.sentences() == [
        "History was restated since run run1, which knew the weeks up to 2026-06-15: R01/2026, R02/2025."
    ]


def test_a_year_of_a_region_that_is_gone_or_new_in_the_past_is_a_restatement():
    assert changes(KNOWN, replace(NOW, then=without("R01/2025"))).restated == ("R01/2025",)
    assert changes(KNOWN, replace(NOW, then={**PARTITIONS, "R01/2024": "z"})).restated == ("R01/2024",)


def test_a_region_that_vanished_is_said_to_and_is_no_restatement():
    found = changes(KNOWN, replace(NOW, then=without("R02/2025", "R02/2026"), regions=frozenset({"R01"})))
    assert found == replace(SAME, vanished=("R02",))
    assert found.sentences() == [
        "Regions that are gone since run run1, which knew the weeks up to 2026-06-15: R02."
    ]


def test_a_region_that_appeared_is_said_to_and_is_no_restatement():
    then = {**PARTITIONS, "R03/2026": "z"}
    found = changes(KNOWN, replace(NOW, then=then, regions=frozenset({"R01", "R02", "R03"})))
    assert found == replace(SAME, appeared=("R03",))
    assert found.sentences() == [
        "Regions that are new since run run1, which knew the weeks up to 2026-06-15: R03."
    ]


def test_a_region_that_is_refused_now_is_neither_gone_nor_restated():
    then = without("R02/2025", "R02/2026")
    assert changes(KNOWN, replace(NOW, then=then, refused=frozenset({"R02"}))) == SAME


def test_a_region_that_was_refused_then_is_neither_new_nor_restated():
    before = replace(KNOWN, partitions=without("R02/2025", "R02/2026"))
    assert changes(before, NOW) == SAME


def test_a_delivery_that_ends_earlier_is_compared_on_the_years_it_holds_whole():
    shorter = replace(NOW, as_of=date(2026, 3, 2), then={**PARTITIONS, "R01/2026": "cut", "R02/2025": "x"})
    assert changes(KNOWN, shorter).restated == ("R02/2025",)


@pytest.mark.parametrize(
    ("now", "reason"),
    [
        (replace(NOW, name="walmart"), "run run1 had the data set demo, this one is walmart"),
        (replace(NOW, components={**CODE, "ingest": "7"}), "the code that reads or conditions is not that"),
        (
            replace(NOW, components={**CODE, "condition": "7"}),
            "the code that reads or conditions is not that",
        ),
    ],
)
def test_what_cannot_be_compared_says_why(now, reason):
    found = changes(KNOWN, replace(now, then={}))
    assert reason in found.not_compared and found.restated == ()
    assert found.sentences() == [f"History was not compared: {found.not_compared}."]


def test_what_a_run_knew_is_in_its_record():
    record = {
        "run_id": "run1",
        "data": {"name": "demo", "as_of": "2026-06-15", "partitions": PARTITIONS},
        "refused_regions": {"R09": "no rows"},
        "versions": {"components": {**CODE, "train": "9"}},
    }
    assert known_of(record) == replace(KNOWN, regions=frozenset({"R01", "R02", "R09"}))


@pytest.mark.parametrize("record", [None, {}, {"run_id": "a"}, {"run_id": "a", "data": {"name": "demo"}}])
def test_a_record_that_does_not_say_knows_nothing(record):
    assert known_of(record) is None


def test_only_code_that_hashes_depend_on_is_compared():
    assert reading({"ingest": "1", "train": "2"}) == {"ingest": "1"}
