import numpy as np
import pandas as pd
import pytest
from panels import hand_panel

from demand.contracts import columns
from demand.drift import DriftLimits, drift_table
from demand.drift.reference import recent, same_season, values_of
from demand.segments import Segment

LIMITS = DriftLimits()
FAST = Segment("R", "large", "fast")
WEEKS = 140
AT, UNTIL = 139, 130


def year(series: int) -> np.ndarray:
    """A yearly wave of temperature, (series, weeks with outlook), 10 degrees up and down."""
    week = np.arange(WEEKS + 8)
    wave = 10 * np.sin(2 * np.pi * week / 52.18) + np.random.default_rng(1).normal(0, 1, (series, WEEKS + 8))
    return wave.astype(np.float32)


@pytest.fixture
def panel():
    units = np.random.default_rng(2).poisson(50, (6, WEEKS)).astype(float)
    series = {"product_id": [f"P{i % 3}" for i in range(6)], "category": ["bread"] * 6}
    return hand_panel(units, series=series, inputs={"temperature": year(6), "price": 2.0})


def value(table: pd.DataFrame, feature: str, measure: str) -> float:
    (found,) = table.loc[(table["feature"] == feature) & (table["measure"] == measure), "value"]
    return float(found)


def test_the_reference_is_the_same_season_of_the_weeks_that_training_knew(panel):
    at = same_season(panel, AT, UNTIL)
    # 139 and 138 less 52.18 weeks are 86.8 and 85.8; less 104.36 34.6 and 33.6; 3 weeks to either side.
    assert set(at) == {*range(83, 91), *range(31, 39)}


def test_weeks_after_the_model_are_no_reference(panel):
    assert max(same_season(panel, AT, 85)) == 85
    assert len(same_season(panel, AT, 10)) == 0


def test_summer_does_not_drift_from_other_summers(panel):
    table = drift_table(panel, [FAST] * 6, AT, UNTIL, LIMITS)
    assert list(table.columns) == columns("drift")
    assert value(table, "temperature", "wasserstein") < 1
    # Against all weeks of the year the same two weeks lie far off.
    assert abs(panel.inputs["temperature"][:, recent(AT)].mean()) > 5


def test_degrees_fahrenheit_drift_beyond_the_limit(panel):
    panel.inputs["temperature"][:, AT - 1 :] = panel.inputs["temperature"][:, AT - 1 :] * 1.8 + 32
    table = drift_table(panel, [FAST] * 6, AT, UNTIL, LIMITS)
    assert value(table, "temperature", "wasserstein") > LIMITS.wasserstein


def test_a_product_that_training_has_not_seen_counts(panel):
    panel.series.loc[:1, "product_id"] = "new"
    panel.units[:2, : UNTIL + 1] = np.nan
    table = drift_table(panel, [FAST] * 6, AT, UNTIL, LIMITS)
    assert value(table, "product_id", "unseen_share") == pytest.approx(2 / 6)
    assert value(table, "store_id", "unseen_share") == pytest.approx(2 / 6)  # each store has one product
    assert value(table, "category", "unseen_share") == 0


def test_a_product_mix_that_turns_shows_in_the_categorical_index(panel):
    table = drift_table(panel, [FAST] * 6, AT, UNTIL, LIMITS)
    assert value(table, "product_id", "categorical_psi") < 0.01
    panel.units[[0, 3], AT - 1 :] *= 20
    table = drift_table(panel, [FAST] * 6, AT, UNTIL, LIMITS)
    assert value(table, "product_id", "categorical_psi") > LIMITS.categorical_psi


def test_growth_and_inflation_are_no_drift(panel):
    grown = hand_panel(
        panel.units * 1.01 ** np.arange(WEEKS),
        inputs={"price": 2 * 1.002 ** np.arange(WEEKS + 8)},
    )
    found = [values_of(grown, name, same_season(grown, AT, UNTIL)).mean() for name in ("units", "price")]
    now = [values_of(grown, name, recent(AT)).mean() for name in ("units", "price")]
    assert now == pytest.approx(found, abs=0.1)


def test_what_cannot_be_compared_has_no_value_and_stays_in_the_table(panel):
    table = drift_table(panel, [FAST] * 6, AT, 5, LIMITS)
    assert table.loc[table["measure"] == "psi", "value"].isna().all()
    rain = table[table["feature"] == "precipitation"]
    assert (rain["n"] == 0).all() and rain["value"].isna().all()


def test_each_segment_has_its_own_rows(panel):
    slow = Segment("R", "large", "slow")
    table = drift_table(panel, [FAST] * 3 + [slow] * 3, AT, UNTIL, LIMITS)
    assert table.groupby("speed").size().to_dict() == {"fast": 22, "slow": 22}
    assert set(table["week"]) == {panel.weeks[AT]}
