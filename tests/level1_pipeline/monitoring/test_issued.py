import os
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from demand.contracts import columns
from demand.errors import DataError, IntegrityError
from level1_pipeline.monitoring.issued import append_forecasts, issued_files, read_issued

MONDAY = pd.Timestamp("2026-06-08")


def issued(version: str = "v1", units: float = 5.0, as_of: pd.Timestamp = MONDAY) -> pd.DataFrame:
    """Two series, two weeks ahead."""
    frame = pd.DataFrame({"store_id": ["S1", "S1", "S2", "S2"], "horizon": [1, 2, 1, 2]})
    found = frame.assign(
        region="R01",
        product_id="P1",
        week=as_of + pd.to_timedelta(7 * frame["horizon"], unit="D"),
        units=units,
        lower=1.0,
        upper=9.0,
        source="champion",
        model_version=version,
        trained_at=pd.Timestamp("2026-06-09"),
        data_hash="abc",
        reason="",
        format="large",
        speed="fast",
        baseline=4.0,
    )
    return found[columns("issued")].astype({"week": "datetime64[us]", "trained_at": "datetime64[us]"})


def names(store: Path) -> list[str]:
    return [path.name for _, path in issued_files(store)]


def test_a_scoring_run_is_one_file_named_by_its_date_and_model(tmp_path):
    path = append_forecasts(tmp_path, issued())
    assert path == tmp_path / "monitoring" / "forecasts" / "2026-06-08-v1.parquet"
    found = read_issued(tmp_path, date(2026, 6, 8), date(2026, 6, 8))
    pd.testing.assert_frame_equal(found, issued(), check_dtype=False)


def test_the_same_rows_again_change_nothing(tmp_path):
    before = append_forecasts(tmp_path, issued()).read_bytes()
    assert append_forecasts(tmp_path, issued()).read_bytes() == before
    assert not (tmp_path / "monitoring" / "forecasts" / "superseded").exists()


@pytest.mark.parametrize("again", [issued("v2"), issued(units=6.0)])
def test_a_later_run_of_the_same_date_counts_and_the_earlier_one_is_kept(tmp_path, again):
    before = append_forecasts(tmp_path, issued()).read_bytes()
    path = append_forecasts(tmp_path, again)
    assert names(tmp_path) == [path.name]
    (aside,) = (path.parent / "superseded").iterdir()
    assert aside.read_bytes() == before


def test_runs_are_read_by_their_dates(tmp_path):
    for weeks in range(3):
        append_forecasts(tmp_path, issued(as_of=MONDAY + pd.Timedelta(weeks=weeks)))
    assert len(read_issued(tmp_path, date(2026, 6, 15), date(2026, 6, 22))) == 8
    assert read_issued(tmp_path, date(2025, 1, 6), date(2025, 1, 6)).empty


def test_rows_of_two_runs_are_refused(tmp_path):
    both = pd.concat([issued(), issued(as_of=MONDAY + pd.Timedelta(weeks=4))])
    with pytest.raises(DataError, match="expected forecasts of one scoring run; got 2026-06-08, 2026-07-06"):
        append_forecasts(tmp_path, both)


def test_a_row_that_breaks_the_contract_is_refused_and_nothing_is_written(tmp_path):
    with pytest.raises(DataError, match="column baseline"):
        append_forecasts(tmp_path, issued().assign(baseline=np.nan))
    assert not (tmp_path / "monitoring").exists()


def test_a_file_cut_off_anywhere_is_noticed(tmp_path):
    path = append_forecasts(tmp_path, issued())
    os.truncate(path, path.stat().st_size - 20)
    with pytest.raises(IntegrityError, match=r"2026-06-08-v1\.parquet: expected the table `issued` whole"):
        read_issued(tmp_path, date(2026, 6, 8), date(2026, 6, 8))


def test_what_a_killed_writer_left_is_not_read(tmp_path):
    path = append_forecasts(tmp_path, issued())
    (path.parent / f".{path.name}.x1.part").write_bytes(b"half")
    assert names(tmp_path) == [path.name]


@pytest.mark.parametrize("name", ["2026-06-08-v2.parquet", "latest-v1.parquet"])
def test_a_second_file_of_a_date_or_one_without_a_date_is_named(tmp_path, name):
    path = append_forecasts(tmp_path, issued())
    (path.parent / name).write_bytes(path.read_bytes())
    with pytest.raises(DataError, match=name):
        issued_files(tmp_path)
