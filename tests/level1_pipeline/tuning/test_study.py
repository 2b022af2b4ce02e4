"""The search with a judge that needs no training: its error is least where dropout is 0.1."""

import itertools
import math
from dataclasses import asdict, replace
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from demand.config import Config, load_config
from demand.errors import UsageError
from demand.features import Panel
from level1_pipeline.deliveries import Delivery
from level1_pipeline.tuning import study
from level1_pipeline.tuning.folds import Data
from level1_pipeline.tuning.outcome import as_toml, confirm
from level1_pipeline.tuning.study import COMPLETE, PRUNED, Bench, Order, best_of, search

STORES = [f"S{number:02d}" for number in range(40)]


def judged(gain=1.0, worse_later=0.0):
    """A judge whose relative error is 0.2 + gain x the distance of dropout from 0.1, a little by series."""

    def judge(_data, fold, config, _workers):
        wrong = 0.2 + gain * abs(config.network.dropout - 0.1)
        if fold.confirms and config.network.dropout != 0.2:
            wrong += worse_later
        noise = np.linspace(-0.01, 0.01, len(STORES))
        return pd.DataFrame(
            {
                "region": np.where(np.arange(len(STORES)) % 2, "R01", "R02"),
                "format": "large",
                "speed": "fast",
                "store_id": STORES,
                "product_id": "P1",
                "origin": pd.Timestamp("2026-01-05"),
                "week": pd.Timestamp("2026-01-12"),
                "actual": 100.0,
                "ensemble": 100 * (1 + wrong + noise),
            }
        )

    return judge


def data():
    series = pd.DataFrame(
        {
            "region": ["R01", "R02"],
            "store_id": ["S00", "S01"],
            "product_id": "P1",
            "format": "large",
            "category": "c",
        }
    )
    weeks = pd.date_range("2024-01-01", periods=108, freq="7D")
    panel = Panel(series, weeks, np.ones((2, 100), np.float32), {}, {}, np.zeros((2, 108), int), ("",))
    delivery = Delivery("test", date(2025, 11, 24), {}, 0, series, lambda _: None)
    return Data(delivery, (panel,), {})


def bench(folder: Path, trials=4, **changes):
    return Bench.of(replace(Order(folder, folder, Config(), trials, folds=2), **changes), data())


@pytest.fixture
def told():
    return []


@pytest.fixture(autouse=True)
def judge(monkeypatch):
    monkeypatch.setattr(study, "judge", judged())


def test_the_first_trial_is_the_settings_as_they_are(tmp_path, told):
    found = search(bench(tmp_path, 2), told.append)
    assert found[0].values["network.dropout"] == Config().network.dropout
    assert found == told
    # 0.2 + |0.2 - 0.1|, on either fold
    assert found[0].errors == {"fold 1": pytest.approx(30.0), "fold 2": pytest.approx(30.0)}


def test_the_same_seed_tries_the_same_values(tmp_path, told):
    one, other = (search(bench(tmp_path / name), told.append) for name in ("one", "other"))
    assert one == other


def test_a_search_that_was_killed_goes_on_as_if_it_had_not_been(tmp_path, told, monkeypatch):
    whole = search(bench(tmp_path / "whole", 7), told.append)
    calls = itertools.count()

    def killed(*arguments):
        if next(calls) == 8:
            raise KeyboardInterrupt
        return judged()(*arguments)

    monkeypatch.setattr(study, "judge", killed)
    with pytest.raises(KeyboardInterrupt):
        search(bench(tmp_path / "cut", 7), told.append)
    before = len(told)
    assert search(bench(tmp_path / "cut", 7), told.append) == whole
    assert len(told) < before + 7  # trials that had ended are not done again


def test_more_trials_of_the_same_study_begin_where_it_ended(tmp_path, told):
    first = search(bench(tmp_path, 3), told.append)
    assert search(bench(tmp_path, 5), told.append)[:3] == first
    assert len(told) == 5


def test_a_trial_that_is_worse_than_half_of_the_others_is_cut_off_after_its_first_fold(tmp_path, told):
    found = search(bench(tmp_path, 14), told.append)
    pruned = [each for each in found if each.state == PRUNED]
    assert pruned and all(list(each.errors) == ["fold 1"] for each in pruned)
    assert all(each.number >= study.STARTUP for each in pruned)
    assert all(len(each.errors) == 2 for each in found if each.state == COMPLETE)


def test_the_best_trial_that_is_certainly_better_is_written(tmp_path, told):
    at = bench(tmp_path, 8)
    found = search(at, told.append)
    outcome = confirm(at, found)
    assert outcome.certain and outcome.best == best_of(found)
    file = tmp_path / "tuned.toml"
    file.write_text(as_toml(at, found, outcome))
    tuned = load_config(file, {})
    assert tuned.network.dropout == outcome.best.values["network.dropout"] != Config().network.dropout
    assert "# Certainly better" in file.read_text()
    plain = asdict(tuned)
    for name in outcome.best.values:
        section, key = name.split(".")
        plain[section][key] = asdict(Config())[section][key]
    assert plain == asdict(Config())


@pytest.mark.parametrize(
    ("judge_", "sentence"),
    [(judged(0.0), "Nothing was better"), (judged(1.0, 0.2), "Not certainly better")],
    ids=["no difference", "not on the fold it never saw"],
)
def test_where_nothing_is_certainly_better_the_settings_stay(tmp_path, monkeypatch, judge_, sentence):
    monkeypatch.setattr(study, "judge", judge_)
    at = bench(tmp_path, 8)
    found = search(at, lambda _: None)
    outcome = confirm(at, found)
    file = tmp_path / "tuned.toml"
    file.write_text(as_toml(at, found, outcome))
    assert not outcome.certain
    assert load_config(file, {}) == Config()
    assert f"# {sentence}" in file.read_text()


def test_the_head_of_the_file_says_before_after_and_how_sure_that_is(tmp_path, told):
    at = bench(tmp_path, 8, group="R01")
    found = search(at, told.append)
    outcome = confirm(at, found)
    text = as_toml(at, found, outcome)
    for fold in ("fold 1", "fold 2", "confirming"):
        assert f"# {fold}: {outcome.before[fold]:.2f} before, {outcome.after[fold]:.2f} after" in text
    assert at.folder.name in text and at.data.delivery.data_hash in text
    assert "# All segments together there: ratio" in text
    # The mean of the logs and its bound agree with the folds; all three gain alike, so the bound is near it.
    steps = [math.log(outcome.after[fold] / outcome.before[fold]) for fold in outcome.before]
    assert outcome.change[0] == pytest.approx(sum(steps) / 3)
    assert outcome.change[1] >= outcome.change[0]


def test_settings_that_are_not_the_defaults_are_in_the_file_too(tmp_path, told):
    base = load_config(
        None, {"network.epochs": "3", "forecast.objective": "balanced", "network.hidden": "[8, 4]"}
    )
    at = bench(tmp_path, 2, config=base)
    found = search(at, told.append)
    file = tmp_path / "tuned.toml"
    file.write_text(as_toml(at, found, replace(confirm(at, found), best=found[0])))
    assert load_config(file, {}) == base


def test_other_data_or_settings_are_another_study(tmp_path):
    names = {
        bench(tmp_path, **changes).folder.name
        for changes in (
            {},
            {"folds": 3},
            {"config": load_config(None, {"network.epochs": "3"})},
            {"group": "R01"},
        )
    }
    assert len(names) == 4


def test_a_group_that_is_not_in_the_data_is_refused_before_anything_is_tried(tmp_path):
    with pytest.raises(UsageError, match="--group: expected one of all, R01, R02, large"):
        bench(tmp_path, group="R07")
