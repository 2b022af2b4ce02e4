from dataclasses import asdict

import pytest

from demand.config import Config
from level1_pipeline.tuning.space import SPACE, configured, rounded, values_of, within_bounds


def test_every_parameter_is_a_setting_whose_default_lies_within_its_bounds():
    defaults = values_of(Config())
    assert set(defaults) == {each.name for each in SPACE}
    for each in SPACE:
        assert each.low <= defaults[each.name] <= each.high


def test_settings_take_the_values_and_nothing_else():
    found = configured(Config(), {"network.dropout": 0.3, "lasso.pool": 0.1, "network.learning_rate": 0.004})
    plain, changed = asdict(Config()), asdict(found)
    assert (changed["network"].pop("dropout"), changed["lasso"].pop("pool")) == (0.3, 0.1)
    assert changed["network"].pop("learning_rate") == 0.004
    del plain["network"]["dropout"], plain["lasso"]["pool"], plain["network"]["learning_rate"]
    assert changed == plain


@pytest.mark.parametrize(("value", "short"), [(0.00123456, 0.00123), (123.456, 123.0), (0.2, 0.2)])
def test_values_have_three_digits(value, short):
    assert rounded(value) == short


def test_settings_outside_the_bounds_are_brought_inside():
    assert within_bounds({**values_of(Config()), "training.half_life": 1e6})["training.half_life"] == 200.0
