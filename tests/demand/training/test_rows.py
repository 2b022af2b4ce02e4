from dataclasses import replace
from math import log

import numpy as np
import pandas as pd
import pytest
from panels import NAN, hand_panel

from demand.config import Config, ForecastConfig, TrainingConfig
from demand.features import begin_at
from demand.segments import Segment
from demand.training import build_data_set, build_rows, learn_encoder

CONFIG = Config(forecast=ForecastConfig(horizon=2), training=TrainingConfig(clip=3.0))


def two_products(
    region: str = "R", units: tuple[list[float], ...] = ([1.0, 2.0, 3.0, 6.0], [NAN, NAN, 5.0, 7.0])
):
    """A store's two products over four weeks."""
    keys = {"region": [region] * 2, "store_id": [f"{region}1"] * 2, "product_id": ["P1", "P2"]}
    return hand_panel(units, series=keys)


@pytest.fixture(scope="module")
def data():
    return build_data_set(
        [two_products("R"), two_products("Q", ([10.0, 20.0, 30.0, 40.0], [4.0, NAN, NAN, 2.0]))]
    )


@pytest.fixture(scope="module")
def encoder(data):
    return learn_encoder(data, np.array([2, 3]), CONFIG)


@pytest.fixture(scope="module")
def rows(data, encoder):
    return build_rows(data, encoder, np.array([1, 2]))


def test_series_of_all_panels_stand_below_each_other(data):
    assert data.series["region"].tolist() == ["R", "R", "Q", "Q"]
    assert data.series.index.tolist() == [0, 1, 2, 3]
    assert data.last_week == 3


def test_mean_units_are_of_known_weeks_up_to_the_last_one(data):
    np.testing.assert_allclose(data.mean_units(3), [3, 6, 25, 3])  # (1 + 2 + 3 + 6) / 4; (5 + 7) / 2; ...
    np.testing.assert_allclose(data.mean_units(1), [1.5, NAN, 15, 4])


def test_segments_follow_the_speeds_of_that_week(data):
    segments, of_series, speeds = data.segments(3)
    assert [segment.name for segment in segments] == [
        "Q-large-fast",
        "Q-large-slow",
        "R-large-fast",
        "R-large-slow",
    ]
    assert [segments[i] for i in of_series] == [
        Segment("R", "large", "slow"),
        Segment("R", "large", "fast"),
        Segment("Q", "large", "fast"),
        Segment("Q", "large", "slow"),
    ]
    assert list(speeds) == ["region", "format", "product_id", "speed"]
    earlier = data.segments(1)[1]  # P2 of R has not begun: slow, and P1, alone, is no more than the median
    assert [segments[i].speed for i in earlier] == ["slow", "slow", "fast", "slow"]


def test_panels_of_different_weeks_are_refused():
    early = begin_at(two_products("R"), pd.Timestamp("2019-12-30"))
    message = r"expected one first week, got \['2019-12-30', '2020-01-06'\]. Build them with the same span."
    with pytest.raises(ValueError, match=message):
        build_data_set([early, two_products("Q")])


def test_an_encoder_knows_names_categories_and_scale(data, encoder):
    assert encoder.spec.horizons == (1, 2)
    assert encoder.vocabulary.values[1] == ("Q1", "R1")
    assert encoder.scaler.center.shape == encoder.scaler.scale.shape == (len(encoder.names),)
    assert encoder.scaler.clip == 3.0


def test_the_scale_is_learned_at_the_origins_given_alone(data):
    first = learn_encoder(data, np.array([1]), CONFIG)
    panels = [replace(panel, units=np.where(np.arange(4) > 1, 99, panel.units)) for panel in data.panels]
    other = learn_encoder(build_data_set(panels), np.array([1]), CONFIG)
    np.testing.assert_array_equal(first.scaler.center, other.scaler.center)


def test_rows_are_those_of_each_panel_one_after_the_other(rows):
    found = list(zip(rows.series.tolist(), rows.origin.tolist(), rows.horizon.tolist(), strict=True))
    first = [(0, 1), (0, 2), (1, 2)]
    second = [(2, 1), (2, 2), (3, 1), (3, 2)]
    expected = [(*row, horizon) for part in (first, second) for horizon in (1, 2) for row in part]
    assert found == expected


def test_a_row_has_scaled_features_codes_and_its_target(rows, encoder):
    assert rows.values.shape == (14, len(encoder.names))
    assert np.isfinite(rows.values).all() and np.abs(rows.values).max() <= 3
    np.testing.assert_array_equal(rows.codes[0], [2, 2, 1, 1, 1])  # R, R1, P1, bread, large
    np.testing.assert_array_equal(rows.codes[-1], [1, 1, 2, 1, 1])
    # Origin 1 of R1 P1: level (1 + 2) / 2, offset 1, target 3
    assert (rows.level[0], rows.offset[0], rows.units[0]) == (1.5, 1, 3)
    assert rows.ratio[0] == pytest.approx(log(4 / 2.5))


def test_the_target_is_the_horizon_after_the_origin(rows):
    np.testing.assert_array_equal(rows.target, rows.origin + rows.horizon)


def test_known_rows_have_a_target_that_is_known_by_then(rows):
    found = rows.known(2)
    assert set(zip(found.series, found.target, strict=True)) == {(0, 2), (2, 2)}  # Q1 P2 is unknown in week 2
    assert (
        len(rows.known(3)) == 9
    )  # these 2, and week 3: of series 0, 2 and 3 from both origins, of 1 from one
    assert not np.isnan(rows.known(99).units).any()


def test_rows_can_be_taken_by_index_mask_and_slice(rows):
    np.testing.assert_array_equal(rows.take(np.array([2, 0])).series, rows.series[[2, 0]])
    np.testing.assert_array_equal(rows.take(rows.series == 3).origin, rows.origin[rows.series == 3])
    assert len(rows.take(slice(0, 5))) == 5


def test_series_with_too_short_a_past_have_no_rows(data, encoder):
    found = build_rows(data, encoder, np.array([3]), min_weeks=3)
    assert set(found.series) == {0, 2}  # the others know two weeks


def test_stores_and_products_that_training_has_not_seen_are_unknown(encoder):
    keys = {"region": ["R", "Z"], "store_id": ["R9", "R1"], "product_id": ["P1", "P9"]}
    other = build_data_set([hand_panel([[1.0, 2.0], [3.0, 4.0]], series=keys)])
    found = build_rows(other, encoder, np.array([1]))
    np.testing.assert_array_equal(found.codes[:2], [[2, 0, 1, 1, 1], [0, 2, 0, 1, 1]])
    assert found.values.shape[1] == len(encoder.names)


def test_features_other_than_those_of_training_are_refused(data, encoder):
    lacking = replace(encoder, names=encoder.names[1:])
    message = rf"features: expected those of training, these differ: \['{encoder.names[0]}'\]"
    with pytest.raises(ValueError, match=message):
        build_rows(data, lacking, np.array([1]))
