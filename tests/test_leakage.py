"""No feature of a forecast may know a week after its origin, and no test of that may be blind."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from demand.features import Panel, build_features, groups, learn_spec
from demand.features.block import Block
from demand.features.panel import INPUTS, OUTLOOK_WEEKS, SHOPPERS
from demand.features.windows import shifted

HORIZON = 4
HIGHEST_R2 = 0.999


@pytest.fixture(scope="module")
def small_panel() -> Panel:
    """Two stores, three products, 125 weeks, every table there; half of the series begin late."""
    random = np.random.default_rng(11)
    weeks = 125
    shape = (6, weeks + OUTLOOK_WEEKS)
    units = random.poisson(12, (6, weeks)).astype(np.float32)
    units[1::2, :40] = np.nan
    keys = {"region": "R", "store_id": ["S1"] * 3 + ["S2"] * 3, "product_id": ["P1", "P2", "P3"] * 2}
    return Panel(
        series=pd.DataFrame({**keys, "format": ["large"] * 3 + ["small"] * 3, "category": "bread"}),
        weeks=pd.date_range("2022-01-03", periods=shape[1], freq="7D"),
        units=units,
        inputs={name: random.integers(1, 4, shape).astype(np.float32) / 2 for name in INPUTS},
        shoppers={name: random.random(6).astype(np.float32) for name in SHOPPERS},
        event=np.broadcast_to(random.integers(0, 3, shape[1]), shape).copy(),
        event_names=("", "Ball", "Fair"),
    )


def other_units(panel: Panel, origin: int, *, spare: int | None = None) -> Panel:
    """The panel with units after `origin` swapped for wild ones, unknown ones too; `spare` keeps a series."""
    random = np.random.default_rng(origin)
    wild = random.lognormal(5, 2, panel.units.shape).astype(np.float32)
    wild[random.random(wild.shape) < 0.2] = np.nan
    wild[random.random(wild.shape) < 0.2] = 0
    changed = np.broadcast_to(np.arange(panel.n_known) > origin, panel.units.shape).copy()
    if spare is not None:
        changed[spare] = False
    return replace(panel, units=np.where(changed, wild, panel.units))


def leaking(panel: Panel, origin: int, *, spare: int | None = None) -> list[str]:
    """Names of inputs of the origin's rows that change with units after it; `spare` looks at one series."""
    spec = learn_spec([panel], HORIZON)
    changed = other_units(panel, origin, spare=spare)
    before, after = (build_features(each, spec, np.array([origin])) for each in (panel, changed))
    assert before.names == after.names
    for column in ("series", "horizon", "origin"):
        np.testing.assert_array_equal(getattr(before, column), getattr(after, column))
    rows = before.series == spare if spare is not None else np.ones(len(before), bool)
    assert rows.any()
    pairs = zip(before.names, before.values[rows].T, after.values[rows].T, strict=True)
    found = [name for name, one, other in pairs if not np.array_equal(one, other, equal_nan=True)]
    scales = [
        name
        for name in ("level", "offset")
        if not np.array_equal(getattr(before, name), getattr(after, name))
    ]
    return found + scales


ORIGINS = [
    12,
    60,
    107,
    118,
]  # a young series, one with last year, one with two, and one with a part of a future


@pytest.mark.parametrize("origin", ORIGINS)
def test_units_after_the_origin_change_no_input(small_panel, origin):
    assert leaking(small_panel, origin) == []


@pytest.mark.parametrize("origin", ORIGINS)
def test_later_units_of_other_series_change_no_input(small_panel, origin):
    assert leaking(small_panel, origin, spare=2) == []


@pytest.mark.parametrize("origin", [20, 75, 120, 145])
def test_units_after_the_origin_change_no_input_of_the_tiny_data(tiny_panels, origin):
    for panel in tiny_panels:
        assert leaking(panel, origin) == []


def test_the_swapped_units_are_the_targets(small_panel):
    """What the tests above change must be what is forecast: else they could not fail."""
    spec = learn_spec([small_panel], HORIZON)
    tables = [build_features(p, spec, np.array([60])) for p in (small_panel, other_units(small_panel, 60))]
    assert not (tables[0].units == tables[1].units).any()


def test_units_up_to_the_origin_do_change_inputs(small_panel):
    changed = other_units(small_panel, 59)
    spec = learn_spec([small_panel], HORIZON)
    before, after = (build_features(each, spec, np.array([60])) for each in (small_panel, changed))
    lag = before.names.index("lag_0")
    assert not np.array_equal(before.values[:, lag], after.values[:, lag])


def test_lags_that_are_off_by_one_are_caught(small_panel, tiny_panels, monkeypatch):
    past = Block.past
    monkeypatch.setattr(Block, "past", lambda block, weeks: past(block, weeks - 1))
    for panel, origin in ((small_panel, 60), (tiny_panels[0], 75)):
        assert {"lag_0", "faded_mean", "quantile_50"} <= set(leaking(panel, origin))


def test_group_means_that_are_off_by_one_are_caught(small_panel, monkeypatch):
    """Other series carry the future in as well: their mean of the week after the origin."""
    monkeypatch.setattr(groups, "shifted", lambda values, at: shifted(values, at + 1))
    assert "product_lag_0" in leaking(small_panel, 60, spare=2)


def test_a_level_that_looks_ahead_is_caught(small_panel, monkeypatch):
    level_at = Block.level_at
    monkeypatch.setattr(Block, "level_at", lambda block, at: level_at(block, at + 1))
    assert {"level", "offset", "log_level"} <= set(leaking(small_panel, 60))


def test_the_plan_of_later_weeks_is_an_input(small_panel):
    """Prices, promotions, weather and events after the origin are known ahead; what was sold is not."""
    spec = learn_spec([small_panel], HORIZON)
    later = np.arange(len(small_panel.weeks)) > 60
    doubled = {name: np.where(later, 2 * values, values) for name, values in small_panel.inputs.items()}
    before, after = (
        build_features(each, spec, np.array([60]))
        for each in (small_panel, replace(small_panel, inputs=doubled))
    )
    same = [
        np.array_equal(one, other, equal_nan=True)
        for one, other in zip(before.values.T, after.values.T, strict=True)
    ]
    moved = {name for name, alike in zip(before.names, same, strict=True) if not alike}
    assert {"price", "feature_target", "temperature", "holiday_days_+0", "rival_price_least"} <= moved
    of_the_past = {"lag_0", "mean_4", "year_ago_+0", "log_level", "featured_level_52", "product_lag_0", "age"}
    assert not of_the_past & moved


def explained(panels: list[Panel], horizon: int) -> float:
    """R2 of a linear model on all inputs for the target's log ratio at one horizon, over many origins."""
    spec = learn_spec(panels, horizon)
    tables = [build_features(panel, spec, np.arange(30, panel.n_known - horizon, 4)) for panel in panels]
    values, target = [], []
    for table in tables:
        rows = (table.horizon == horizon) & ~np.isnan(table.units)
        ratio = np.log((table.units + table.offset) / (table.level + table.offset))
        values.append(np.nan_to_num(table.values[rows]))
        target.append(ratio[rows])
    columns, wanted = np.concatenate(values).astype(np.float64), np.concatenate(target).astype(np.float64)
    columns = np.column_stack([columns / (np.abs(columns).max(axis=0) + 1e-9), np.ones(len(wanted))])
    assert len(wanted) > 4 * columns.shape[1]  # so that a fit means something
    rest = wanted - columns @ np.linalg.lstsq(columns, wanted, rcond=1e-8)[0]
    return 1 - rest.var() / wanted.var()


@pytest.mark.parametrize("horizon", [1, HORIZON])
def test_no_linear_model_on_the_inputs_knows_the_target(tiny_panels, horizon):
    assert 0.2 < explained(tiny_panels, horizon) < HIGHEST_R2


def test_a_linear_model_on_lags_off_by_one_knows_the_target(tiny_panels, monkeypatch):
    past = Block.past
    monkeypatch.setattr(Block, "past", lambda block, weeks: past(block, weeks - 1))
    assert explained(tiny_panels, 1) > HIGHEST_R2


@pytest.mark.trained
def test_units_after_the_origin_change_nothing_that_is_chosen_or_fitted(tiny_panels, small_config):
    from demand.training import Job, build_data_set, build_rows, choose, fit, learn_encoder

    origin = tiny_panels[0].n_known - 20
    config = replace(small_config, network=replace(small_config.network, min_steps=2))
    config = replace(config, lasso=replace(config.lasso, passes=1, alphas=3))
    found = []
    for panel in (tiny_panels[0], other_units(tiny_panels[0], origin)):
        data = build_data_set([panel])
        job = Job(data, learn_encoder(data, np.arange(8, origin - 8, 8), config), config)
        choices = choose(job, origin)
        ensemble = fit(job, origin, choices)
        rows = build_rows(data, job.encoder, np.array([origin]))
        forecasts = np.stack([model.predict(rows) for model in ensemble.models.values()])
        weights = [(choice.alphas, choice.weight, choice.mape) for choice in choices.values()]
        found.append((weights, forecasts, ensemble.baseline.predict(data.series), ensemble.speeds))
    assert found[0][0] == found[1][0]
    np.testing.assert_array_equal(found[0][1], found[1][1])
    np.testing.assert_array_equal(found[0][2], found[1][2])
    pd.testing.assert_frame_equal(found[0][3], found[1][3])
