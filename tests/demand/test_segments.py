import numpy as np
import pandas as pd

from demand.segments import FAST, SLOW, Segment, assign_segments, every_segment, learn_speeds

NAN = np.nan


def series(*rows: tuple[str, str, str]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["region", "format", "product_id"])


def speeds(keys: pd.DataFrame, *units: float) -> dict[tuple[str, ...], str]:
    found = learn_speeds(keys, np.array(units))
    return {row[:3]: row[3] for row in found.itertuples(index=False, name=None)}


FOUR = series(*(("R", "large", f"P{i}") for i in range(1, 5)))


def test_products_above_the_median_are_fast():
    found = speeds(FOUR, 1.0, 2.0, 3.0, 9.0)  # median 2.5
    assert [found["R", "large", f"P{i}"] for i in range(1, 5)] == [SLOW, SLOW, FAST, FAST]


def test_a_product_at_the_median_is_slow():
    assert set(speeds(FOUR, 5.0, 5.0, 5.0, 5.0).values()) == {SLOW}
    found = speeds(FOUR.head(3), 1.0, 2.0, 3.0)
    assert found["R", "large", "P2"] == SLOW


def test_a_product_counts_by_its_mean_over_stores():
    keys = series(("R", "large", "P1"), ("R", "large", "P1"), ("R", "large", "P2"))
    # P1: (1 + 9) / 2 = 5 against 4
    assert speeds(keys, 1.0, 9.0, 4.0) == {("R", "large", "P1"): FAST, ("R", "large", "P2"): SLOW}


def test_each_region_and_format_has_its_own_median():
    keys = series(("R", "large", "P1"), ("R", "large", "P2"), ("R", "small", "P1"), ("R", "small", "P2"))
    found = speeds(keys, 100.0, 50.0, 1.0, 2.0)
    assert found["R", "large", "P1"] == FAST
    assert found["R", "small", "P1"] == SLOW
    assert found["R", "small", "P2"] == FAST


def test_a_series_without_a_known_week_does_not_count():
    keys = series(("R", "large", "P1"), ("R", "large", "P1"), ("R", "large", "P2"), ("R", "large", "P3"))
    found = speeds(keys, 4.0, NAN, 3.0, NAN)
    assert found == {("R", "large", "P1"): FAST, ("R", "large", "P2"): SLOW, ("R", "large", "P3"): SLOW}


def test_series_get_the_segment_of_their_product_and_an_unseen_one_is_slow():
    learned = learn_speeds(FOUR, np.array([1.0, 2.0, 3.0, 4.0]))
    found = assign_segments(series(("R", "large", "P4"), ("R", "large", "P9"), ("Q", "small", "P4")), learned)
    assert found == [Segment("R", "large", FAST), Segment("R", "large", SLOW), Segment("Q", "small", SLOW)]


def test_a_region_and_format_has_both_speeds_even_where_one_has_no_series():
    found = every_segment(series(("R", "small", "P1"), ("Q", "large", "P1"), ("R", "small", "P2")))
    assert [segment.name for segment in found] == [
        "Q-large-fast",
        "Q-large-slow",
        "R-small-fast",
        "R-small-slow",
    ]


def test_learning_leaves_the_series_as_they_are():
    keys = FOUR.copy(deep=True)
    learn_speeds(keys, np.arange(4.0))
    pd.testing.assert_frame_equal(keys, FOUR)
