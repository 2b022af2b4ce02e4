from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from demand.conditioning import condition
from demand.errors import DataError
from demand.features import build_panel
from level1_pipeline.deliveries import open_delivery
from level1_pipeline.regions import condition_regions, refused_segments, validate


@pytest.fixture(scope="module")
def delivery(tiny_raw_folder):
    return open_delivery(tiny_raw_folder)


@pytest.fixture(scope="module")
def regions(delivery):
    return condition_regions(delivery, lambda region: None)


def changed(delivery, region, change):
    """The delivery with one region's raw tables changed as they are read."""
    return replace(
        delivery, read=lambda name: change(delivery.read(name)) if name == region else delivery.read(name)
    )


def test_regions_one_by_one_are_the_regions_all_at_once(tiny_raw_folder, delivery, regions):
    from demand.sources import read_raw

    whole = condition(read_raw(tiny_raw_folder))
    panel = build_panel(whole.weekly, whole.outlook)
    parts = regions.panels()
    np.testing.assert_array_equal(np.concatenate([part.units for part in parts]), panel.units)
    for name, values in panel.inputs.items():
        np.testing.assert_array_equal(np.concatenate([part.inputs[name] for part in parts]), values)
    assert pd.concat([p.series for p in parts], ignore_index=True).equals(panel.series)
    assert regions.rows_weekly == len(whole.weekly)


def test_panels_begin_in_the_same_week_though_a_region_is_younger(delivery):
    def younger(raw):
        return replace(raw, shipments=raw.shipments[raw.shipments["week"] >= "2024-01-01"], returns=None)

    told = []
    found = condition_regions(changed(delivery, "R02", younger), told.append).panels()
    assert told == ["R01", "R02"]
    assert found[0].weeks.equals(found[1].weeks)
    assert found[1].weeks[0] == pd.Timestamp("2023-08-07")
    assert np.isnan(found[1].units[:, :21]).all()  # 21 weeks from 2023-08-07 to 2024-01-01
    assert not np.isnan(found[1].units[:, 21]).all()


def test_a_region_without_a_shipment_is_refused_and_the_others_stay(delivery):
    found = condition_regions(
        changed(delivery, "R01", lambda raw: replace(raw, shipments=raw.shipments[:0], returns=None)), print
    )
    assert list(found.parts) == ["R02"]
    assert "region R01: expected at least one row up to 2026-06-15; got none" in found.refused["R01"]
    names = [segment.name for segment in refused_segments(delivery, found)]
    assert names == ["R01-large-fast", "R01-large-slow", "R01-small-fast", "R01-small-slow"]


def test_a_change_of_unit_is_found_beside_the_other_regions(delivery, regions):
    def in_cases(raw):
        late = raw.shipments["week"] >= "2026-01-05"
        units = raw.shipments["units_shipped"]
        return replace(raw, shipments=raw.shipments.assign(units_shipped=units.where(~late, units * 4)))

    conditioned = condition_regions(changed(delivery, "R01", in_cases), print)
    assert not conditioned.refused
    kept = validate(conditioned, "tiny", 1.9)
    assert list(kept.parts) == ["R02"]
    assert "region R01, week 2026-01-05" in kept.refused["R01"]
    assert list(validate(conditioned, "tiny", 9.0).parts) == ["R01", "R02"]
    assert validate(regions, "tiny", 1.9) == regions


def test_one_fault_of_all_regions_is_told_once(delivery):
    def broken(name):
        raise DataError("stores.xlsx is broken")

    with pytest.raises(DataError, match=r"^stores\.xlsx is broken$"):
        condition_regions(replace(delivery, read=broken), print)


def test_different_faults_of_all_regions_are_told_by_region(delivery):
    def broken(name):
        raise DataError(f"fault of {name}")

    with pytest.raises(DataError, match=r"every one was refused:\n- R01: fault of R01\n- R02: fault of R02"):
        condition_regions(replace(delivery, read=broken), print)
