from dataclasses import replace
from math import exp, log

import numpy as np
import pytest
import torch

from demand.config import Config, ForecastConfig, NetworkConfig, TrainingConfig
from demand.models import network as network_module
from demand.models.encoding import UNKNOWN
from demand.models.network import (
    LOSSES,
    Dropout,
    Network,
    NetworkRows,
    absolute_loss,
    embedding_size,
    predict_network,
    relative_loss,
    train_network,
    tune_network,
)
from demand.models.scale import HIGHEST, LOWEST

SIZES = (2, 4)
QUICK = NetworkConfig(epochs=2, min_steps=0, batch=16, hidden=(8, 4), row_share=1.0)
CONFIG = Config(network=QUICK, training=TrainingConfig(floor=0.02, zero_weight=0.3))


def rows(count: int = 48, seed: int = 0) -> NetworkRows:
    """Rows whose log ratio is the first feature; level 20, offset 2; categories 1 to 3 say nothing."""
    random = np.random.default_rng(seed)
    values = random.normal(0, 0.5, (count, 3)).astype(np.float32)
    level, offset = np.full((2, count), [[20], [2]], np.float32)
    units = (np.exp(values[:, 0]) * (level + offset) - offset).clip(0).astype(np.float32)
    codes = np.column_stack([np.ones(count, np.int64), random.integers(1, 4, count)])
    return NetworkRows(values, codes, units, level, offset, np.ones(count, np.float32))


def weights(network: Network) -> list[np.ndarray]:
    return [parameter.detach().numpy().copy() for parameter in network.parameters()]


def same(first: Network, second: Network) -> bool:
    return all(np.array_equal(a, b) for a, b in zip(weights(first), weights(second), strict=True))


def loss_of(loss, ratio: float, units: float) -> float:
    """The loss of one row of level 8 and offset 2: the scale is 10."""
    parts = tuple(torch.tensor([value]) for value in (units, 8.0, 2.0))
    return float(loss(torch.tensor([ratio]), parts, CONFIG.training)[0])


@pytest.mark.parametrize(
    ("ratio", "units", "expected"),
    [
        (log(1.2), 8.0, 0.25),  # p = 1.2 x 10 - 2 = 10: |10 - 8| / 8
        (log(0.8), 8.0, 0.25),  # p = 6
        (log(1.2), 0.1, 49.5),  # |10 - 0.1| over the floor 0.02 x 10
        (log(1.2), 0.0, 0.3),  # 0.3 x 10 / 10
        (log(0.1), 0.0, 0.03),  # p = -1 counts as an error too: 0.3 x 1 / 10
        (99.0, 8.0, (exp(HIGHEST) * 10 - 10) / 8),
        (-99.0, 8.0, (10 - exp(LOWEST) * 10) / 8),
    ],
)
def test_relative_loss_is_by_units_and_by_scale_where_nothing_sold(ratio, units, expected):
    assert loss_of(relative_loss, ratio, units) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize(("units", "expected"), [(8.0, 0.2), (0.0, 1.0)])
def test_absolute_loss_is_by_scale(units, expected):
    assert loss_of(absolute_loss, log(1.2), units) == pytest.approx(expected)  # p = 10


def test_each_objective_has_its_loss():
    assert {"mape": relative_loss, "balanced": absolute_loss} == LOSSES


@pytest.mark.parametrize(("size", "dimensions"), [(1, 2), (2, 3), (100, 9), (10_000, 12)])
def test_an_embedding_grows_with_its_category_up_to_12(size, dimensions):
    assert embedding_size(size) == dimensions  # 1.6 x 2^0.35 = 2.04, x 100^0.35 = 8.02


def test_training_starts_from_the_level_itself():
    given = rows()
    network = Network(3, SIZES, QUICK)
    np.testing.assert_array_equal(predict_network(network, given.values, given.codes), np.zeros(48))


def test_what_serves_is_the_running_average_of_the_weights(monkeypatch):
    """Of two steps: the first alone where the average keeps all, the last alone where it keeps nothing."""
    config = replace(CONFIG, network=replace(QUICK, epochs=1, batch=24))
    found = []
    for kept in (1.0, 0.0, 0.25):
        monkeypatch.setattr(network_module, "AVERAGE", kept)
        found.append(weights(train_network(rows(48), SIZES, config)))
    first, last, between = found
    assert not all(np.array_equal(*pair) for pair in zip(first, last, strict=True))
    for one, two, middle in zip(first, last, between, strict=True):
        np.testing.assert_allclose(middle, 0.25 * one + 0.75 * two, rtol=1e-4, atol=1e-6)


def test_the_same_seed_gives_the_same_weights_and_another_one_others():
    first, second = (train_network(rows(), SIZES, CONFIG) for _ in range(2))
    other = train_network(rows(), SIZES, replace(CONFIG, forecast=ForecastConfig(seed=1)))
    assert same(first, second)
    assert not same(first, other)


@pytest.mark.parametrize("objective", ["mape", "balanced"])
def test_training_lowers_the_loss_of_its_objective(objective):
    config = replace(
        CONFIG, forecast=ForecastConfig(objective=objective), network=replace(QUICK, min_steps=300)
    )
    given = rows(200)
    network = train_network(given, SIZES, config)
    actual = tuple(torch.from_numpy(part) for part in (given.units, given.level, given.offset))
    before, after = (
        float(LOSSES[objective](torch.from_numpy(ratio), actual, CONFIG.training).mean())
        for ratio in (np.zeros(200, np.float32), predict_network(network, given.values, given.codes))
    )
    assert after < 0.7 * before


def test_small_sets_are_trained_for_the_least_number_of_steps(monkeypatch):
    steps = []
    monkeypatch.setattr(network_module, "_leave_gradients", lambda *_: steps.append(1) or 0.0)
    train_network(rows(), SIZES, replace(CONFIG, network=replace(QUICK, min_steps=10)))
    assert len(steps) == 12  # 48 rows are 3 batches of 16; 4 epochs reach 10 steps


def test_every_epoch_draws_its_share_of_the_rows(monkeypatch):
    drawn = []
    monkeypatch.setattr(
        network_module, "_leave_gradients", lambda _, batch, __: drawn.append(len(batch[0])) or 0.0
    )
    train_network(rows(), SIZES, replace(CONFIG, network=replace(QUICK, row_share=0.5, epochs=2)))
    assert sum(drawn) == 48  # 24 of 48 rows in each of two epochs


def test_heavier_rows_count_more():
    """Two halves ask for opposite ratios; the weight decides between them."""
    given = rows(64)
    level = np.full(64, 20, np.float32)
    units = np.where(np.arange(64) % 2 == 0, 40, 10).astype(np.float32)
    heavy = np.where(np.arange(64) % 2 == 0, 2, 0).astype(np.float32)
    config = replace(CONFIG, network=replace(QUICK, min_steps=200))
    up, down = (
        train_network(replace(given, level=level, units=units, weight=weight), SIZES, config)
        for weight in (heavy, 2 - heavy)
    )
    means = [predict_network(network, given.values, given.codes).mean() for network in (up, down)]
    assert means[0] > 0.2 > -0.2 > means[1]


def test_an_unknown_category_is_learned_by_dropping_known_ones():
    kept = replace(QUICK, weight_decay=0.0, category_dropout=0.0)
    dropped = replace(QUICK, weight_decay=0.0, category_dropout=0.5)
    networks = [train_network(rows(), SIZES, replace(CONFIG, network=each)) for each in (kept, dropped)]
    torch.manual_seed(CONFIG.forecast.seed)
    start = Network(3, SIZES, kept).embeddings[1].weight[UNKNOWN]
    assert torch.equal(networks[0].embeddings[1].weight[UNKNOWN], start)
    assert not torch.equal(networks[1].embeddings[1].weight[UNKNOWN], start)


def test_an_unknown_category_has_a_forecast():
    given = rows()
    network = train_network(given, SIZES, CONFIG)
    found = predict_network(network, given.values, np.full_like(given.codes, UNKNOWN))
    assert np.isfinite(found).all()


def test_tuning_leaves_the_given_network_as_it_is():
    network = train_network(rows(), SIZES, CONFIG)
    before = weights(network)
    tuned = tune_network(network, rows(32, seed=1), CONFIG)
    assert not same(network, tuned)
    assert all(np.array_equal(a, b) for a, b in zip(before, weights(network), strict=True))
    assert same(tuned, tune_network(network, rows(32, seed=1), CONFIG))


@pytest.mark.parametrize(("epochs", "count"), [(0, 32), (1, 0)])
def test_without_rows_or_epochs_to_tune_on_the_shared_network_serves(epochs, count):
    network = Network(3, SIZES, QUICK)
    config = replace(CONFIG, network=replace(QUICK, tune_epochs=epochs))
    assert tune_network(network, rows(count), config) is network


@pytest.mark.parametrize(("share", "kept"), [(0.2, 205 / 256), (0.5, 0.5), (0.9, 26 / 256), (0.0, 1.0)])
def test_dropout_takes_its_share_and_keeps_the_mean(share, kept):
    torch.manual_seed(3)
    given = torch.ones(999, 41, requires_grad=True)  # 40,959 elements, not a multiple of 8
    found = Dropout(share).train()(given)
    assert set(np.round(found.detach().unique().numpy(), 5)) <= {0.0, np.float32(round(1 / kept, 5))}
    assert float((found.detach() > 0).float().mean()) == pytest.approx(kept, abs=0.015)
    assert float(found.detach().mean()) == pytest.approx(1, abs=0.03 / kept)
    assert not torch.equal(*(Dropout(0.5).train()(torch.ones(64)) for _ in range(2)))
    found.sum().backward()
    assert torch.equal(given.grad, found.detach())  # what is dropped learns nothing


def test_dropout_is_of_training_alone_and_follows_the_seed():
    layer, given = Dropout(0.2), torch.arange(256.0)
    assert torch.equal(layer.eval()(given), given)
    found = []
    for seed in (1, 1, 2):
        torch.manual_seed(seed)
        found.append(layer.train()(given))
    assert torch.equal(found[0], found[1])
    assert not torch.equal(found[0], found[2])


def test_a_trained_network_does_not_drop_out():
    network = train_network(rows(), SIZES, CONFIG)
    given = rows()
    found = [predict_network(network, given.values, given.codes) for _ in range(2)]
    np.testing.assert_array_equal(*found)


def test_rows_are_predicted_in_parts_that_do_not_show(monkeypatch):
    given = rows(10)
    network = train_network(rows(), SIZES, CONFIG)
    whole = predict_network(network, given.values, given.codes)
    monkeypatch.setattr(network_module, "PREDICTED_AT_ONCE", 3)
    np.testing.assert_allclose(
        predict_network(network, given.values, given.codes), whole, rtol=1e-5, atol=1e-6
    )
    assert predict_network(network, given.values[:0], given.codes[:0]).shape == (0,)
