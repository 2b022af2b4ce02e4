import json
import shutil
import subprocess
import sys

import pandas as pd
import pyarrow.parquet as pq
import pytest

from demand.contracts import SCHEMAS, check
from demand.sources import read_raw, write_raw

pytestmark = pytest.mark.trained
AS_OF = "2026-04-20"


@pytest.fixture(scope="module")
def scored(trained_store, tiny_raw_folder, tmp_path_factory, cli):
    out = tmp_path_factory.mktemp("scored") / "forecasts.parquet"
    options = ["--data", tiny_raw_folder, "--as-of", AS_OF, "--env-dir", trained_store]
    outcome = cli("score", *options, "--out", out)
    assert outcome.code == 0, outcome.err
    return outcome, out


def test_forecasts_keep_their_contract(scored):
    table = check("forecasts", pd.read_parquet(scored[1]), "forecasts")
    assert list(table.columns) == list(SCHEMAS["forecasts"].columns)
    assert len(table) == 64 * 4  # series x weeks
    assert sorted(table["week"].unique()) == list(pd.date_range("2026-04-27", periods=4, freq="7D"))
    assert set(table["source"]) == {"champion"}
    assert set(table["horizon"]) == {1, 2, 3, 4}


def test_no_flipped_bit_of_the_file_passes_for_data(scored, tmp_path):
    content = scored[1].read_bytes()
    whole = pq.read_table(scored[1])
    refused = 0
    for place in range(4, len(content) // 2, 199):
        flipped = bytearray(content)
        flipped[place] ^= 4
        (tmp_path / "flipped.parquet").write_bytes(bytes(flipped))
        try:
            table = pq.read_table(tmp_path / "flipped.parquet", page_checksum_verification=True)
        except (OSError, ValueError):
            refused += 1
            continue
        assert table.equals(whole)
    assert refused > 5


def test_the_summary_says_where_the_rows_came_from_and_where_they_are(scored):
    assert f"256 rows as of the week of {AS_OF}" in scored[0].out
    assert "champion" in scored[0].out


def test_any_day_of_the_last_known_week_says_the_same(scored, trained_store, tiny_raw_folder, tmp_path, cli):
    options = ["--data", tiny_raw_folder, "--env-dir", trained_store, "--out", tmp_path / "f.parquet"]
    assert cli("score", *options, "--as-of", "2026-04-26").code == 0
    assert (tmp_path / "f.parquet").read_bytes() == scored[1].read_bytes()


def test_units_after_the_date_change_no_forecast(scored, trained_store, tiny_raw_folder, tmp_path, cli):
    raw = read_raw(tiny_raw_folder)
    late = raw.shipments["week"] > AS_OF
    changed = raw.shipments.assign(units_shipped=raw.shipments["units_shipped"].where(~late, 999.0))
    write_raw(type(raw)(**{**vars(raw), "shipments": changed}), tmp_path / "raw")
    options = ["--data", tmp_path / "raw", "--env-dir", trained_store, "--out", tmp_path / "f.parquet"]
    assert cli("score", *options, "--as-of", AS_OF).code == 0
    pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / "f.parquet"), pd.read_parquet(scored[1]))


def test_a_region_whose_file_is_missing_is_named_and_the_others_run(
    trained_store, tiny_raw_folder, tmp_path, cli
):
    data = shutil.copytree(tiny_raw_folder, tmp_path / "raw")
    (data / "shipments" / "R01-2025.csv").unlink()
    out = tmp_path / "f.parquet"
    outcome = cli("score", "--data", data, "--env-dir", trained_store, "--out", out)
    assert outcome.code == 7
    assert "Region R01 was refused, the others ran" in outcome.err
    assert "R01-2025.csv: the manifest lists this file; it is missing" in outcome.err
    assert set(pd.read_parquet(out)["region"]) == {"R02"}


def test_a_date_after_the_data_is_refused(trained_store, tiny_raw_folder, tmp_path, cli):
    options = ["--data", tiny_raw_folder, "--env-dir", trained_store, "--out", tmp_path / "f.parquet"]
    outcome = cli("score", *options, "--as-of", "2027-01-04")
    assert outcome.code == 2
    assert "expected at most 2026-06-15, the last week delivered; got 2027-01-04" in outcome.err
    assert not (tmp_path / "f.parquet").exists()


@pytest.mark.parametrize("name", ["R01-large-fast.onnx", "manifest.json", "current.json"])
def test_a_changed_file_of_the_model_is_refused(name, trained_store, tiny_raw_folder, tmp_path, cli):
    store = shutil.copytree(trained_store, tmp_path / "store", ignore=shutil.ignore_patterns("ml*"))
    path = next(store.rglob(name))
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(bytes(content))
    outcome = cli(
        "score", "--data", tiny_raw_folder, "--env-dir", store, "--out", tmp_path / "forecasts.parquet"
    )
    assert outcome.code == 4
    assert outcome.err.startswith("Error: ") and name in outcome.err


def test_scoring_imports_no_training_and_no_tracking(trained_store, tiny_raw_folder, tmp_path):
    out = tmp_path / "f.parquet"
    arguments = ["score", "--data", tiny_raw_folder, "--env-dir", trained_store, "--out", out, "-q"]
    program = f"""
import json, sys
from level1_pipeline.__main__ import main
code = main({[str(each) for each in arguments]!r})
heavy = sorted({{"torch", "sklearn", "mlflow", "onnx"}} & set(sys.modules))
print(json.dumps([code, heavy]))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout.splitlines()[-1]) == [0, []]


def test_series_without_even_an_average_are_absent_and_that_is_said(
    trained_store, tiny_raw_folder, tmp_path, cli
):
    raw = read_raw(tiny_raw_folder)
    moved = raw.stores.assign(region=raw.stores["region"].replace("R02", "R07"))
    events = raw.events.assign(region=raw.events["region"].replace("R02", "R07"))
    write_raw(type(raw)(**{**vars(raw), "stores": moved, "events": events}), tmp_path / "raw")
    out = tmp_path / "f.parquet"
    outcome = cli("score", "--data", tmp_path / "raw", "--env-dir", trained_store, "--out", out)
    assert outcome.code == 7
    assert "16 series have no forecast, the first is R07 " in outcome.err
    assert set(pd.read_parquet(out)["region"]) == {"R01"}
