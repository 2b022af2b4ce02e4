import numpy as np
import pytest
from scipy.stats import nbinom

from demand.sources.synthetic.oracle import mape_best


def expected_error(point, mean, alpha):
    """Mean of |y - p| / y over y > 0, y negative binomial with variance mean + alpha mean^2, summed out."""
    shape = 1 / alpha
    units = np.arange(1, int(nbinom.ppf(0.9999999, shape, shape / (shape + mean))) + 2)
    weight = nbinom.pmf(units, shape, shape / (shape + mean))
    return (weight * np.abs(units - point) / units).sum() / weight.sum()


@pytest.mark.parametrize("mean", [0.5, 3.0, 10.0, 30.0, 100.0, 399.0, 401.0, 3000.0])
@pytest.mark.parametrize("alpha", [0.03, 0.075, 0.14])
def test_the_best_point_is_within_a_hundredth_of_the_best_of_all(mean, alpha):
    point = mape_best(np.array([mean]), np.array([alpha]))[0]
    grid = np.unique(np.concatenate([np.arange(1, 40), mean * np.linspace(0.5, 1.2, 281)]))
    least = min(expected_error(p, mean, alpha) for p in grid)
    assert expected_error(point, mean, alpha) <= 1.01 * least


def test_it_leans_below_the_mean_the_more_the_noisier():
    quiet, noisy = mape_best(np.array([100.0, 100.0]), np.array([0.02, 0.14]))
    assert noisy < quiet < 100


def test_the_table_and_the_gamma_limit_meet():
    below, above = mape_best(np.array([399.999, 400.001]), np.array([0.08, 0.08]))
    assert above == pytest.approx(below, rel=0.01)


def test_the_shape_of_the_means_is_kept_with_one_alpha_per_row():
    assert mape_best(np.full((2, 3), 50.0), np.array([[0.05], [0.1]])).shape == (2, 3)
