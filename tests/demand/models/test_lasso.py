import warnings

import numpy as np
import pytest
from sklearn.linear_model import Lasso

from demand.models import design as design_module
from demand.models import lasso as lasso_module
from demand.models.design import Design, build_design
from demand.models.lasso import (
    NEAREST,
    early_weights,
    error_weights,
    gram,
    member,
    path,
    pooled,
    relative_denominator,
)

ALPHAS = np.array([0.1, 0.03, 0.01, 0.001])
NO_LEVELS = (np.empty(0, np.int64), np.empty(0, np.int64))


def plain_design(width: int) -> Design:
    """Features alone."""
    return Design(width, np.empty((0, 2), np.intp), NO_LEVELS, (2, 2))


def draw(count: int, seed: int = 0) -> tuple[np.ndarray, ...]:
    """Five features of unlike means and spreads, codes, a log ratio that three of them move, and weights."""
    random = np.random.default_rng(seed)
    values = random.normal([0, 1, 0, -2, 0], [1, 2, 0.5, 1, 1], (count, 5)).astype(np.float32)
    values[:, 4] = 0.7 * values[:, 0] + 0.3 * values[:, 4]  # correlated, as lags and means are
    ratio = values @ np.array([0.5, -0.2, 0.4, 0, 0]) + 1.5 + random.normal(0, 0.3, count)
    codes = np.column_stack(
        [np.ones(count, int), random.integers(1, 4, (count, 2)), np.ones((count, 2), int)]
    )
    return values, codes, ratio.astype(np.float32), random.lognormal(0, 1, count).astype(np.float32)


def by_rows(
    columns: np.ndarray, ratio: np.ndarray, weight: np.ndarray, alpha: float
) -> tuple[np.ndarray, float]:
    """The same LASSO by scikit-learn on rows: columns standardised by weight, coefficients scaled back."""
    columns = columns.astype(np.float64)
    center = np.average(columns, axis=0, weights=weight)
    scale = np.sqrt(np.average((columns - center) ** 2, axis=0, weights=weight))
    fitted = Lasso(alpha=alpha, tol=1e-10, max_iter=100_000).fit((columns - center) / scale, ratio, weight)
    return fitted.coef_ / scale, fitted.intercept_ - center @ (fitted.coef_ / scale)


def test_a_gram_is_that_of_all_columns_row_by_row(monkeypatch):
    """Products and one-hot columns too, a code without a column among them, over chunks that do not fit."""
    monkeypatch.setattr(lasso_module, "CHUNK", 7)
    values, codes, ratio, weight = draw(40)
    levels = (np.array([1, 3]), np.array([1, 2, 3]))
    design = Design(5, np.array([[0, 1], [2, 2]], np.intp), levels, (4, 4))
    hot = [codes[:, 1 + i, None] == own for i, own in enumerate(levels)]
    products = [values[:, [0]] * values[:, [1]], values[:, [2]] ** 2]
    ends = np.stack([np.ones(40), ratio], axis=1)
    columns = np.concatenate([values, *products, *hot, ends], axis=1).astype(np.float64)
    np.testing.assert_allclose(design.matrix(values, codes), columns[:, :-2], rtol=1e-6)
    found = gram(design, values, codes, ratio, weight)
    np.testing.assert_allclose(found, columns.T @ (columns * weight[:, None]), rtol=1e-4, atol=1e-3)


@pytest.fixture
def exact(monkeypatch):
    """The solver without its early stop, so that what differs is the algebra."""
    solve = lasso_module.lasso_path
    stop = {"tol": 1e-12, "max_iter": 100_000}
    monkeypatch.setattr(lasso_module, "lasso_path", lambda *given, **named: solve(*given, **(named | stop)))


def test_the_path_on_a_gram_is_scikit_learns_lasso_on_the_weighted_rows(exact):
    values, codes, ratio, weight = draw(600)
    coefficients, intercepts = path(gram(plain_design(5), values, codes, ratio, weight), ALPHAS)
    assert coefficients.shape == (5, 4)
    for column, alpha in enumerate(ALPHAS):
        expected, intercept = by_rows(values, ratio, weight, alpha)
        np.testing.assert_allclose(coefficients[:, column], expected, atol=2e-4)
        assert intercepts[column] == pytest.approx(intercept, abs=5e-4)


def test_the_early_stop_costs_next_to_nothing():
    values, codes, ratio, weight = draw(600)
    coefficients, intercepts = path(gram(plain_design(5), values, codes, ratio, weight), ALPHAS)
    expected, intercept = by_rows(values, ratio, weight, ALPHAS[-1])
    errors = [
        values @ fitted + level - ratio
        for fitted, level in ((coefficients[:, -1], intercepts[-1]), (expected, intercept))
    ]
    squares = [np.average(error**2, weights=weight) for error in errors]
    assert squares[0] == pytest.approx(squares[1], rel=0.01)


def test_a_larger_alpha_leaves_fewer_columns():
    values, codes, ratio, weight = draw(600)
    coefficients, _ = path(gram(plain_design(5), values, codes, ratio, weight), np.array([10.0, 0.1, 1e-5]))
    assert not coefficients[:, 0].any()
    counts = (coefficients != 0).sum(axis=0)
    assert counts[0] < counts[1] < counts[2]


def test_chunks_do_not_show_in_a_gram(monkeypatch):
    rows = draw(50)
    whole = gram(plain_design(5), *rows)
    monkeypatch.setattr(lasso_module, "CHUNK", 7)
    np.testing.assert_allclose(gram(plain_design(5), *rows), whole, rtol=1e-4, atol=1e-4)


def test_a_gram_holds_weighted_sums():
    values, codes = np.array([[2.0], [3.0]], np.float32), np.ones((2, 5), int)
    ratio, weight = np.array([5.0, -1.0], np.float32), np.array([1.0, 4.0], np.float32)
    expected = [
        [40, 14, -2],  # 4 + 4 x 9; 2 + 4 x 3; 10 - 4 x 3
        [14, 5, 1],  # ...; 1 + 4; 5 - 4
        [-2, 1, 29],  # ...; ...; 25 + 4
    ]
    np.testing.assert_allclose(gram(plain_design(1), values, codes, ratio, weight), expected, rtol=1e-5)


def test_grams_add_up_to_the_gram_of_all_rows():
    first, second = draw(40, 1), draw(30, 2)
    both = [np.concatenate(parts) for parts in zip(first, second, strict=True)]
    total = gram(plain_design(5), *first) + gram(plain_design(5), *second)
    np.testing.assert_allclose(total, gram(plain_design(5), *both), rtol=1e-4, atol=1e-4)


def test_pooling_everything_is_the_gram_of_the_concatenated_rows():
    first, second = draw(40, 1), draw(30, 2)
    both = gram(plain_design(5), *[np.concatenate(parts) for parts in zip(first, second, strict=True)])
    for found in pooled([gram(plain_design(5), *rows) for rows in (first, second)], 1.0):
        np.testing.assert_allclose(found, both, rtol=1e-4, atol=1e-4)


def test_pooling_adds_a_share_of_the_others():
    grams = [np.full((3, 3), value) for value in (1.0, 10.0, 100.0)]
    found = pooled(grams, 0.5)
    assert [part[0, 0] for part in found] == [56, 60.5, 105.5]  # 1 + 55; 10 + 50.5; 100 + 5.5


def test_a_segment_without_rows_takes_the_others_whole():
    grams = [np.zeros((3, 3)), np.full((3, 3), 2.0), np.full((3, 3), 3.0)]
    np.testing.assert_array_equal(pooled(grams, 0.1)[0], np.full((3, 3), 5.0))


def test_without_any_row_the_forecast_is_the_level():
    coefficients, intercepts = path(np.zeros((6, 6)), ALPHAS)
    assert not coefficients.any() and not intercepts.any()


@pytest.mark.parametrize("seed", range(6))
def test_columns_that_never_move_get_no_coefficient(exact, seed):
    """Sums of squares in float32 leave a trace of variance in a constant, above or below 0."""
    values, codes, ratio, weight = draw(6000, seed)
    values[:, [1, 3]] = np.random.default_rng(seed).uniform(-5, 5, 2)
    coefficients, intercepts = path(gram(plain_design(5), values, codes, ratio, weight), ALPHAS)
    assert not coefficients[[1, 3]].any()
    expected, intercept = by_rows(values[:, [0, 2, 4]], ratio, weight, ALPHAS[-1])
    np.testing.assert_allclose(coefficients[[0, 2, 4], -1], expected, atol=2e-4)
    assert intercepts[-1] == pytest.approx(intercept, abs=5e-4)


def test_a_row_of_constants_alone_gives_their_mean_ratio():
    values, codes = np.full((4, 2), 3.0, np.float32), np.ones((4, 5), int)
    ratio, weight = np.array([1, 2, 3, 4], np.float32), np.ones(4, np.float32)
    coefficients, intercepts = path(gram(plain_design(2), values, codes, ratio, weight), ALPHAS)
    assert not coefficients.any()
    np.testing.assert_allclose(intercepts, 2.5)


def test_columns_that_say_the_same_are_no_obstacle():
    values, codes, ratio, weight = draw(600)
    values = np.concatenate([values, values[:, :1], values[:, :1] + values[:, 1:2]], axis=1)
    coefficients, intercepts = path(gram(plain_design(7), values, codes, ratio, weight), np.array([1e-5]))
    fitted = values @ coefficients[:, 0] + intercepts[0]
    assert np.average((fitted - ratio) ** 2, weights=weight) == pytest.approx(
        0.09, rel=0.2
    )  # the noise of 0.3


def test_a_gram_that_rounding_made_indefinite_gets_the_ridge_it_needs():
    total = np.eye(5)
    total[0, 1] = total[1, 0] = 1 + 1e-3  # a correlation above 1
    total[:2, -1] = total[-1, :2] = 0.5
    coefficients, _ = path(total, np.array([1e-3]))
    assert np.isfinite(coefficients).all()
    assert coefficients[0, 0] == pytest.approx(coefficients[1, 0], rel=0.2)


def test_a_gram_that_no_rows_can_have_is_refused():
    total = np.eye(5)
    total[0, 1] = total[1, 0] = 50.0
    with pytest.raises(np.linalg.LinAlgError):
        path(total, ALPHAS)


def test_an_alpha_that_has_not_converged_says_nothing():
    values, codes, ratio, weight = draw(30)
    wide = np.concatenate(
        [values + 1e-2 * np.random.default_rng(i).normal(size=(30, 5)) for i in range(30)], axis=1
    )
    total = gram(plain_design(150), wide.astype(np.float32), codes, ratio, weight)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        path(total, np.geomspace(0.1, 1e-9, 8))


@pytest.fixture
def fitted(monkeypatch):
    """A design with products and one-hot columns, its rows, coefficients of every column and their member."""
    monkeypatch.setattr(design_module, "MOVED_BY", {("a", "b"): ("c", "b")})
    values, codes, *_ = draw(40)
    design = build_design(("a", "b", "c", "d", "e"), codes, (2, 5, 4, 2, 2))
    coefficients = np.random.default_rng(5).normal(size=design.width)
    coefficients[5:7] = [0, 0.25]  # a product that LASSO left out
    return design, values, codes, coefficients, member(design, coefficients, 0.75)


def test_a_member_predicts_what_its_columns_say(fitted):
    design, values, codes, coefficients, found = fitted
    expected = design.matrix(values, codes) @ coefficients + 0.75
    ratio = found.predict(values, codes[:, 1:3])
    np.testing.assert_allclose(ratio, expected, rtol=1e-4, atol=1e-5)
    assert ratio.dtype == np.float32


def test_a_store_or_product_without_a_column_adds_nothing(fitted):
    design, values, codes, coefficients, found = fitted
    unseen = codes.copy()
    unseen[:, 1:3] = [0, 0]
    expected = design.matrix(values, unseen) @ coefficients + 0.75
    np.testing.assert_allclose(found.predict(values, unseen[:, 1:3]), expected, rtol=1e-4, atol=1e-5)
    assert [len(table) for table in found.one_hot] == [5, 4]
    assert found.one_hot[0][0] == found.one_hot[1][0] == 0


def test_weights_give_squared_log_error_the_slope_of_relative_error():
    forecast = np.array([0.4, -0.3, 0.1, 1.0])
    ratio = np.array([0.1, 0.2, -0.9, 1.5])
    denominator = np.array([0.5, 1.2, 0.02, 2.0])
    weight = error_weights(forecast, ratio, denominator)
    # d/df |exp(f) - exp(z)| / d, that is of |p - y| / (d (S + k)), by differences
    step = 1e-6
    ends = [np.abs(np.exp(forecast + end) - np.exp(ratio)) / denominator for end in (step, -step)]
    np.testing.assert_allclose(weight * (forecast - ratio), (ends[0] - ends[1]) / (2 * step), rtol=1e-5)


def test_weights_stop_growing_near_the_actual():
    near = error_weights(np.array([0.2]), np.array([0.2 + NEAREST / 10]), np.ones(1))
    np.testing.assert_allclose(near, np.exp(0.2) / NEAREST)


def test_weights_of_wild_forecasts_stay_in_bounds():
    found = error_weights(np.array([50.0, -50.0]), np.zeros(2), np.ones(2))
    np.testing.assert_allclose(found, [np.exp(3) / 3, np.exp(-8) / 8])


def test_relative_error_divides_by_units_and_at_least_by_the_floor():
    units, scale = np.array([5.0, 0.1, 0.0]), np.array([10.0, 10.0, 10.0])
    found = relative_denominator(units, scale, 0.02, 0.25)
    np.testing.assert_allclose(found, [0.5, 0.02, 4.0])  # 5 / 10; 0.01 is below the floor; 1 / 0.25


def test_weeks_without_sales_can_be_left_out():
    denominator = relative_denominator(np.array([0.0]), np.array([10.0]), 0.02, 0.0)
    assert error_weights(np.array([0.5]), np.array([-2.0]), denominator) == 0


def test_early_weights_favour_weeks_of_few_units():
    found = early_weights(np.array([0.0, 1.0, -9.0]), 2.0)
    np.testing.assert_allclose(found, [1, np.exp(-2), np.exp(6)])  # beyond 3 no more
    np.testing.assert_array_equal(early_weights(np.array([0.0, 1.0]), 0.0), [1, 1])
