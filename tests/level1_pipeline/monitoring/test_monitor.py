import hashlib
import json
import os
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from demand import metrics
from demand.errors import DataError, IntegrityError, UsageError
from level1_pipeline.monitoring import book as book_module
from level1_pipeline.monitoring.actuals import KEY
from level1_pipeline.monitoring.book import TABLES, read_book, write_book
from level1_pipeline.monitoring.issued import read_issued

sys.path.insert(0, str(Path(__file__).parent))
from conftest import LAST, units

pytestmark = pytest.mark.trained
WEEK = pd.Timestamp(LAST)


def bytes_of(store: Path) -> dict[str, bytes]:
    folder = store / "monitoring"
    names = [*(f"{name}.parquet" for name in TABLES), "state.json"]
    return {name: (folder / name).read_bytes() for name in names}


def test_forecasts_meet_their_actuals_as_they_arrive(place):
    found = place.monitor()
    assert found.weeks == (LAST,)
    assert (found.joined, found.unforecast) == (64 * 4, 0)
    quality = found.book.of_week("quality")
    # 8 segments, horizons 1 to 4, champion and average.
    assert len(quality) == 8 * 4 * 2
    issued = read_issued(place.store, LAST - timedelta(weeks=1), LAST - timedelta(weeks=1))
    own = issued[(issued["region"] == "R01") & (issued["format"] == "large") & (issued["speed"] == "fast")]
    rows = own[own["week"] == WEEK].merge(found.book.tables["actuals"][[*KEY, "units"]], on=KEY)
    line = quality[
        (quality["region"] == "R01")
        & (quality["format"] == "large")
        & (quality["speed"] == "fast")
        & (quality["horizon"] == 1)
    ].set_index("method")
    actual = rows["units_y"].to_numpy()
    assert line.loc["champion", "mape"] == metrics.mape(actual, rows["units_x"].to_numpy())
    assert line.loc["baseline", "rmse"] == metrics.rmse(actual, rows["baseline"].to_numpy())
    assert line.loc["champion", "coverage"] == metrics.coverage(actual, rows["lower"], rows["upper"])
    assert np.isnan(line.loc["baseline", "coverage"])


def test_every_segment_has_its_drift_and_every_region_its_data_quality(place):
    book = place.monitor().book
    drift = book.of_week("drift")
    assert drift.groupby(["region", "format", "speed"]).ngroups == 8
    assert set(drift["measure"]) == {"psi", "ks", "wasserstein", "categorical_psi", "unseen_share"}
    last = book.of_week("data_quality")
    assert last[["region", "rows", "missing", "late", "restated"]].to_numpy().tolist() == [
        ["R01", 32, 0, 0, 0],
        ["R02", 32, 0, 0, 0],
    ]


def test_errors_begin_with_the_weeks_that_judged_the_model(place):
    errors = read_book(place.store).tables["errors"]
    # The 8 weeks that judged it, less the first, of which there is no forecast two weeks ahead.
    assert sorted(errors["week"].unique()) == list(pd.date_range(end=WEEK, periods=7, freq="7D"))


def test_the_same_run_again_changes_nothing(place):
    place.monitor()
    before = bytes_of(place.store)
    again = place.monitor()
    assert bytes_of(place.store) == before
    assert (again.weeks, again.joined) == ((), 0)


def test_actuals_that_nothing_was_forecast_for_are_kept_and_counted(place):
    late = place.store / "monitoring" / "forecasts"
    for path in late.glob("*.parquet"):
        path.unlink()
    found = place.monitor()
    assert (found.joined, found.unforecast) == (0, 64)
    assert (found.book.tables["actuals"]["week"] == WEEK).sum() == 64
    assert found.book.of_week("quality").empty


def test_actuals_that_change_later_replace_the_first_ones_which_stay_beside(place):
    earlier = LAST - timedelta(weeks=1)
    old = read_book(place.store).of_week("quality")
    place.deliver(
        lambda raw: units(raw, earlier, lambda rows: rows.assign(units_shipped=rows["units_shipped"] + 100))
    )
    found = place.monitor()
    assert found.weeks == (earlier, LAST)
    actuals = found.book.tables["actuals"]
    changed = actuals[actuals["changed_as_of"].notna()]
    assert set(changed["week"]) == {pd.Timestamp(earlier)}
    assert (changed["changed_as_of"] == WEEK).all()
    assert (changed["units"] - changed["first_units"] == 100).all()
    quality = found.book.tables["quality"]
    new = quality[quality["week"] == pd.Timestamp(earlier)]
    assert len(new) == len(old)
    assert not np.allclose(new["rmse"], old["rmse"])
    told = found.book.tables["data_quality"]
    assert told.loc[told["week"] == pd.Timestamp(earlier), "restated"].sum() == len(changed)


def test_actuals_that_are_delivered_twice_in_one_delivery_are_refused(place):
    twice(place.data / "shipments" / "R01-2026.csv")
    book = place.monitor().book
    assert "expected one row per key" in book.refused["R01"]
    last = book.of_week("data_quality").set_index("region")
    assert last.loc["R01", ["rows", "missing"]].tolist() == [0, 32]
    assert set(book.of_week("quality")["region"]) == {"R02"}


def twice(path: Path) -> None:
    """Doubles the last row of a delivered file, and signs it."""
    text = path.read_text()
    content = (text + text.splitlines()[-1] + "\n").encode()
    path.write_bytes(content)
    manifest_path = path.parents[1] / "manifest.json"
    manifest = json.loads(manifest_path.read_text())
    entry = manifest["files"][f"shipments/{path.name}"]
    entry |= {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content), "rows": entry["rows"] + 1}
    manifest_path.write_text(json.dumps(manifest))


def test_late_rows_are_told_from_those_that_came_in_time(place):
    earlier = LAST - timedelta(weeks=1)
    late = place.store / "monitoring"
    actuals = pd.read_parquet(late / "actuals.parquet")
    gone = (actuals["week"] == pd.Timestamp(earlier)) & (actuals["store_id"] == "R01S001")
    assert gone.sum() == 8
    book = read_book(place.store)
    kept = {**book.tables, "actuals": actuals[~gone].reset_index(drop=True)}
    write_book(place.store, replace(book, tables=kept), book)
    told = place.monitor().book.tables["data_quality"].set_index(["region", "week"])
    assert told.loc[("R01", pd.Timestamp(earlier)), "late"] == 8
    assert told["late"].sum() == 8


def test_a_store_that_delivered_nothing_is_missing_and_not_without_demand(place):
    place.deliver(lambda raw: units(raw, LAST, lambda rows: rows[rows["store_id"] != "R01S001"]))
    place.deliver(lambda raw: replace(raw, returns=raw.returns[raw.returns["week"] < pd.Timestamp(LAST)]))
    book = place.monitor().book
    last = book.of_week("data_quality").set_index("region")
    assert last.loc["R01", ["rows", "missing"]].tolist() == [24, 8]
    own = book.tables["actuals"]
    assert not ((own["week"] == WEEK) & (own["store_id"] == "R01S001")).any()


def test_a_clock_that_went_back_is_refused_and_undoes_nothing(place):
    before = bytes_of(place.store)
    with pytest.raises(UsageError, match=r"expected a week from 2026-06-08 on.*got 2026-06-01"):
        place.monitor(LAST - timedelta(weeks=2))
    assert bytes_of(place.store) == before


def test_a_clock_that_went_ahead_of_the_data_is_refused_and_undoes_nothing(place):
    before = bytes_of(place.store)
    with pytest.raises(DataError, match="expected at most 2026-06-15"):
        place.monitor(LAST + timedelta(weeks=60))
    assert bytes_of(place.store) == before


def test_units_in_another_unit_are_refused_as_everywhere(place):
    place.deliver(
        lambda raw: units(
            raw,
            LAST,
            lambda rows: rows.assign(
                units_shipped=np.where(rows["store_id"].str.startswith("R01"), 3, 1) * rows["units_shipped"]
            ),
        )
    )
    book = place.monitor().book
    assert list(book.refused) == ["R01"]
    assert set(book.of_week("quality")["region"]) == {"R02"}


@pytest.mark.parametrize("name", ["quality", "actuals"])
def test_a_table_that_is_half_there_is_noticed_and_named(place, name):
    path = place.store / "monitoring" / f"{name}.parquet"
    os.truncate(path, path.stat().st_size // 2)
    with pytest.raises(IntegrityError, match=rf"{name}\.parquet: expected sha256 .* move it and state\.json"):
        place.monitor()


def test_moved_aside_a_damaged_table_is_made_again(place):
    place.monitor()
    before = read_book(place.store).tables["quality"]
    for name in ("quality.parquet", "state.json"):
        (place.store / "monitoring" / name).unlink()
    place.monitor()
    after = read_book(place.store).tables["quality"]
    pd.testing.assert_frame_equal(after, before)


def test_a_run_that_is_cut_off_between_two_tables_is_made_good(place, monkeypatch):
    book, before = replace(read_book(place.store), as_of=LAST), read_book(place.store)
    whole = book_module.write_parquet
    for tables in range(len(TABLES)):
        with monkeypatch.context() as patch:
            patch.setattr(book_module, "write_parquet", dying(whole, tables))
            with pytest.raises(KeyboardInterrupt):
                write_book(place.store, book, before)
        assert not read_book(place.store).whole
    place.monitor()
    after = read_book(place.store)
    assert after.whole
    assert (after.of_week("quality")["week"] == WEEK).sum() == 64
    assert (after.tables["actuals"]["week"] == WEEK).sum() == 64


def dying(write: Callable[..., None], tables: int) -> Callable[..., None]:
    """A writer that is killed after so many tables."""
    written: list[Path] = []

    def call(frame: pd.DataFrame, path: Path) -> None:
        if len(written) == tables:
            raise KeyboardInterrupt
        written.append(path)
        write(frame, path)

    return call


def test_a_state_file_that_is_none_is_named(place):
    (place.store / "monitoring" / "state.json").write_text('{"format": 1')
    with pytest.raises(IntegrityError, match=r"state\.json: expected the state of the monitoring tables"):
        place.monitor()
