from math import exp, isnan, log, nan

import numpy as np
import pytest
from gates import judged_rows
from hypothesis import given
from hypothesis import strategies as st

from demand.gate import bounds
from demand.gate.bounds import Ratio, holm_levels, mape_ratio, ratio_of


def ratio(ours, theirs, draws=2000, seed=1):
    return ratio_of(np.column_stack([ours, theirs]).astype(float), draws=draws, seed=seed)


def test_a_ratio_is_of_the_mapes_of_all_rows():
    rows = judged_rows((0.1, 0.3), baseline=(0.4, 0.6), weeks=3)
    rows["actual"] = [5.0, *[10.0] * 5]  # the first row's errors: (11 - 5) / 5 and (14 - 5) / 5
    found = mape_ratio(rows, "baseline", draws=200, seed=1)
    assert found.value == pytest.approx((1.2 + 0.2 + 0.9) / (1.8 + 0.8 + 1.8))
    assert found.series == 2


def test_the_error_of_two_series_is_that_of_their_draws():
    # Drawn are both (ratio 4 / 10) or one of them twice (1 / 2 and 3 / 8), with chances 2, 1 and 1 of 4.
    logs = np.log([0.4, 0.4, 0.5, 0.375])
    expected = logs.std() * np.sqrt(2)
    assert ratio([1, 3], [2, 8], draws=200_000).error == pytest.approx(expected, rel=0.01)


def test_the_error_is_close_to_the_linear_one_where_series_are_many():
    random = np.random.default_rng(3)
    ours, theirs = random.exponential(1, 400), random.exponential(2, 400)
    influence = ours / ours.sum() - theirs / theirs.sum()
    assert ratio(ours, theirs).error == pytest.approx(np.sqrt((influence**2).sum()), rel=0.05)


def test_series_are_drawn_whole_so_copies_of_their_weeks_change_nothing():
    few, many = (
        mape_ratio(judged_rows(baseline=(1, 2, 3, 4, 5, 6), weeks=w), "baseline", draws=100, seed=1)
        for w in (2, 8)
    )
    assert (few.value, few.error, few.series) == pytest.approx((many.value, many.error, 6))


def test_what_both_have_in_common_does_not_blur_the_ratio():
    common = np.array([1, 50, 3, 20, 9])
    assert ratio(1.1 * common, common).value == pytest.approx(1.1)
    assert ratio(1.1 * common, common).error == pytest.approx(0, abs=1e-12)


def test_the_draws_depend_on_the_seed_alone(monkeypatch):
    sums = [1, 2, 3], [3, 2, 2]
    first = ratio(*sums, draws=50)
    assert first == ratio(*sums, draws=50) != ratio(*sums, draws=50, seed=2)
    monkeypatch.setattr(bounds, "CELLS", 7)  # two of the fifty draws at a time
    assert ratio(*sums, draws=50) == first


@pytest.mark.parametrize(
    ("ours", "theirs", "value"),
    [([1], [2], 0.5), ([0, 0], [1, 1], 0), ([1, 1], [0, 0], nan), ([], [], nan), ([1, 0], [0, 1], 1)],
    ids=["one series", "no error of ours", "no error of theirs", "no row", "draws without an error"],
)
def test_where_nothing_is_sure_there_are_no_bounds(ours, theirs, value):
    found = ratio(ours, theirs)
    assert found.value == pytest.approx(value, nan_ok=True)
    assert all(isnan(each) for each in found.bounds(0.05))
    assert isnan(found.chance(1.0))


def test_bounds_lie_students_quantile_times_the_error_away():
    # Student's t with one degree of freedom is 1 at 0.75 and 3.0777 at 0.9; with two 1.8856 at 0.9.
    assert Ratio(0.5, 0.1, 2).bounds(0.25) == pytest.approx((0.5 / exp(0.1), 0.5 * exp(0.1)))
    assert Ratio(2, 0.1, 2).bounds(0.1) == pytest.approx((2 / exp(0.30777), 2 * exp(0.30777)), rel=1e-4)
    assert Ratio(2, 0.1, 3).bounds(0.1) == pytest.approx((2 / exp(0.18856), 2 * exp(0.18856)), rel=1e-4)


def test_bounds_of_hardly_any_series_may_be_endless():
    assert Ratio(1, 9, 2).bounds(1e-6) == (0, float("inf"))


def test_a_chance_is_that_of_the_bound_that_just_touches_one():
    found = Ratio(1.2 * exp(-0.1), 0.1, 2)
    assert found.chance(1.2) == pytest.approx(0.25)
    assert found.bounds(found.chance(1.2))[1] == pytest.approx(1.2)
    assert Ratio(1.2 * exp(0.1), 0.1, 2).chance(1.2) == pytest.approx(0.75)


@pytest.mark.parametrize(("value", "chance"), [(1.0, 0), (1.1, 1), (1.2, 1)])
def test_a_ratio_that_is_the_same_in_every_series_is_certain(value, chance):
    found = Ratio(value, 0.0, 5)
    assert found.chance(1.1) == chance
    assert found.bounds(0.001) == (value, value)


def test_holm_tests_each_finding_more_mildly_than_the_one_before():
    found = holm_levels([0.03, nan, 0.001, 0.02], 0.06)
    assert found == pytest.approx([0.06, 0.02, 0.02, 0.03])  # 0.06 / 3, then / 2, then / 1


def test_holm_stops_at_the_first_finding_that_fails():
    found = holm_levels([0.04, 0.03, 0.001], 0.06)
    assert found == pytest.approx([0.03, 0.03, 0.02])  # 0.03 is not below 0.06 / 2; 0.04 is below 0.06 / 1


def test_equal_findings_have_equal_levels():
    assert holm_levels([0.01, 0.01, 0.02], 0.06) == pytest.approx([0.02, 0.02, 0.06])
    assert holm_levels([0.025, 0.025, 0.001], 0.06) == pytest.approx([0.03, 0.03, 0.02])


def test_holm_without_comparisons_has_the_level_of_one():
    assert holm_levels([], 0.05) == []
    assert holm_levels([nan, nan], 0.05) == [0.05, 0.05]


@given(st.lists(st.floats(0, 1), min_size=1, max_size=60))
def test_holm_finds_whatever_bonferroni_finds_and_nothing_above_the_level(chances):
    found = [chance < at for chance, at in zip(chances, holm_levels(chances, 0.05), strict=True)]
    assert all(each for each, chance in zip(found, chances, strict=True) if chance < 0.05 / len(chances))
    assert not any(each for each, chance in zip(found, chances, strict=True) if chance >= 0.05)
    kept = max((c for c, each in zip(chances, found, strict=True) if each), default=-1)
    assert all(each for each, chance in zip(found, chances, strict=True) if chance < kept)


def test_a_bound_is_wrong_about_as_often_as_it_says():
    random = np.random.default_rng(5)
    wrong = []
    for _ in range(600):
        found = ratio(random.exponential(1, 12), random.exponential(2, 12), draws=150)
        low, high = found.bounds(0.05)
        wrong.append((low > 0.5, high < 0.5))
    assert np.mean(wrong, axis=0) == pytest.approx((0.05, 0.05), abs=0.025)
    assert log(high / low) < 2  # and they are not wide to no purpose
