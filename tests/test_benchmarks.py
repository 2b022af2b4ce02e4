"""The machinery of `make benchmark` on the tiny data set: the same rows for every method, the keys."""

import json
from importlib.util import find_spec

import pandas as pd
import pytest

pytestmark = pytest.mark.benchmark
PEERS = ("lightgbm", "mlforecast", "statsforecast", "polars", "altair", "vl_convert", "psutil")
KEYS = {
    "dataset",
    "method",
    "mape",
    "wape",
    "rmse",
    "rmse0",
    "bias",
    "fit_seconds",
    "predict_seconds",
    "peak_mb",
}
METHODS = ["historical-average", "oracle", "mlforecast-lightgbm-plain"]
ORIGINS = 2


@pytest.fixture(scope="module", autouse=True)
def _modules(root):
    """Makes the modules of the benchmarks importable, and hides the real data sets."""
    for name in PEERS:
        if find_spec(name) is None:
            pytest.skip(f"{name} is not installed: it comes with the extra `benchmark`")
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(root / "tests" / "benchmarks"))
        patch.delenv("DEMAND_REAL_DATA", raising=False)
        yield


@pytest.fixture(scope="module")
def out(tmp_path_factory):
    folder = tmp_path_factory.mktemp("benchmark")
    _run(folder, METHODS)
    return folder


def test_the_figures_have_the_promised_keys_and_the_oracle_leads(out):
    lines = json.loads((out / "benchmark.json").read_text(encoding="utf-8"))
    assert [set(line) for line in lines] == [KEYS] * len(METHODS)
    assert {line["method"] for line in lines} == set(METHODS)
    assert min(lines, key=lambda line: line["mape"])["method"] == "oracle"
    assert {line["dataset"] for line in lines} == {"tiny"}


def test_every_method_is_scored_on_the_same_rows(out):
    keys = ["store_id", "product_id", "origin", "week", "actual"]
    tables = {
        path: pd.read_parquet(path) for path in sorted((out / "benchmark-cache" / "tiny").glob("*.parquet"))
    }
    assert len(tables) == ORIGINS * len(METHODS)
    for origin in {table["origin"].iloc[0] for table in tables.values()}:
        rows = [table[keys] for table in tables.values() if table["origin"].iloc[0] == origin]
        assert all(each.equals(rows[0]) for each in rows)


def test_a_second_run_measures_nothing_again(out, capsys):
    _run(out, METHODS)
    assert "6 cells, 6 of them kept" in capsys.readouterr().out


def test_sets_that_are_not_there_are_named(out):
    page = (out / "benchmark.md").read_text(encoding="utf-8")
    assert "- walmart: DEMAND_REAL_DATA is not set" in page
    assert "- demo: nothing measured yet" in page


def test_an_unknown_method_is_refused_by_name(tmp_path):
    with pytest.raises(SystemExit, match="unknown: guesswork; allowed: ensemble"):
        _run(tmp_path, ["guesswork"])


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda rows: rows.iloc[1:], "expected all 3 rows of the task, 1 have none"),
        (lambda rows: pd.concat([rows, rows.iloc[:1]]), "some are doubled"),
    ],
)
def test_a_missing_or_doubled_forecast_is_refused(spoil, message):
    from task import aligned

    rows = pd.DataFrame(
        {"store_id": ["1", "1", "2"], "product_id": "7", "origin": 1, "week": [2, 3, 2], "actual": 1.0}
    )
    task = type("Task", (), {"rows": rows})()
    forecasts = rows.drop(columns="actual").assign(guess=1.0)
    assert list(aligned(task, forecasts)["guess"]) == [1.0, 1.0, 1.0]
    with pytest.raises(ValueError, match=message):
        aligned(task, spoil(forecasts))


def test_lag_features_of_all_contenders_agree(tmp_path):
    from cells import ONE_THREAD
    from lags import CONTENDERS, measure

    found = measure(tmp_path, ONE_THREAD, n_series=200)
    assert [line["method"] for line in found] == list(CONTENDERS)
    assert all(line["same"] for line in found)


def _run(folder, methods):
    from run import main

    main(["--only", "tiny", "--methods", ",".join(methods), "--out", str(folder)])
