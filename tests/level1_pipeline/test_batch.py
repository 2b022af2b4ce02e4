import json
import shutil
import sys
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest

from demand.errors import DataError, IntegrityError
from demand.scoring import read_bundle, score
from demand.sources import read_raw, write_raw
from level1_pipeline import batch as module
from level1_pipeline import store
from level1_pipeline.batch import Batch, score_batch
from level1_pipeline.connection import DependencyError
from level1_pipeline.deliveries import open_delivery
from level1_pipeline.executor import Executor, each
from level1_pipeline.progress import Watch
from level1_pipeline.regions import condition_regions

sys.path.insert(0, str(Path(__file__).parent))  # the workers of the tests import the same module
from dask_cluster import cluster, dying_once

pytestmark = pytest.mark.trained


def forecasts_of(data, env_dir, out, **options):
    with Watch(quiet=True) as watch:
        return score_batch(Batch(data, env_dir, out, **options), watch)


@pytest.fixture(scope="module")
def in_one_process(tiny_raw_folder, trained_store, tmp_path_factory):
    """What one process scored, and the file it left."""
    out = tmp_path_factory.mktemp("batch") / "forecasts.parquet"
    return forecasts_of(tiny_raw_folder, trained_store, out), out.read_bytes()


@pytest.fixture
def scored_by(tiny_raw_folder, trained_store, tmp_path, monkeypatch):
    """What an executor scores, called in another folder than its workers; and the file it leaves."""
    monkeypatch.chdir(tiny_raw_folder.parent)

    def call(executor):
        out = tmp_path / "f.parquet"
        scored = forecasts_of(Path(tiny_raw_folder.name), trained_store, out, executor=executor)
        return scored, out.read_bytes()

    return call


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    """A scheduler with two workers."""
    with cluster(tmp_path_factory.mktemp("dask")) as found:
        yield found


def test_regions_one_by_one_score_as_all_together(in_one_process, tiny_raw_folder, trained_store):
    delivery = open_delivery(tiny_raw_folder)
    panels = condition_regions(delivery, lambda region: None).panels()
    together = score(read_bundle(store.current_bundle(trained_store)), panels, delivery.as_of)
    scored, _ = in_one_process
    pd.testing.assert_frame_equal(pd.read_parquet(scored.out), together, check_exact=True)
    assert scored.rows == len(together) == 256
    assert scored.refused == {} and scored.absent.empty
    units = together.groupby("region")["units"].sum()
    assert dict(zip(scored.totals["region"], scored.totals["units"], strict=True)) == dict(units)
    assert pq.ParquetFile(scored.out).num_row_groups == 2  # one per region


def test_a_region_that_begins_later_scores_the_same_alone(trained_store, tiny_raw_folder, tmp_path):
    raw = read_raw(tiny_raw_folder)
    second = set(raw.stores.loc[raw.stores["region"] == "R02", "store_id"])
    young = ~raw.shipments["store_id"].isin(second) | (raw.shipments["week"] >= "2025-06-02")
    parts = {"shipments": raw.shipments[young], "returns": None}
    write_raw(type(raw)(**{**vars(raw), **parts}), tmp_path / "raw")
    forecasts_of(tmp_path / "raw", trained_store, tmp_path / "f.parquet", unit_jump=99.0)
    delivery = open_delivery(tmp_path / "raw")
    panels = condition_regions(delivery, lambda region: None).panels()  # padded to the same first week
    together = score(read_bundle(store.current_bundle(trained_store)), panels, delivery.as_of)
    pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / "f.parquet"), together, check_exact=True)


@pytest.mark.parametrize("kind", ["processes", "cluster"])
def test_forecasts_do_not_depend_on_where_they_are_made(kind, in_one_process, address, scored_by):
    scored, content = scored_by(Executor(2) if kind == "processes" else Executor.parse(address))
    assert content == in_one_process[1]
    pd.testing.assert_frame_equal(scored.totals, in_one_process[0].totals)
    assert scored.rows_weekly == in_one_process[0].rows_weekly == 9596


def test_a_worker_killed_in_the_middle_costs_no_row_and_doubles_none(
    in_one_process, address, scored_by, tmp_path, monkeypatch
):
    def dying(executor, function, jobs):
        return each(executor, dying_once, [(str(tmp_path / "died"), function, *job) for job in jobs])

    monkeypatch.setattr(module, "each", dying)
    _, content = scored_by(Executor.parse(address))
    assert (tmp_path / "died").exists()
    assert content == in_one_process[1]


def test_a_jump_beside_the_other_regions_is_found_before_anything_is_published(
    trained_store, tiny_raw_folder, tmp_path
):
    raw = read_raw(tiny_raw_folder)
    first = set(raw.stores.loc[raw.stores["region"] == "R01", "store_id"])
    late = raw.shipments["store_id"].isin(first) & (raw.shipments["week"] >= "2026-01-05")
    units = raw.shipments["units_shipped"]
    in_cases = raw.shipments.assign(units_shipped=units.where(~late, units * 4))
    write_raw(type(raw)(**{**vars(raw), "shipments": in_cases}), tmp_path / "raw")
    scored = forecasts_of(tmp_path / "raw", trained_store, tmp_path / "f.parquet")
    assert list(scored.refused) == ["R01"] and "week 2026-01-05" in scored.refused["R01"]
    assert set(pd.read_parquet(scored.out)["region"]) == set(scored.totals["region"]) == {"R02"}


def test_nothing_is_published_where_every_region_is_refused(trained_store, tiny_raw_folder, tmp_path):
    data = shutil.copytree(tiny_raw_folder, tmp_path / "raw")
    for path in data.glob("shipments/*-2025.csv"):
        path.unlink()
    with pytest.raises(DataError, match=r"every one was refused:\n- R01: .*\n- R02: "):
        forecasts_of(data, trained_store, tmp_path / "f.parquet")
    assert [path.name for path in tmp_path.iterdir()] == ["raw"]


def source_of(folder, env_dir):
    """What a worker is told of data and bundle."""
    bundle = store.current_bundle(env_dir)
    bundle_hash = store.sha256_of(bundle / "manifest.json")
    return module.Source(folder, None, open_delivery(folder).data_hash, bundle, bundle_hash)


@pytest.mark.parametrize("which", ["data", "bundle"])
def test_a_worker_that_does_not_see_a_folder_says_which(which, trained_store, tiny_raw_folder, tmp_path):
    source = replace(source_of(tiny_raw_folder, trained_store), **{which: tmp_path / "gone"})
    with pytest.raises(DependencyError, match=r"expected to see .*gone, as the process that started"):
        module._score_elsewhere(source, "R01")


@pytest.mark.parametrize("which", ["data_hash", "bundle_hash"])
def test_a_worker_that_sees_other_files_says_so(which, trained_store, tiny_raw_folder):
    source = replace(source_of(tiny_raw_folder, trained_store), **{which: "0" * 64})
    with pytest.raises(DependencyError, match=r"expected data .* and bundle .* got .* changed meanwhile"):
        module._score_elsewhere(source, "R01")


def test_a_worker_opens_data_and_bundle_once(trained_store, tiny_raw_folder, monkeypatch):
    opened = []
    monkeypatch.setattr(module, "open_delivery", lambda *place: opened.append(place) or open_delivery(*place))
    source = source_of(tiny_raw_folder, trained_store)
    module._open.cache_clear()
    found = [module._score_elsewhere(source, region) for region in ("R01", "R02")]
    assert [region for region, _ in found] == ["R01", "R02"]
    assert opened == [(tiny_raw_folder, None)]


def test_a_changed_bundle_is_refused_before_any_data_is_read(trained_store, tmp_path):
    copy = shutil.copytree(trained_store, tmp_path / "store", ignore=shutil.ignore_patterns("ml*"))
    pointer = copy / store.CURRENT
    content = json.loads(pointer.read_bytes()) | {"manifest_sha256": "0" * 64}
    pointer.write_text(json.dumps(content), encoding="utf-8")
    with pytest.raises(IntegrityError):
        forecasts_of(tmp_path / "no-data", copy, tmp_path / "f.parquet")
