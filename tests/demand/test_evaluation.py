from collections.abc import Iterable
from dataclasses import replace
from math import sqrt

import numpy as np
import pandas as pd
import pytest

from demand.contracts import check, columns
from demand.evaluation import backtest, bootstrap_ratio, evaluate, report, summary
from demand.segments import Segment
from demand.splits import holdout_origins

FAST, SLOW = Segment("R", "large", "fast"), Segment("R", "large", "slow")
ORIGIN = pd.Timestamp("2024-01-01")


def table(*rows: tuple[str, str, float, float, float]) -> pd.DataFrame:
    """Backtest rows of (speed, product, actual, ensemble, baseline), week after week; intervals are +-2."""
    frame = pd.DataFrame(rows, columns=["speed", "product_id", "actual", "ensemble", "baseline"])
    ahead = frame.groupby("product_id").cumcount() + 1
    frame = frame.assign(
        region="R",
        format="large",
        store_id="S1",
        origin=ORIGIN,
        week=[ORIGIN + pd.Timedelta(weeks=int(weeks)) for weeks in ahead],
        horizon=ahead,
        lower=(frame["ensemble"] - 2).clip(lower=0),
        upper=frame["ensemble"] + 2,
        lasso=frame["ensemble"] + 1,
        network=frame["ensemble"],
    )
    return check("backtest", frame[columns("backtest")], "backtest")


@pytest.fixture(scope="module")
def rows() -> pd.DataFrame:
    return table(
        ("fast", "P1", 10.0, 12.0, 20.0),
        ("fast", "P1", 20.0, 15.0, 20.0),
        ("fast", "P1", 0.0, 3.0, 20.0),
        ("slow", "P2", 4.0, 8.0, 5.0),
    )


def test_a_report_holds_the_metrics_of_every_segment(rows):
    fast = report(rows, [FAST, SLOW]).iloc[0].to_dict()
    expected = {
        "region": "R",
        "format": "large",
        "speed": "fast",
        "mape": 22.5,  # (2 / 10 + 5 / 20) / 2
        "baseline_mape": 50.0,  # (10 / 10 + 0 / 20) / 2
        "rmse": sqrt(38 / 3),  # 4 + 25 + 9
        "rmse0": 3.0,
        "wape": 100 * 10 / 30,  # 2 + 5 + 3
        "bias": 0.0,  # 2 - 5 + 3
        "coverage": 100 / 3,  # 10 in [10, 14]; 20 in [13, 17]; 0 in [1, 5]
        "gain": 55.0,  # 1 - 22.5 / 50
        "n": 3,
        "verdict": "meets",
    }
    assert fast == pytest.approx(expected)


def test_a_segment_that_loses_to_the_baseline_misses(rows):
    slow = report(rows, [FAST, SLOW]).iloc[1]
    assert (slow["mape"], slow["gain"], slow["verdict"]) == (100, -300, "misses")  # 4 / 4 against 1 / 4


@pytest.mark.parametrize(
    ("forecast", "baseline", "verdict"),
    [
        (14.5, 20.0, "meets"),  # 45 % and 55 % below the baseline
        (14.6, 20.0, "misses"),  # 46 %
        (12.0, 13.3, "misses"),  # 20 %, but 39.4 % below
        (12.0, 13.4, "meets"),  # 41.2 % below
        (10.0, 10.0, "misses"),  # the baseline is right too: no gain over nothing
    ],
)
def test_a_segment_meets_both_targets_or_misses(forecast, baseline, verdict):
    assert report(table(("fast", "P1", 10.0, forecast, baseline)), [FAST])["verdict"].tolist() == [verdict]


@pytest.mark.parametrize("rows_", [[], [("slow", "P1", 0.0, 1.0, 1.0)], [("slow", "P1", np.nan, 1.0, 1.0)]])
def test_a_segment_that_cannot_be_scored_says_no_data(rows_):
    found = report(table(("fast", "P2", 10.0, 11.0, 20.0), *rows_), [FAST, SLOW])
    assert found["verdict"].tolist() == ["meets", "no data"]
    assert found["n"].tolist() == [1, len(rows_)]


def test_a_report_has_a_row_for_every_segment_asked_for_in_their_order(rows):
    found = report(rows, [SLOW, FAST, Segment("Q", "small", "fast")])
    assert found["speed"].tolist() == ["slow", "fast", "fast"]
    assert found["region"].tolist() == ["R", "R", "Q"]


def test_a_summary_is_over_all_rows(rows):
    expected = {
        "mape": 100 * (0.2 + 0.25 + 1) / 3,
        "lasso_mape": 100 * (0.3 + 0.2 + 1.25) / 3,  # 13, 16 and 9
        "network_mape": 100 * (0.2 + 0.25 + 1) / 3,
        "baseline_mape": 100 * (1 + 0 + 0.25) / 3,
        "wape": 100 * 14 / 34,
        "rmse": sqrt(54 / 4),  # 4 + 25 + 9 + 16
        "rmse0": 3.0,
        "bias": 100 * 4 / 34,
        "coverage": 25.0,
        "n": 4.0,
    }
    assert summary(rows) == pytest.approx(expected)


def paired(ours: Iterable[float], theirs: Iterable[float], actual: float = 10.0) -> pd.DataFrame:
    """One series per pair of forecasts, two weeks each, and a week without sales that says nothing."""
    rows = [
        {"store_id": f"S{i}", "product_id": "P", "actual": units, "ours": own, "theirs": other}
        for i, (own, other) in enumerate(zip(ours, theirs, strict=True))
        for units in (actual, actual, 0.0)
    ]
    return pd.DataFrame(rows)


def test_a_ratio_is_of_the_mapes_of_all_rows_that_sold():
    found = bootstrap_ratio(paired([11, 13], [12, 18]), "ours", "theirs", draws=50, seed=1)
    assert found[0] == pytest.approx(0.4)  # (1 + 3) / (2 + 8)


def test_a_ratio_that_is_the_same_in_every_series_is_certain():
    ratio, low, high = bootstrap_ratio(paired([11, 13, 8], [12, 16, 6]), "ours", "theirs", draws=50, seed=1)
    assert (ratio, low, high) == pytest.approx((0.5, 0.5, 0.5))


def drawn(count: int, seed: int) -> pd.DataFrame:
    """Forecasts of `count` series whose errors average 1 and 2 units: a ratio of one half."""
    random = np.random.default_rng(seed)
    return paired(10 + random.exponential(1, count), 10 + random.exponential(2, count))


def test_an_interval_narrows_with_more_series():
    widths = []
    for count in (10, 400):
        ratio, low, high = bootstrap_ratio(drawn(count, 0), "ours", "theirs", draws=400, seed=1)
        assert low < ratio < high
        widths.append(high - low)
    assert widths[1] < widths[0] / 3  # about the square root of 40


def test_an_interval_holds_the_true_ratio_in_about_95_of_100_sets():
    intervals = [bootstrap_ratio(drawn(60, seed), "ours", "theirs", draws=150, seed=1) for seed in range(60)]
    assert 0.85 <= np.mean([low <= 0.5 <= high for _, low, high in intervals]) <= 1
    assert np.mean([high - low for _, low, high in intervals]) < 0.4  # and it is not wide to no purpose


def test_whole_series_are_drawn_so_that_copies_of_a_week_do_not_narrow_the_interval():
    few = paired([11, 13, 12, 15], [12, 12, 15, 14])
    many = pd.concat([few] * 20, ignore_index=True)
    first, second = (bootstrap_ratio(each, "ours", "theirs", draws=200, seed=3) for each in (few, many))
    assert first == pytest.approx(second)


def test_the_same_seed_draws_the_same_interval():
    pairs = paired([11, 13, 12, 15], [12, 12, 15, 14])
    first, again, other = (
        bootstrap_ratio(pairs, "ours", "theirs", draws=40, seed=seed) for seed in (1, 1, 2)
    )
    assert first == again != other


@pytest.mark.trained
def test_evaluation_rows_are_every_series_origin_and_known_week(tiny_job, tiny_ensemble):
    data = tiny_job.data
    found = evaluate(data, tiny_ensemble, holdout_origins(data.last_week, tiny_job.config))
    assert len(check("backtest", found, "backtest")) == 64 * 2 * 4  # series x origins x weeks
    assert found["week"].max() == data.panels[0].weeks[data.last_week]
    assert ((found["week"] - found["origin"]).dt.days == 7 * found["horizon"]).all()
    keys = ["region", "store_id", "product_id", "origin", "week"]
    pd.testing.assert_frame_equal(found[keys], found[keys].sort_values(keys, ignore_index=True))


@pytest.mark.trained
def test_evaluation_holds_each_forecast_beside_its_own_actual_and_baseline(tiny_job, tiny_ensemble):
    data, origin = tiny_job.data, tiny_job.data.last_week - 4
    found = evaluate(data, tiny_ensemble, np.array([origin]))
    panel = data.panels[1]
    key = panel.series.iloc[5]
    own = found[
        (found[["region", "store_id", "product_id"]] == key[["region", "store_id", "product_id"]]).all(axis=1)
    ]
    np.testing.assert_allclose(own["actual"], panel.units[5, origin + 1 : origin + 5])
    series = len(data.panels[0].series) + 5
    np.testing.assert_allclose(own["baseline"], data.mean_units(tiny_ensemble.origin)[series])
    assert ((own["lower"] <= own["ensemble"]) & (own["ensemble"] <= own["upper"])).all()


@pytest.mark.trained
def test_a_week_that_is_not_known_yet_is_not_judged(tiny_job, tiny_ensemble):
    last = tiny_job.data.last_week
    assert set(evaluate(tiny_job.data, tiny_ensemble, np.array([last - 1]))["horizon"]) == {1}


@pytest.mark.trained
def test_segments_are_those_the_model_was_trained_with(tiny_job, tiny_ensemble):
    slow = replace(tiny_ensemble, speeds=tiny_ensemble.speeds.assign(speed="slow"))
    assert set(evaluate(tiny_job.data, slow, np.array([tiny_job.data.last_week - 1]))["speed"]) == {"slow"}


@pytest.mark.trained
def test_a_backtest_refits_at_every_origin_on_the_weeks_before_it(tiny_job):
    told: list[tuple[int, int]] = []
    config = replace(tiny_job.config, lasso=replace(tiny_job.config.lasso, passes=0, alphas=3))
    config = replace(config, network=replace(config.network, min_steps=2))
    last = tiny_job.data.last_week
    origins = np.array([last - 8, last - 4])
    found = backtest(replace(tiny_job, config=config), origins, lambda at, part: told.append((at, len(part))))
    assert told == [(last - 8, 256), (last - 4, 256)]
    assert sorted(set(found["origin"])) == [tiny_job.data.panels[0].weeks[at] for at in origins]
    first, second = (part["baseline"].to_numpy() for _, part in found.groupby("origin"))
    assert not np.allclose(first, second)  # the average of the series at its own origin
    np.testing.assert_allclose(sorted(set(first)), sorted(set(tiny_job.data.mean_units(last - 8))))
