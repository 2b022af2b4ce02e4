from datetime import date, timedelta

import pandas as pd
import pytest

from demand.bundle import read_bundle
from demand.errors import DataError
from level1_pipeline import store
from level1_pipeline.deliveries import open_delivery
from level1_pipeline.monitoring.run import Order, look
from level1_pipeline.progress import Watch
from level1_pipeline.regions import condition_region, panel_of
from level1_pipeline.replay.change import Change
from level1_pipeline.replay.world import Region, make_world

LAST = date(2026, 6, 15)  # of the tiny data
MOMENTS = [LAST - timedelta(weeks=back) for back in (0, 7, 30)]
CHANGE = Change(LAST - timedelta(weeks=40), 12)


@pytest.fixture(scope="module")
def world(tiny_raw_folder, tmp_path_factory):
    return make_world(tiny_raw_folder, tmp_path_factory.mktemp("world"), CHANGE, 1.9)


@pytest.mark.parametrize("as_of", MOMENTS, ids=str)
def test_the_cut_tables_are_those_that_conditioning_gives_as_of_that_week(world, as_of):
    delivery = open_delivery(world.folder / "data", as_of)
    for name, region in world.regions.items():
        real, _ = condition_region(delivery, name)
        cut = region.until(as_of)
        pd.testing.assert_frame_equal(cut.weekly, real.weekly)
        pd.testing.assert_frame_equal(cut.outlook, real.outlook)
        assert cut.absent_regions == real.absent_regions


def test_the_cut_panels_are_those_that_scoring_reads(world):
    as_of = MOMENTS[1]
    delivery = open_delivery(world.folder / "data", as_of)
    for name, panel in world.at(as_of).panels.items():
        real = panel_of(condition_region(delivery, name)[0], delivery)
        pd.testing.assert_frame_equal(panel.series, real.series)
        assert panel.weeks.equals(real.weeks)
        assert panel.units.tobytes() == real.units.tobytes()
        assert panel.event_names == real.event_names and (panel.event == real.event).all()
        for inputs, others in ((panel.inputs, real.inputs), (panel.shoppers, real.shoppers)):
            assert {key: value.tobytes() for key, value in inputs.items()} == {
                key: value.tobytes() for key, value in others.items()
            }


@pytest.mark.trained
def test_what_is_seen_is_what_monitoring_sees(world, trained_store):
    bundle = read_bundle(store.current_bundle(trained_store))
    order = Order(world.folder / "data", trained_store, LAST)
    with Watch(quiet=True) as quiet:
        real = look(open_delivery(order.data, LAST), bundle, order, quiet)
    seen = world.at(LAST).seen(bundle)
    for name in ("rows", "missing", "drift"):
        pd.testing.assert_frame_equal(getattr(seen, name), getattr(real, name))
    assert dict(seen.refused) == dict(real.refused)


def test_data_that_later_weeks_decide_over_are_refused(world):
    later = {
        name: Region(each.weekly, each.ahead.iloc[:-1], each.absent) for name, each in world.regions.items()
    }
    broken = make_world(world.folder / "data", world.folder, Change(CHANGE.first, 0), 1.9)
    broken.__dict__["regions"] = later
    with pytest.raises(DataError, match="expected the weeks up to 2026-06-15 to stand as they did then"):
        broken.check(LAST)


def test_a_training_reads_no_week_after_its_own(world):
    folder = world.known(MOMENTS[2])
    delivery = open_delivery(folder)
    assert delivery.as_of == MOMENTS[2]
    assert delivery.read("R01").shipments["week"].max() == pd.Timestamp(MOMENTS[2])
