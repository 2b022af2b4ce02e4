from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from demand.config import Config, ForecastConfig, TrainingConfig
from demand.errors import DataError
from demand.splits import holdout_origins, training_origins, window


def config(horizon: int = 4, **training: int) -> Config:
    return Config(forecast=ForecastConfig(horizon=horizon), training=TrainingConfig(**training))


configs = st.builds(
    config,
    horizon=st.integers(1, 26),
    validation_weeks=st.integers(4, 52),
    holdout_weeks=st.integers(4, 52),
    min_weeks=st.integers(1, 60),
    stride=st.integers(1, 52),
)


def test_the_window_before_an_origin_is_as_long_as_validation():
    found = window(100, config(validation_weeks=8))
    assert (found.train, found.origin) == (92, 100)


def test_the_window_holds_at_least_one_whole_horizon():
    assert window(100, config(horizon=13, validation_weeks=8)).train == 87


def test_choosing_origins_have_every_target_inside_the_window():
    np.testing.assert_array_equal(window(100, config(validation_weeks=8)).choosing(4), [92, 93, 94, 95, 96])


@given(configs, st.integers(0, 300))
def test_no_target_that_chooses_is_trained_on(settings, origin):
    horizon = settings.forecast.horizon
    try:
        weeks = window(origin, settings)
    except DataError:
        return
    choosing = weeks.choosing(horizon)
    assert choosing.min() + 1 > weeks.train  # the first target of the first origin
    assert choosing.max() + horizon == weeks.origin


@given(configs, st.integers(0, 300))
def test_every_accepted_window_has_origins_to_train_on(settings, origin):
    try:
        weeks = window(origin, settings)
    except DataError:
        return
    origins = training_origins(weeks.train, settings)
    assert len(origins) and origins.min() >= settings.training.min_weeks - 1
    assert origins.max() == weeks.train - 1  # its first target is the last that may train


def test_too_few_weeks_are_refused_with_what_would_do():
    settings = config(validation_weeks=8, min_weeks=8)
    message = (
        r"weeks: expected at least 21 known weeks up to the origin \(training.min_weeks \+ forecast.horizon "
        r"\+ validation\), got 20. Deliver more history, or lower these settings."
    )
    with pytest.raises(DataError, match=message):
        window(19, settings)
    assert window(20, settings).train == 12  # 21 weeks, columns 0 to 20: 8 + 4 to train, 8 to validate


def test_training_origins_step_back_from_the_last_one_with_a_target():
    np.testing.assert_array_equal(training_origins(20, config(min_weeks=8, stride=4)), [7, 11, 15, 19])
    np.testing.assert_array_equal(training_origins(10, config(min_weeks=8)), [7, 8, 9])


def test_holdout_targets_end_with_the_last_week_and_do_not_overlap():
    origins = holdout_origins(100, config(holdout_weeks=8))
    np.testing.assert_array_equal(origins, [92, 96])
    targets = [origin + ahead for origin in origins for ahead in range(1, 5)]
    assert targets == list(range(93, 101))


def test_a_holdout_shorter_than_the_horizon_still_judges_once():
    np.testing.assert_array_equal(holdout_origins(100, config(horizon=13, holdout_weeks=8)), [87])


@given(configs, st.integers(200, 300))
def test_a_model_trained_up_to_the_first_judging_origin_knows_no_judged_target(settings, last):
    origins = holdout_origins(last, settings)
    assert origins.max() + settings.forecast.horizon == last
    assert (np.diff(origins) == settings.forecast.horizon).all()
    trained = training_origins(int(origins[0]), settings)
    assert not len(trained) or trained.max() + 1 <= origins.min()


@given(configs, st.integers(200, 300))
def test_judging_begins_within_the_holdout_where_it_holds_a_horizon(settings, last):
    longer = replace(
        settings.training, holdout_weeks=max(settings.training.holdout_weeks, settings.forecast.horizon)
    )
    origins = holdout_origins(last, replace(settings, training=longer))
    assert origins.min() >= last - longer.holdout_weeks
