import hashlib
import json
import shutil

import pandas as pd
import pytest

from demand.contracts import SCHEMAS
from demand.scoring import read_bundle
from demand.sources import read_raw, write_raw

pytestmark = pytest.mark.trained
STAGES = ["ingest", "condition", "validate", "features", "train", "evaluate", "register"]


@pytest.fixture(scope="module")
def run(trained_store):
    return json.loads((trained_store / "run.json").read_text())


def test_the_report_has_a_row_per_segment(trained_store):
    report = pd.read_csv(trained_store / "report.csv")
    assert list(report.columns) == list(SCHEMAS["report"].columns)
    assert len(report) == 8  # 2 regions x 2 formats x 2 speeds
    assert set(report["n"]) == {64}  # 8 series x 2 origins x 4 weeks
    # Settings that small do not beat the average in every segment; in most, and by far, they must.
    assert (report["gain"] > 20).sum() >= 6


def test_the_record_tells_each_stage_with_its_rows_and_seconds(run):
    assert [stage["name"] for stage in run["stages"]] == STAGES
    assert {stage["status"] for stage in run["stages"]} == {"done"}
    for stage in run["stages"]:
        assert stage["seconds"] >= 0 and stage["start"] <= stage["end"] and stage["rows_out"] > 0
    condition, validate = run["stages"][1:3]
    assert validate["rows_in"] == condition["rows_out"]
    assert run["stages"][4]["parameters"]["lasso"]["alphas"] == 3


def test_the_record_tells_what_went_in_and_what_with(run, tiny_raw_folder):
    manifest = json.loads((tiny_raw_folder / "manifest.json").read_text())
    assert run["data"]["files"] == {path: entry["sha256"] for path, entry in manifest["files"].items()}
    assert run["data"]["as_of"] == manifest["as_of"]
    assert set(run["data"]["partitions"]) == {f"R0{r}/{y}" for r in (1, 2) for y in range(2023, 2027)}
    assert {"python", "torch", "mlops-ladder"} <= set(run["packages"])
    assert run["code_version"] and run["refused_regions"] == {}


def test_the_record_tells_the_metrics_of_the_report(run, trained_store):
    report = pd.read_csv(trained_store / "report.csv")
    assert [line["mape"] for line in run["segments"]] == report["mape"].tolist()
    assert run["metrics"]["n"] == report["n"].sum() == 512
    hashes = run["stages"][-1]["hashes"]
    assert hashes["report.csv"] == hashlib.sha256((trained_store / "report.csv").read_bytes()).hexdigest()


def test_the_pointer_names_a_bundle_of_this_version(run, trained_store):
    pointer = json.loads((trained_store / "current.json").read_text())
    assert pointer["model_version"] == run["model_version"]
    bundle = read_bundle(trained_store / "bundle" / run["model_version"])
    assert bundle.meta.data_hash == run["data"]["data_hash"]
    assert len(bundle.sessions) == 8


def test_a_second_run_on_two_processes_gives_the_same_report_and_forecasts(
    trained_store, tiny_raw_folder, tmp_path, cli, small
):
    options = ["--data", tiny_raw_folder, "--env-dir", tmp_path]
    assert cli("train", *options, *small, "--workers", 2, "--no-tracking", "--quiet").code == 0
    assert (tmp_path / "report.csv").read_bytes() == (trained_store / "report.csv").read_bytes()
    first, second = (
        forecasts(cli, tiny_raw_folder, store, tmp_path / "forecasts.parquet")
        for store in (trained_store, tmp_path)
    )
    pd.testing.assert_frame_equal(first, second)
    assert not (tmp_path / "mlflow.db").exists()


def test_a_refused_region_and_a_dead_server_are_told_and_the_work_is_kept(
    tiny_raw_folder, tmp_path, cli, small, monkeypatch
):
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    data = with_cases_in(tiny_raw_folder, "R02", tmp_path / "raw")
    store = tmp_path / "store"
    outcome = cli(
        "train", "--data", data, "--env-dir", store, *small, "--tracking-uri", "http://me:secret@127.0.0.1:9"
    )
    assert outcome.code == 5
    assert "Region R02 was refused, the others ran" in outcome.err
    assert "Error: tracking at http://127.0.0.1:9: expected an MLflow server" in outcome.err
    assert "Traceback" not in outcome.err and "secret" not in outcome.err
    report = pd.read_csv(store / "report.csv")
    assert set(report.loc[report["verdict"] == "no data", "region"]) == {"R02"}
    assert list(json.loads((store / "run.json").read_text())["refused_regions"]) == ["R02"]
    assert set(forecasts(cli, tiny_raw_folder, store, tmp_path / "f.parquet")["region"]) == {"R01", "R02"}
    assert cli("score", "--data", data, "--env-dir", store, "--out", tmp_path / "f.parquet").code == 7


def test_too_little_history_is_refused_by_what_is_needed(tiny_raw_folder, tmp_path, cli, small):
    options = ["--data", tiny_raw_folder, "--env-dir", tmp_path, "--no-tracking"]
    outcome = cli("train", *options, *small, "--set", "training.min_weeks=200")
    assert outcome.code == 2
    assert "known weeks up to the origin" in outcome.err
    assert not (tmp_path / "current.json").exists()


def forecasts(cli, data, store, out):
    """The forecasts of a store, without the one column that tells the hour of training."""
    outcome = cli("score", "--data", data, "--env-dir", store, "--out", out, "--quiet")
    assert outcome.code == 0, outcome.err
    return pd.read_parquet(out).drop(columns="trained_at")


def with_cases_in(folder, region, out):
    """The raw folder with one region counting in cases of twelve during its last months."""
    raw = read_raw(folder)
    own = raw.shipments["store_id"].isin(raw.stores.loc[raw.stores["region"] == region, "store_id"])
    late = raw.shipments["week"] >= "2026-01-05"
    units = raw.shipments["units_shipped"].where(~(own & late), raw.shipments["units_shipped"] * 12)
    shutil.rmtree(out, ignore_errors=True)
    write_raw(type(raw)(**{**vars(raw), "shipments": raw.shipments.assign(units_shipped=units)}), out)
    return out
