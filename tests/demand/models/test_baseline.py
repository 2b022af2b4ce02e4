import numpy as np
import pandas as pd
import pytest

from demand.models.baseline import fit_baseline

NAN = np.nan


def series(*rows: tuple[str, str, str, str]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["region", "format", "store_id", "product_id"])


@pytest.fixture(scope="module")
def baseline():
    keys = series(("R", "large", "S1", "P1"), ("R", "large", "S1", "P2"), ("R", "small", "S2", "P1"))
    return fit_baseline(keys, np.array([10.0, 20.0, NAN]))


def test_a_known_series_is_forecast_by_its_mean(baseline):
    np.testing.assert_array_equal(
        baseline.predict(series(("R", "large", "S1", "P2"), ("R", "large", "S1", "P1"))), [20, 10]
    )


def test_a_new_series_is_forecast_by_the_mean_of_its_region_and_format(baseline):
    assert baseline.predict(series(("R", "large", "S9", "P1"))) == [15]  # (10 + 20) / 2


def test_a_series_without_a_known_week_and_a_new_region_are_forecast_by_0(baseline):
    found = baseline.predict(series(("R", "small", "S2", "P1"), ("Q", "large", "S1", "P1")))
    np.testing.assert_array_equal(found, [0, 0])


def test_fitting_leaves_the_series_as_they_are():
    keys = series(("R", "large", "S1", "P1"))
    fit_baseline(keys, np.array([1.0]))
    assert list(keys) == ["region", "format", "store_id", "product_id"]
