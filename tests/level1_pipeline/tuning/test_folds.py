from datetime import date

import pandas as pd
import pytest

from demand.config import Config, TrainingConfig, load_config
from demand.errors import DataError, UsageError
from demand.splits import holdout_origins
from level1_pipeline.tuning.folds import before_holdout, error, folds, judge, last_tuned, of_group

TABLE = pd.DataFrame(
    {
        "region": ["R01", "R01", "R02"],
        "format": ["large", "small", "small"],
        "speed": ["fast", "fast", "slow"],
        "actual": [10.0, 20.0, 40.0],
        "ensemble": [11.0, 30.0, 40.0],
    }
)


def test_no_fold_has_a_week_that_judges_models():
    # 100 known weeks: columns 0 to 99; training judges by columns 92 to 99
    first_judged = int(holdout_origins(99, Config()).min()) + 1
    for fold in folds(first_judged - 1, Config(), 3):
        assert fold.origin + 8 <= first_judged - 1


def test_the_fold_that_confirms_comes_after_those_that_are_searched_on():
    confirming, *searched = folds(91, Config(), 3)
    assert confirming.confirms and not any(fold.confirms for fold in searched)
    # 91 - 8, and a quarter of a year before it each
    assert [confirming.origin, *(fold.origin for fold in searched)] == [83, 70, 57, 44]
    assert all(fold.origin + 8 < confirming.origin for fold in searched)


def test_too_few_weeks_for_the_folds_are_refused():
    # 8 to train, 4 ahead, 8 to choose; 8 judged, and 3 folds 13 weeks apart: 20 + 8 + 39 + 1 weeks
    assert len(folds(67, Config(), 3)) == 4
    with pytest.raises(DataError, match=r"expected at least 68 before the holdout for 3 folds.*got 67"):
        folds(66, Config(), 3)


@pytest.mark.parametrize(
    ("weeks", "last"), [(8, date(2026, 4, 20)), (10, date(2026, 4, 20)), (4, date(2026, 5, 18))]
)
def test_the_last_week_is_the_one_before_training_judges(weeks, last):
    assert last_tuned(date(2026, 6, 15), Config(training=TrainingConfig(holdout_weeks=weeks))) == last


def test_no_week_that_judges_models_is_in_memory(tiny_raw_folder):
    data = before_holdout(tiny_raw_folder, Config(), 1.9)
    assert data.delivery.as_of == date(2026, 4, 20)
    for panel in data.panels:
        assert panel.weeks[panel.n_known - 1] == pd.Timestamp("2026-04-20")


@pytest.mark.parametrize(("group", "rows"), [("all", 3), ("R01", 2), ("small", 2), ("slow", 1)])
def test_a_group_is_a_region_a_format_a_speed_or_everything(group, rows):
    assert len(of_group(TABLE, group)) == rows


def test_a_group_that_is_not_there_is_refused_with_those_that_are():
    with pytest.raises(
        UsageError, match="expected one of all, R01, R02, large, small, fast, slow; got 'R09'"
    ):
        of_group(TABLE, "R09")


def test_the_error_is_the_one_that_the_objective_makes_least():
    # relative: 10 %, 50 %, 0 %; absolute: (1 + 10 + 0) / 70
    assert error(TABLE, Config()) == pytest.approx(20.0)
    balanced = load_config(None, {"forecast.objective": "balanced"})
    assert error(TABLE, balanced) == pytest.approx(100 * 11 / 70)


@pytest.mark.trained
def test_a_fold_judges_two_horizons_after_its_origin(tiny_raw_folder):
    small = {"network.min_steps": "10", "network.epochs": "1", "training.stride": "8", "lasso.passes": "0"}
    config = load_config(None, {**small, "lasso.alphas": "3", "network.tune_epochs": "0"})
    data = before_holdout(tiny_raw_folder, config, 1.9)
    fold = folds(data.last_week, config, 2)[0]
    table = judge(data, fold, config, 1)
    weeks = data.panels[0].weeks
    assert sorted(table["week"].unique()) == list(weeks[fold.origin + 1 : fold.origin + 9])
    assert error(table, config) < error(table.assign(ensemble=table["baseline"]), config)
