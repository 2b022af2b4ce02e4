import pandas as pd
import pytest

from demand.config import Config
from demand.contracts import check
from demand.errors import UsageError
from level1_pipeline.backtesting import spread_origins


def test_the_last_origin_lies_a_horizon_before_the_end():
    # The last week is column 99, the horizon 4: from 95 on, 3 weeks apart.
    assert spread_origins(99, Config(), 3, 3).tolist() == [89, 92, 95]


def test_no_origin_is_refused():
    with pytest.raises(UsageError, match="whole numbers from 1 up; got 0 and 4"):
        spread_origins(99, Config(), 0, 4)


@pytest.mark.trained
def test_a_backtest_has_a_row_per_series_origin_and_horizon(tiny_raw_folder, tmp_path, cli, small):
    out = tmp_path / "backtest.parquet"
    options = ["--data", tiny_raw_folder, "--origins", 2, "--step", 2, "--out", out]
    outcome = cli("backtest", *options, *small)
    assert outcome.code == 0, outcome.err
    table = check("backtest", pd.read_parquet(out), "backtest")
    assert len(table) == 64 * 2 * 4  # series x origins x weeks
    assert sorted(table["origin"].unique()) == [pd.Timestamp("2026-05-04"), pd.Timestamp("2026-05-18")]
    assert ((table["week"] - table["origin"]).dt.days == 7 * table["horizon"]).all()
    report = pd.read_csv(tmp_path / "backtest-report.csv")
    assert len(report) == 8 and report["n"].sum() == len(table)
    assert "backtest\n" in outcome.err and "2 of 2" in outcome.err
    assert "R02" in outcome.out and "All rows: MAPE" in outcome.out


def test_more_origins_than_weeks_are_refused(tiny_raw_folder, tmp_path, cli):
    out = tmp_path / "backtest.parquet"
    outcome = cli("backtest", "--data", tiny_raw_folder, "--origins", 40, "--out", out)
    assert outcome.code == 2
    assert "known weeks up to the origin" in outcome.err
    assert not out.exists()
