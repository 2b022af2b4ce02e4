import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import wasserstein_distance

from demand.drift import categorical_psi, ks, psi, unseen_share, wasserstein

NAN = float("nan")
SAMPLES = st.lists(st.floats(-1e3, 1e3), min_size=1, max_size=40)


def test_psi_is_the_sum_over_bins_by_hand():
    # One inner edge, 5: 2 + 2 values before, 1 + 3 now; half a row more in each bin.
    # p = 2.5/5 and 2.5/5, q = 1.5/5 and 3.5/5: (0.3-0.5) ln(0.3/0.5) + (0.7-0.5) ln(0.7/0.5)
    expected = -0.2 * math.log(0.6) + 0.2 * math.log(1.4)
    assert psi([1, 4, 6, 9], [2, 7, 8, 9], bins=2) == pytest.approx(expected)


def test_categorical_psi_is_the_sum_over_categories_by_hand():
    # a: 3.5/5 before and 0.5/5 now, b: 1.5/5 and 4.5/5.
    expected = (0.1 - 0.7) * math.log(0.1 / 0.7) + (0.9 - 0.3) * math.log(0.9 / 0.3)
    assert categorical_psi({"a": 3, "b": 1}, {"b": 4}) == pytest.approx(expected)


def test_ks_is_the_largest_distance_of_the_distribution_functions():
    assert ks([1, 2, 3, 4], [3, 4, 5, 6]) == pytest.approx(0.5)  # at 2: 2/4 against 0/4
    assert ks([1, 2], [1, 2]) == 0


def test_wasserstein_is_the_mean_move_in_standard_deviations():
    # Every value moves by 3; the standard deviation of 1 and 3 is 1.
    assert wasserstein([1, 3], [4, 6]) == pytest.approx(3)


def test_a_reference_that_never_changes_is_measured_in_its_own_unit():
    assert wasserstein([2, 2, 2], [5]) == pytest.approx(3)


def test_unseen_share_counts_rows_not_categories():
    assert unseen_share({"a", "b"}, ["a", "c", "c", "b"]) == 0.5
    assert unseen_share(set(), ["a"]) == 1


@pytest.mark.parametrize("measure", [psi, ks, wasserstein])
def test_without_known_values_there_is_no_figure(measure):
    assert math.isnan(measure([], [1.0]))
    assert math.isnan(measure([1.0], [NAN]))


def test_without_categories_there_is_no_figure():
    assert math.isnan(categorical_psi({}, {"a": 1}))
    assert math.isnan(unseen_share({"a"}, []))


@pytest.mark.parametrize("measure", [psi, ks, wasserstein])
def test_values_that_are_not_known_do_not_count(measure):
    assert measure([1, NAN, 2, 5], [2, 7, NAN]) == measure([1, 2, 5], [2, 7])


@given(SAMPLES, SAMPLES)
def test_ks_and_wasserstein_agree_with_their_definitions(before, now):
    shares = [abs(np.mean(np.array(before) <= x) - np.mean(np.array(now) <= x)) for x in before + now]
    assert ks(before, now) == pytest.approx(max(shares))
    spread = np.std(before) or 1.0
    assert wasserstein(before, now) == pytest.approx(wasserstein_distance(before, now) / spread)


@given(SAMPLES)
def test_a_sample_does_not_drift_from_itself(sample):
    assert (psi(sample, sample), ks(sample, sample), wasserstein(sample, sample)) == (0, 0, 0)


@given(SAMPLES, SAMPLES)
def test_no_measure_is_negative_or_infinite(before, now):
    for measure in (psi, ks, wasserstein):
        assert 0 <= measure(before, now) < float("inf")
