import copy
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch

from demand.config import Config
from demand.errors import DataError
from demand.evaluation import evaluate, report, summary
from demand.features import Panel
from demand.models.blend import EQUAL
from demand.models.network import Network, NetworkRows
from demand.segments import Segment
from demand.splits import holdout_origins, training_origins
from demand.training import (
    Choice,
    Ensemble,
    Failed,
    Job,
    Rows,
    build_data_set,
    build_rows,
    choose,
    choosing_origin,
    fit,
    learn_encoder,
    regions,
    train_networks,
)
from demand.training.job import parts_of

pytestmark = pytest.mark.trained


def keep(panel: Panel, rows: np.ndarray) -> Panel:
    """The panel with some of its series."""
    return replace(
        panel,
        series=panel.series[rows].reset_index(drop=True),
        units=panel.units[rows],
        inputs={name: values[rows] for name, values in panel.inputs.items()},
        shoppers={name: values[rows] for name, values in panel.shoppers.items()},
        event=panel.event[rows],
    )


def small_job(panels: list[Panel], config: Config) -> Job:
    """A job of about a second."""
    config = replace(
        config,
        network=replace(config.network, min_steps=4),
        lasso=replace(config.lasso, passes=1, alphas=4),
        training=replace(config.training, stride=8),
    )
    data = build_data_set(panels)
    return Job(data, learn_encoder(data, np.arange(8, data.last_week - 16, 8), config), config)


@pytest.fixture(scope="module")
def one_store(tiny_panels) -> list[Panel]:
    """The series of one store in each region."""
    return [keep(p, (p.series["store_id"] == p.series["store_id"].iloc[0]).to_numpy()) for p in tiny_panels]


@pytest.fixture(scope="module")
def job(one_store, small_config) -> Job:
    return small_job(one_store, small_config)


@pytest.fixture(scope="module")
def choices(job) -> dict[Segment, Choice]:
    return choose(job, job.data.last_week)


@pytest.fixture(scope="module")
def ensemble(job, choices) -> Ensemble:
    return fit(job, job.data.last_week, choices)


def rows_of(job: Job) -> Rows:
    return build_rows(job.data, job.encoder, np.array([job.data.last_week]))


def forecasts(ensemble: Ensemble, rows: Rows) -> dict[str, np.ndarray]:
    return {segment.name: model.predict(rows) for segment, model in ensemble.models.items()}


def assert_equal_choices(first: dict[Segment, Choice], second: dict[Segment, Choice]) -> None:
    assert list(first) == list(second)
    for one, other in zip(first.values(), second.values(), strict=True):
        assert (one.alphas, one.weight) == (other.alphas, other.weight)
        np.testing.assert_array_equal(one.mape, other.mape)
        np.testing.assert_array_equal(one.intervals.lower, other.intervals.lower)


@pytest.mark.parametrize("workers", [1, 2])
def test_the_same_data_and_seed_give_the_same_numbers_on_any_number_of_workers(
    job, choices, ensemble, workers
):
    again = replace(job, workers=workers)
    found = choose(again, job.data.last_week)
    assert_equal_choices(found, choices)
    second = forecasts(fit(again, job.data.last_week, found), rows_of(job))
    for name, values in forecasts(ensemble, rows_of(job)).items():
        np.testing.assert_array_equal(values, second[name])


def test_the_ensemble_beats_the_historical_average(tiny_job, tiny_ensemble):
    origins = holdout_origins(tiny_job.data.last_week, tiny_job.config)
    found = summary(evaluate(tiny_job.data, tiny_ensemble, origins))
    assert found["mape"] < 0.6 * found["baseline_mape"]
    assert found["wape"] < 60
    assert 75 < found["coverage"] < 99


def test_every_segment_has_a_choice_and_a_model(tiny_choices, tiny_ensemble):
    names = [f"{r}-{f}-{s}" for r in ("R01", "R02") for f in ("large", "small") for s in ("fast", "slow")]
    assert [segment.name for segment in tiny_choices] == names
    assert [segment.name for segment in tiny_ensemble.models] == names


def test_a_choice_is_an_alpha_a_pass_a_weight_and_intervals(job, choices):
    settings = job.config
    for choice in choices.values():
        assert len(choice.alphas) == 1 + settings.lasso.passes
        assert all(0 <= index < settings.lasso.alphas for index in choice.alphas)
        assert 0 <= choice.weight <= 1
        assert choice.intervals.lower.shape == (3, settings.forecast.horizon)
        assert (choice.intervals.lower <= 0).all() and (choice.intervals.upper >= 0).all()


def test_a_fit_does_as_the_choices_say(job, choices, ensemble):
    for segment, model in ensemble.models.items():
        assert (model.weight, model.intervals) == (choices[segment].weight, choices[segment].intervals)
    assert ensemble.origin == job.data.last_week
    assert set(ensemble.speeds["speed"]) == {"fast", "slow"}


def test_an_ensemble_is_the_blend_of_its_members(job, ensemble):
    rows = rows_of(job)
    for model in ensemble.models.values():
        linear, network = model.members(rows)
        expected = (1 - model.weight) * linear + model.weight * network
        np.testing.assert_allclose(model.predict(rows), expected, rtol=1e-4, atol=1e-5)


def test_no_forecast_of_whole_units_is_below_one(job, choices, ensemble):
    rows = rows_of(job)
    for segment, model in ensemble.models.items():
        assert model.least == choices[segment].least == 1
        low = replace(model, lasso=replace(model.lasso, intercept=-20.0), weight=0.0)
        found = {name: float(values.min()) for name, values in low.forecasts(rows).items()}
        assert found["network"] >= 1
        assert found | {"network": 1} == {"ensemble": 1, "upper": 1, "lasso": 1, "lower": 0, "network": 1}


def test_balanced_forecasts_may_be_zero(job):
    config = replace(job.config, forecast=replace(job.config.forecast, objective="balanced"))
    found = choose(replace(job, config=config), job.data.last_week)
    assert [choice.least for choice in found.values()] == [0.0] * len(found)


def test_segments_are_tuned_apart(ensemble):
    first, second, *_ = ensemble.models.values()
    weights = [model.network.skip.weight.detach().numpy() for model in (first, second)]
    assert not np.array_equal(*weights)


def test_the_baseline_is_the_mean_of_the_weeks_that_trained(job, ensemble):
    found = ensemble.baseline.predict(job.data.series)
    np.testing.assert_allclose(found, job.data.mean_units(job.data.last_week))


def test_progress_is_told_after_every_segment(job, choices):
    told: list[tuple[str, float]] = []
    for step in (choose, lambda *given: fit(*given[:2], choices, given[2])):
        step(job, job.data.last_week, lambda name, mape: told.append((name, mape)))
    assert told == [(segment.name, choice.mape) for segment, choice in choices.items()] * 2


def test_a_segment_that_nothing_was_chosen_for_is_fitted_as_another_one(job, choices):
    first, *others = choices
    found = fit(job, job.data.last_week, {segment: choices[segment] for segment in others})
    assert found.models[first].weight == choices[others[0]].weight


def test_too_few_weeks_are_refused(job):
    with pytest.raises(DataError, match="weeks: expected at least 21 known weeks"):
        choose(job, 19)


@pytest.fixture(scope="module")
def odd_panels(one_store) -> list[Panel]:
    """One product alone in the first region; the second has known its products for three weeks."""
    first, second = one_store
    alone = keep(first, np.arange(len(first.series)) == 0)
    units = np.where(np.arange(second.n_known) < second.n_known - 3, np.float32(np.nan), second.units)
    return [alone, replace(second, units=units)]


@pytest.fixture(scope="module")
def odd(odd_panels, small_config) -> tuple[Job, dict[Segment, Choice], Ensemble]:
    job = small_job(odd_panels, small_config)
    choices = choose(job, job.data.last_week)
    return job, choices, fit(job, job.data.last_week, choices)


def test_a_segment_without_rows_has_equal_weights_and_the_widest_intervals(odd):
    _, choices, _ = odd
    empty = choices[Segment("R01", "large", "fast")]  # a product alone is never above the median
    assert empty.weight == EQUAL
    assert np.isnan(empty.mape)
    np.testing.assert_array_equal(empty.intervals.lower, np.full((3, 4), -3))
    np.testing.assert_array_equal(empty.intervals.upper, np.full((3, 4), 3))


def test_a_segment_without_rows_still_forecasts(odd):
    job, _, ensemble = odd
    for segment in (Segment("R01", "large", "fast"), Segment("R02", "large", "slow")):
        assert np.isfinite(ensemble.models[segment].predict(rows_of(job))).all()


def test_a_region_of_three_weeks_is_forecast_by_linear_members_at_the_level(odd):
    job, _, ensemble = odd
    rows = rows_of(job)
    linear, _ = ensemble.models[Segment("R02", "large", "fast")].members(rows)
    np.testing.assert_array_equal(linear, np.zeros(len(rows)))


def test_a_series_with_three_weeks_of_history_is_scored(odd):
    job, _, ensemble = odd
    rows = rows_of(job)
    young = rows.series > 0  # all but the first region's only series
    assert young.sum() == 4 * (len(job.data.series) - 1)
    for model in ensemble.models.values():
        assert np.isfinite(model.predict(rows.take(young))).all()


def test_a_store_and_a_product_that_training_has_not_seen_are_scored(job, ensemble):
    panel = job.data.panels[0]
    strange = replace(panel, series=panel.series.assign(store_id="S-new", product_id="P-new"))
    rows = build_rows(build_data_set([strange]), job.encoder, np.array([job.data.last_week]))
    assert (rows.codes[:, 1:3] == 0).all()
    for values in forecasts(ensemble, rows).values():
        assert np.isfinite(values).all()


def test_balanced_forecasts_are_higher_where_demand_is_erratic(job, ensemble, one_store, small_config):
    """The mean lies above the point of least MAPE: the objectives must not give the same linear member."""
    forecast = replace(small_config.forecast, objective="balanced")
    other = small_job(one_store, replace(small_config, forecast=forecast))
    origin = job.data.last_week
    found = fit(other, origin, choose(other, origin))
    rows = rows_of(job)
    both = [np.mean([model.members(rows)[0] for model in each.models.values()]) for each in (ensemble, found)]
    assert both[0] < both[1]


def test_training_leaves_the_data_as_it_is(job, choices, one_store):
    before = [panel.units.copy() for panel in one_store]
    series = job.data.series.copy(deep=True)
    fit(job, job.data.last_week, choices)
    for panel, units in zip(one_store, before, strict=True):
        np.testing.assert_array_equal(panel.units, units)
    pd.testing.assert_frame_equal(job.data.series, series)


class Kept(dict[str, object]):
    """A memo that counts what it was asked to keep."""

    def find(self, name: str) -> object | None:
        return self.get(name)

    def keep(self, name: str, value: object) -> None:
        assert name not in self, f"{name} was made twice"
        self[name] = value


def weights_of(ensemble: Ensemble) -> list[np.ndarray]:
    models = ensemble.models.values()
    return [m.network.skip.weight.detach().numpy() for m in models] + [m.lasso.linear for m in models]


def trained(job: Job) -> tuple[dict[Segment, Choice], Ensemble]:
    found = choose(job, job.data.last_week)
    return found, fit(job, job.data.last_week, found)


@pytest.mark.parametrize("kept", ["nothing", "networks", "every second piece", "everything"])
def test_a_training_that_was_cut_off_anywhere_ends_the_same(job, ensemble, kept):
    memo = Kept()
    trained(replace(job, memo=memo))
    names = sorted(memo)
    lost = {
        "nothing": names,
        "networks": [name for name in names if not name.startswith("network")],
        "every second piece": names[::2],
        "everything": [],
    }[kept]
    for name in lost:
        del memo[name]
    before = set(memo)
    _, again = trained(replace(job, memo=memo))
    assert sorted(memo) == names
    assert before <= set(names)
    for one, other in zip(weights_of(again), weights_of(ensemble), strict=True):
        np.testing.assert_array_equal(one, other)


def test_networks_trained_ahead_are_the_ones_that_are_found(job, ensemble):
    origin = job.data.last_week
    memo = Kept()
    ahead = replace(job, memo=memo)
    train_networks(ahead, [choosing_origin(ahead, origin), origin, origin])
    assert len(memo) == 2
    _, again = trained(ahead)
    for one, other in zip(weights_of(again), weights_of(ensemble), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.fixture(scope="module")
def trio(job, choices, ensemble) -> tuple[Job, dict[Segment, Choice], Ensemble]:
    return job, choices, ensemble


def fails(way: str):
    """A way in which the tuning of a segment's network goes wrong."""

    def raising(*_: object) -> Network:
        raise RuntimeError("out of luck")

    def endless(*_: object) -> Network:
        while True:
            pass

    def nonsense(network: Network, *_: object) -> Network:
        moved = copy.deepcopy(network)
        torch.nn.init.constant_(moved.out.bias, float("nan"))
        return moved

    return {"exception": raising, "timeout": endless, "nan": nonsense}[way]


@pytest.mark.parametrize(
    ("way", "reason"),
    [
        ("exception", "RuntimeError: out of luck"),
        ("timeout", "TimeoutError: took longer than 1 s (pipeline.segment_seconds)"),
        ("nan", "ValueError: forecasts: expected finite numbers; got "),
    ],
)
def test_a_segment_that_fails_is_told_and_the_others_are_as_before(trio, monkeypatch, way, reason):
    job, choices, ensemble = trio
    calls = []
    real, broken = regions.tune_network, fails(way)

    def tune(network: Network, rows: object, config: Config) -> Network:
        calls.append(1)
        return broken(network) if len(calls) == 2 else real(network, rows, config)

    monkeypatch.setattr(regions, "tune_network", tune)
    limited = replace(job.config, pipeline=replace(job.config.pipeline, segment_seconds=1.0))
    found = fit(replace(job, config=limited), job.data.last_week, choices)
    bad = list(ensemble.models)[1]
    assert list(found.failed) == [bad]
    assert found.failed[bad].startswith(reason)
    assert set(found.models) == set(ensemble.models) - {bad}
    for segment, model in found.models.items():
        np.testing.assert_array_equal(model.lasso.linear, ensemble.models[segment].lasso.linear)
    table = evaluate(job.data, found, holdout_origins(job.data.last_week, job.config))
    assert set(table["speed"] + table["format"] + table["region"]) == {
        s.speed + s.format + s.region for s in found.models if s in ensemble.models
    } & set(table["speed"] + table["format"] + table["region"])
    lines = report(table, sorted([*found.models, bad])).set_index(["region", "format", "speed"])
    assert lines.loc[(bad.region, bad.format, bad.speed), "verdict"] == "no data"


def test_the_network_that_is_judged_is_tuned_as_the_one_that_serves(job, monkeypatch):
    tuned = []

    def tune(network: Network, rows: NetworkRows, _config: Config) -> Network:
        tuned.append(len(rows.values))
        return fails("nan")(network)

    monkeypatch.setattr(regions, "tune_network", tune)
    found = choose(job, job.data.last_week)
    assert len(tuned) == len(found)
    assert all(isinstance(each, Failed) and "finite numbers" in each.reason for each in found.values())
    parts = parts_of(job, choosing_origin(job, job.data.last_week))
    at = training_origins(choosing_origin(job, job.data.last_week), job.config)
    assert sum(tuned) == sum(
        len(p.training_rows(at, choosing_origin(job, job.data.last_week))) for p in parts
    )


def test_a_choice_that_failed_leaves_its_segment_without_a_model(job, choices):
    first, *_ = choices
    found = fit(job, job.data.last_week, {**choices, first: Failed("no luck")})
    assert found.failed == {first: "no luck"}
    assert first not in found.models


def test_nothing_can_be_fitted_without_a_single_choice(job, choices):
    with pytest.raises(DataError, match="got none, the first reason is: no luck"):
        fit(job, job.data.last_week, dict.fromkeys(choices, Failed("no luck")))
    with pytest.raises(DataError, match="got none, the first reason is: no segment"):
        fit(job, job.data.last_week, {})


def test_the_network_draws_no_more_rows_than_it_may(job, monkeypatch):
    seen = []
    real = regions.train_network
    monkeypatch.setattr(
        regions, "train_network", lambda rows, *given: seen.append(len(rows.values)) or real(rows, *given)
    )
    origin = job.data.last_week
    train_networks(job, [origin])
    half = replace(job.config, network=replace(job.config.network, max_rows=seen[0] // 2))
    train_networks(replace(job, config=half), [origin])
    assert seen[1] == pytest.approx(seen[0] / 2, rel=0.1)


def test_a_data_set_without_a_row_to_train_on_is_refused(job):
    nothing = [replace(panel, units=np.full_like(panel.units, np.nan)) for panel in job.data.panels]
    empty = replace(job, data=replace(job.data, panels=tuple(nothing)))
    with pytest.raises(DataError, match=r"weeks: expected at least one series with \d+ known weeks"):
        train_networks(empty, [job.data.last_week])
