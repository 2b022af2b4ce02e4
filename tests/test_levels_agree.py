"""The same data and the same seed give the same report and forecasts at every level."""

import contextlib
import importlib.util
import runpy
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

import matplotlib
import numpy as np
import pandas as pd
import pytest

from demand import metrics
from demand.conditioning import condition
from demand.sources import read_raw, write_raw

REGION = "R01"
AGREE = 1e-6  # relative, per segment
ROWWISE = 1e-5  # of one forecast: float32 sums in another order in the ONNX graph
SEGMENT = ["region", "format", "speed"]
ROW = ["region", "store_id", "product_id", "week", "horizon"]
STEPS = ["1_explore", "2_condition", "3_train", "4_evaluate", "5_hand_over_and_score"]

# Seconds, not accuracy. The gate of level 1 may not stand in the way of models as poor as these.
SMALL = """
[training]
stride = 4

[lasso]
alphas = 3
passes = 1

[network]
epochs = 2
min_steps = 4

[gate]
level = 0.5

[pipeline]
workers = 1
"""


@dataclass(frozen=True)
class Pilot:
    """A run of level 0: its folder, what it left, and what each notebook defined."""

    place: Path
    names: dict[str, dict[str, object]]

    @property
    def store(self) -> Path:
        return self.place.parent / ".store" / "level0"


def run_steps(place: Path, steps: list[str], source: Path) -> dict[str, dict[str, object]]:
    """Runs notebooks' code, as `make level0` does, in the folder `place`; what each of them defined."""
    matplotlib.use("Agg")
    names = {}
    with contextlib.chdir(place), matplotlib.rc_context():
        for step in steps:
            names[step] = runpy.run_path(str(source / f"{step}.py"))
        matplotlib.pyplot.close("all")
    return names


def empty_place(root: Path, folder: Path) -> Path:
    """A folder to run notebooks in: the data, the settings and the blank form."""
    shutil.copytree(root / "shared" / "data" / "tiny", folder / "shared" / "data" / "tiny")
    place = folder / "level0_manual"
    shutil.copytree(root / "level0_manual" / "handoff", place / "handoff")
    (place / "settings.toml").write_text(SMALL, encoding="utf-8")
    return place


@pytest.fixture(scope="module")
def pilot(root, tmp_path_factory):
    place = empty_place(root, tmp_path_factory.mktemp("level0"))
    return Pilot(place, run_steps(place, STEPS, root / "level0_manual"))


@pytest.fixture(scope="module")
def level1(pilot, tiny_raw_folder, tmp_path_factory):
    """The store of level 1, trained and scored by its commands on the data and settings of the pilot."""
    from level1_pipeline.__main__ import main

    folder = tmp_path_factory.mktemp("level1")
    write_raw(read_raw(tiny_raw_folder).region(REGION), folder / "raw")
    shared = ["--data", str(folder / "raw"), "--env-dir", str(folder / "store"), "--quiet"]
    settings = ["--config", str(pilot.place / "settings.toml"), "--no-tracking"]
    assert main(["train", *shared, *settings]) == 0
    assert main(["score", *shared, "--out", str(folder / "store" / "forecasts.parquet")]) == 0
    return folder / "store"


def disagreements(level0: Path, level1: Path) -> list[str]:
    """Segments, each with the column, in which two stores differ by more than AGREE."""
    return [*of_reports(level0, level1), *of_forecasts(level0, level1)]


def of_reports(level0: Path, level1: Path) -> list[str]:
    ours, theirs = (
        pd.read_csv(store / "report.csv").set_index(SEGMENT).sort_index() for store in (level0, level1)
    )
    assert len(ours) == 4 and ours.index.equals(theirs.index)
    found = []
    for column in ours.columns:
        numbers = pd.api.types.is_numeric_dtype(ours[column])
        same = (
            np.isclose(ours[column], theirs[column], rtol=AGREE, atol=0, equal_nan=True) if numbers else None
        )
        same = ours[column] == theirs[column] if same is None else same
        found += [f"report {column} {'-'.join(segment)}" for segment in ours.index[~np.asarray(same)]]
    return found


def of_forecasts(level0: Path, level1: Path) -> list[str]:
    """Sum of the differences of a segment's forecasts over the sum of its forecasts, and row by row."""
    ours = pd.read_csv(level0 / "forecasts.csv", parse_dates=["week"])
    theirs = pd.read_parquet(level1 / "forecasts.parquet")
    assert set(theirs["source"]) == {"champion"}, theirs["reason"].unique()
    both = ours.merge(theirs, on=ROW, suffixes=("", "_automated"))
    assert len(both) == len(ours) == len(theirs) == 128
    segments = pd.read_csv(level0 / "backtest.csv").drop_duplicates(["store_id", "product_id"])
    both = both.merge(segments[["store_id", "product_id", "format", "speed"]])
    found = []
    for segment, rows in both.groupby(SEGMENT):
        for column in ("units", "lower", "upper"):
            expected = rows[f"{column}_automated"]
            apart = (rows[column] - expected).abs()
            if not (
                apart.sum() <= AGREE * expected.sum() and (apart <= ROWWISE * expected.clip(lower=1)).all()
            ):
                found.append(f"forecasts {column} {'-'.join(segment)}")
    return found


@pytest.mark.trained
def test_level_0_and_level_1_agree_on_report_and_forecasts(pilot, level1):
    assert disagreements(pilot.store, level1) == []


@pytest.mark.trained
def test_the_hand_typed_tables_equal_those_of_demand(pilot, tiny_raw_folder):
    expected = condition(read_raw(tiny_raw_folder, region=REGION))
    for name in ("weekly", "outlook"):
        typed = pd.read_parquet(pilot.store / f"{name}.parquet")
        pd.testing.assert_frame_equal(typed, getattr(expected, name), rtol=1e-13)


ACTUAL, FORECAST = np.array([10.0, 0.0, 4.0, 20.0]), np.array([8.0, 1.0, 5.0, 20.0])


@pytest.mark.trained
@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("mape", 100 * (2 / 10 + 1 / 4 + 0 / 20) / 3),  # the week without sales is left out
        ("wape", 100 * (2 + 1 + 1 + 0) / 34),
        ("rmse", (6 / 4) ** 0.5),  # squares 4, 1, 1, 0
        ("rmse_zero", 1.0),
        ("bias", 0.0),  # -2 + 1 + 1 + 0
    ],
)
def test_a_hand_typed_metric_equals_that_of_demand_and_the_sum_on_paper(pilot, name, expected):
    typed = pilot.names["4_evaluate"][name]
    assert typed(ACTUAL, FORECAST) == pytest.approx(expected, rel=1e-12)
    assert typed(ACTUAL, FORECAST) == pytest.approx(getattr(metrics, name)(ACTUAL, FORECAST), rel=1e-12)


@pytest.mark.trained
def test_the_hand_typed_coverage_equals_that_of_demand(pilot):
    lower, upper = ACTUAL - np.array([0, 1, 0, -1]), ACTUAL + np.array([0, -1, 9, 2])  # 10 and 4 lie inside
    assert pilot.names["4_evaluate"]["coverage"](ACTUAL, lower, upper) == 50.0
    assert metrics.coverage(ACTUAL, lower, upper) == 50.0


@pytest.mark.trained
def test_where_every_week_sold_there_is_no_error_of_unsold_weeks(pilot):
    assert np.isnan(pilot.names["4_evaluate"]["rmse_zero"](ACTUAL + 1, FORECAST))
    assert np.isnan(metrics.rmse_zero(ACTUAL + 1, FORECAST))


# The agreement bites: one small change in a copy, and it turns red.


@pytest.fixture
def copy(root, pilot, tmp_path):
    """A copy of the notebooks beside a copy of what they left."""
    shutil.copytree(pilot.place.parent, tmp_path, dirs_exist_ok=True)
    for step in STEPS:
        shutil.copy(root / "level0_manual" / f"{step}.py", tmp_path / "level0_manual")
    return Pilot(tmp_path / "level0_manual", {})


def edit(path: Path, before: str, after: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.count(before) == 1, f"{path.name} has {before!r} {text.count(before)} times"
    path.write_text(text.replace(before, after), encoding="utf-8")


@pytest.mark.trained
def test_one_epoch_more_turns_the_agreement_red(copy, level1):
    edit(copy.place / "settings.toml", "epochs = 2", "epochs = 3")
    run_steps(copy.place, STEPS[2:], copy.place)
    found = " ".join(disagreements(copy.store, level1))
    assert "report mape" in found and "forecasts units" in found


@pytest.mark.trained
def test_one_lag_more_turns_the_agreement_red(copy, level1, monkeypatch):
    monkeypatch.setattr("demand.features.history.LAGS", (0, 1, 2, 4))  # of 0 to 3 weeks, the last one moved
    run_steps(copy.place, STEPS[2:], copy.place)
    found = " ".join(disagreements(copy.store, level1))
    assert "report mape" in found and "forecasts units" in found


@pytest.mark.trained
def test_a_week_of_the_split_moved_turns_the_agreement_red(copy, level1):
    edit(copy.place / "3_train.py", "return np.arange(column - 1,", "return np.arange(column - 2,")
    run_steps(copy.place, STEPS[2:4], copy.place)
    assert "report mape" in " ".join(of_reports(copy.store, level1))


@pytest.mark.trained
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_one_zero_mask_changed_turns_the_agreement_red(copy, level1):
    """Weeks without sales get a percentage too: no forecast changes, a metric does."""
    edit(copy.place / "4_evaluate.py", "sold = actual > 0", "sold = actual >= 0")
    run_steps(copy.place, STEPS[3:4], copy.place)
    assert {each.split()[1] for each in of_reports(copy.store, level1)} >= {"mape", "baseline_mape", "gain"}
    assert of_forecasts(copy.store, level1) == []


@pytest.mark.trained
def test_absent_weeks_not_taken_for_zero_turn_the_tables_red(copy, tiny_raw_folder):
    edit(copy.place / "2_condition.py", 'table["units_shipped"].fillna(0.0)', 'table["units_shipped"]')
    run_steps(copy.place, STEPS[1:2], copy.place)
    with pytest.raises(AssertionError, match=r"shipped|units"):
        test_the_hand_typed_tables_equal_those_of_demand(copy, tiny_raw_folder)


# What each level leaves behind, asked the same eight questions.


@pytest.fixture(scope="module")
def audit(root):
    spec = importlib.util.spec_from_file_location("level0_audit", root / "level0_manual" / "audit.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.mark.trained
def test_the_readme_says_what_level_0_cannot_answer_and_what_a_run_costs(root, pilot, audit, tiny_raw_folder):
    left = audit.Left(pilot.store, tiny_raw_folder, pilot.place / "settings.toml")
    store = audit.hashes(pilot.store)
    shown = (root / "level0_manual" / "README.md").read_text(encoding="utf-8").splitlines()
    measured = (
        "| seconds",
        "| of these",
        "| files that change",
        "| files that then",
    )  # these need three runs
    figures = audit.figures(0, (store, store, store), audit.unanswered(left)).splitlines()
    assert [line for line in figures if not line.startswith(measured) and line not in shown] == []


@pytest.mark.trained
def test_level_1_leaves_what_answers_the_questions_that_level_0_cannot(pilot, level1, audit):
    left = audit.Left(level1, level1.parent / "raw", pilot.place / "settings.toml")
    still_open = audit.unanswered(left)
    answered = {
        "Which data was it trained on?",
        "Which settings?",
        "How stale is it?",
        "Which model made this forecast?",
    }
    assert answered & set(still_open) == set()
