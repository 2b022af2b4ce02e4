import hashlib
import json
from datetime import date

import numpy as np
import pandas as pd
import pytest

from demand.errors import UsageError
from demand.sources import read_oracle, read_raw
from demand.sources.references import check_raw
from demand.sources.synthetic import DEFAULT_SEED, SIZES, generate, generate_region, reach, write
from demand.sources.synthetic.demand import distribution, draw
from demand.sources.synthetic.region import COMPLIANCE, make_region
from demand.sources.synthetic.world import make_world, promotions

KEY = ["store_id", "product_id", "week"]


@pytest.fixture(scope="module")
def tiny():
    return generate("tiny")


@pytest.fixture(scope="module")
def tiny_folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("synthetic") / "tiny"
    write("tiny", DEFAULT_SEED, folder)
    return folder


def hashes(folder):
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    return {path: entry["sha256"] for path, entry in manifest["files"].items()}


def net_units(tables):
    shipped = tables.shipments.set_index(KEY)["units_shipped"]
    return shipped.sub(tables.returns.set_index(KEY)["units_returned"], fill_value=0)


def test_the_same_size_and_seed_give_the_same_tables(tiny):
    again = generate("tiny")
    for table, frame in tiny.tables.tables():
        pd.testing.assert_frame_equal(frame, getattr(again.tables, table), obj=table)
    pd.testing.assert_frame_equal(tiny.oracle, again.oracle)


def test_another_seed_gives_other_units(tiny):
    other = generate("tiny", DEFAULT_SEED + 1)
    assert not tiny.tables.shipments.equals(other.tables.shipments)


def test_a_region_does_not_depend_on_the_regions_generated_before_it(tiny):
    alone = generate_region("tiny", DEFAULT_SEED, "R02")
    stores = alone.tables.stores["store_id"]
    among = tiny.tables.region("R02")
    for table, frame in alone.tables.tables():
        pd.testing.assert_frame_equal(frame, getattr(among, table), obj=table)
    together = tiny.oracle[tiny.oracle["store_id"].isin(stores)].reset_index(drop=True)
    pd.testing.assert_frame_equal(alone.oracle, together)


def test_every_table_keeps_its_contract(tiny):
    check_raw(tiny.tables)


def test_written_files_read_back_as_what_was_generated(tiny, tiny_folder):
    read = read_raw(tiny_folder)
    assert (read.name, read.as_of, read.absent_week) == ("synthetic-tiny", date(2026, 6, 15), "zero")
    pd.testing.assert_series_equal(net_units(read).sort_index(), net_units(tiny.tables).sort_index())
    assert len(read_oracle(tiny_folder)) == len(tiny.oracle)


def test_writing_again_gives_the_same_bytes(tiny_folder, tmp_path):
    write("tiny", DEFAULT_SEED, tmp_path / "again")
    assert hashes(tmp_path / "again") == hashes(tiny_folder)
    assert hashes(tiny_folder)["products.csv"] == sha256(tiny_folder / "products.csv")


def sha256(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_the_checked_in_tiny_folder_is_what_the_generator_writes(tiny_folder, tiny_raw_folder):
    written, kept = hashes(tiny_folder), hashes(tiny_raw_folder)
    text = [path for path in written if path.endswith((".csv", ".json", ".jsonl"))]
    assert written.keys() == kept.keys()
    assert {path: kept[path] for path in text} == {path: written[path] for path in text}
    # Parquet and Excel bytes also depend on the library's version, their values do not.
    pd.testing.assert_frame_equal(read_oracle(tiny_folder), read_oracle(tiny_raw_folder))
    for table, frame in read_raw(tiny_folder).tables():
        pd.testing.assert_frame_equal(frame, getattr(read_raw(tiny_raw_folder), table), obj=table)


def test_the_checked_in_tiny_folder_stays_under_a_megabyte(tiny_raw_folder):
    assert sum(path.stat().st_size for path in tiny_raw_folder.rglob("*") if path.is_file()) < 1_000_000


@pytest.mark.parametrize(
    ("size", "regions", "stores"), [("tiny", 2, 8), ("demo", 14, 140), ("full", 14, 3000)]
)
def test_a_size_has_its_regions_and_stores(size, regions, stores):
    scale = SIZES[size]
    assert len(scale.region_names) == regions
    assert sum(scale.stores_in(region) for region in scale.region_names) == stores
    assert scale.as_of.weekday() == 0


def test_the_full_size_has_about_ten_million_weekly_rows():
    full = SIZES["full"]
    assert full.first_week == date(2017, 1, 2)
    assert 3000 * full.products * full.weeks == 10_440_000  # 3,000 stores x 15 products x 232 weeks


def test_a_large_size_is_written_region_by_region(monkeypatch, tmp_path):
    small = SIZES["tiny"]
    monkeypatch.setitem(SIZES, "demo", small)  # the way of a large size, on few rows
    write("demo", DEFAULT_SEED, tmp_path / "demo")
    paths = set(hashes(tmp_path / "demo"))
    assert {"prices/R01.parquet", "prices/R02.parquet", "returns/R01.jsonl", "oracle/R02.parquet"} <= paths
    expected = net_units(generate("demo").tables).sort_index()
    pd.testing.assert_series_equal(net_units(read_raw(tmp_path / "demo")).sort_index(), expected)


def test_an_unknown_size_or_region_is_refused():
    with pytest.raises(UsageError, match=r"one of \['demo', 'full', 'tiny'\], got 'huge'"):
        generate("huge")
    with pytest.raises(UsageError, match=r"has the regions .*'R02'.*, got 'R03'"):
        generate_region("tiny", DEFAULT_SEED, "R03")


def test_shipments_less_returns_are_the_oracles_units(tiny):
    oracle = tiny.oracle[tiny.oracle["week"] <= pd.Timestamp(tiny.tables.as_of)].set_index(KEY)["units"]
    net = net_units(tiny.tables).reindex(oracle.index, fill_value=0)
    pd.testing.assert_series_equal(net, oracle, check_names=False)


def test_a_few_percent_of_what_is_shipped_comes_back(tiny):
    share = tiny.tables.returns["units_returned"].sum() / tiny.tables.shipments["units_shipped"].sum()
    assert 0.01 < share < 0.04


def test_the_plan_and_the_oracle_reach_eight_weeks_past_the_last_week(tiny):
    last = pd.Timestamp(tiny.tables.as_of)
    for frame in (tiny.tables.prices, tiny.oracle):
        assert frame["week"].max() == last + pd.Timedelta(weeks=8)
    assert tiny.tables.weather_forecast["date"].max() == last + pd.Timedelta(days=8 * 7 + 6)
    assert tiny.tables.weather_history["date"].max() == last + pd.Timedelta(days=6)
    assert tiny.tables.shipments["week"].max() == last


def test_the_drawn_units_average_to_the_true_mean():
    size = SIZES["tiny"]
    world = make_world(size, DEFAULT_SEED)
    truth = distribution(size, DEFAULT_SEED, world, "R01", make_region(size, DEFAULT_SEED, world, "R01"))
    units = sum(draw(size, seed, "R01", truth)[0].sum() for seed in range(20)) / 20
    assert units == pytest.approx(((1 - truth.idle) * truth.mean).sum(), rel=0.01)


def test_promotions_are_as_frequent_as_in_real_plans():
    feature, deal, depth = promotions(np.random.default_rng(1), np.arange(500), 232)
    assert feature.mean() * COMPLIANCE == pytest.approx(0.19, abs=0.01)
    assert deal.mean() * COMPLIANCE == pytest.approx(0.45, abs=0.01)
    assert deal[feature].all()
    assert ((depth > 0) == deal).all()


def test_stores_that_close_have_no_row_after():
    tables = generate_region("full", DEFAULT_SEED, "R01").tables
    closed = tables.stores.dropna(subset=["closed"])
    last = tables.shipments.groupby("store_id")["week"].max()
    assert len(closed) > 0
    assert (last.reindex(closed["store_id"]).to_numpy() <= closed["closed"].to_numpy()).all()


def test_a_hand_made_segment_has_the_errors_one_computes_by_hand(tiny):
    weeks = pd.to_datetime(["2026-06-01", "2026-06-08", "2026-06-15"])
    store = tiny.tables.stores.iloc[0]
    oracle = pd.DataFrame(
        {
            "store_id": store["store_id"],
            "product_id": "P01",
            "week": weeks,
            "mean_units": 10.0,
            "mape_best_units": [8.0, 9.0, 8.0],
            "units": [20.0, 10.0, 0.0],
        }
    )
    found = reach(type(tiny)(tiny.tables, oracle), weeks=2)
    # Only the 10 is scored, by 9 (10 % off) and by the average of the week before, 20 (100 % off).
    assert found[["oracle", "historical_average", "n"]].to_numpy().tolist() == [[10.0, 100.0, 1.0]]
    assert found["speed"].tolist() == ["slow"]


def test_the_oracle_meets_every_segment_of_the_demo_and_the_average_meets_none():
    found = reach(generate("demo"))
    assert len(found) == 56
    assert found["oracle"].max() < 45
    assert (found["historical_average"] > 1.6 * found["oracle"]).all()
    rows = found["n"] / found["n"].sum()
    assert (rows * found["oracle"]).sum() * 1.1 < 0.3 * (rows * found["historical_average"]).sum()


def test_product_speeds_split_every_region_and_format(tiny):
    found = reach(tiny)
    counts = found.groupby(["region", "format"])["speed"].apply(lambda part: sorted(part))
    assert counts.tolist() == [["fast", "slow"]] * 4
    assert np.isfinite(found["oracle"]).all()
