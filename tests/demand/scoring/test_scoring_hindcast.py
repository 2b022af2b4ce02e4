from dataclasses import replace

import builders
import numpy as np
import pandas as pd
import pytest
from ensembles import built_data, drawn_ensemble, judged_ensemble, write

from demand.bundle import GRAPH_ERRORS
from demand.evaluation import evaluate
from demand.scoring import hindcast, read_bundle
from demand.segments import Segment

ORIGINS = np.array([51, 55])
KEY = ["store_id", "product_id", "origin", "week"]


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    return read_bundle(write(tmp_path_factory.mktemp("hindcast") / "bundle", judged=judged_ensemble()))


@pytest.mark.parametrize("twins", [False, True])
def test_a_hindcast_is_what_the_ensemble_would_have_said(bundle, twins):
    found = hindcast(bundle, built_data().panels, ORIGINS, twins=twins)
    ensemble = judged_ensemble() if twins else drawn_ensemble()
    expected = evaluate(built_data(), ensemble, ORIGINS)
    both = expected.merge(found, on=["region", *KEY], validate="1:1")
    assert len(both) == len(expected) == len(found) == 16 * 4 * 2
    np.testing.assert_allclose(both["champion"], both["ensemble"], rtol=1e-4, atol=1e-3)
    assert list(found.columns) == ["region", "store_id", "product_id", "origin", "week", "champion"]
    assert sorted(found["origin"].unique()) == [builders.monday(51), builders.monday(55)]


def test_twins_and_final_graphs_differ(bundle):
    twins, final = (hindcast(bundle, built_data().panels, ORIGINS, twins=each) for each in (True, False))
    assert not np.allclose(twins["champion"], final["champion"])


def test_units_after_the_origin_change_nothing(bundle):
    later = []
    for panel in built_data().panels:
        units = panel.units.copy()
        units[:, 52:] *= 7
        later.append(replace(panel, units=units))
    found = [hindcast(bundle, each, ORIGINS[:1], twins=True) for each in (built_data().panels, later)]
    pd.testing.assert_frame_equal(*found)


def test_segments_without_a_graph_or_a_twin_have_no_rows(bundle, tmp_path):
    gone = Segment("north", "large", "fast")
    own = {s: m for s, m in judged_ensemble().models.items() if s != gone}
    half = read_bundle(write(tmp_path / "b", judged=replace(judged_ensemble(), models=own)))
    found = hindcast(half, built_data().panels, ORIGINS, twins=True)
    assert len(found) == 16 * 4 * 2 - 2 * 4 * 2
    assert not (found["store_id"].eq("S1") & found["product_id"].isin(["P3", "P4"])).any()
    assert len(hindcast(half, built_data().panels, ORIGINS, twins=False)) == 16 * 4 * 2


def test_a_bundle_without_twins_gives_an_empty_table_of_the_same_kind(tmp_path, bundle):
    bare = read_bundle(write(tmp_path / "b"))
    found = hindcast(bare, built_data().panels, ORIGINS, twins=True)
    assert found.empty
    full = hindcast(bundle, built_data().panels, ORIGINS, twins=True)
    assert list(found.columns) == list(full.columns)
    merged = full[KEY].merge(found, on=KEY, how="left")  # the kinds match: no error
    assert merged["champion"].isna().all()


def test_a_twin_whose_bytes_changed_is_refused(tmp_path):
    bundle = read_bundle(write(tmp_path / "b", judged=judged_ensemble()))
    path = tmp_path / "b" / "south-small-slow.judged.onnx"
    path.write_bytes(path.read_bytes() + b"\0")
    with pytest.raises(ValueError, match=r"south-small-slow\.judged\.onnx: expected"):
        hindcast(bundle, built_data().panels, ORIGINS, twins=True)


def test_a_form_that_this_package_no_longer_builds_costs_its_segments_their_rows(bundle):
    form = replace(bundle.form, names=("lag_77", *bundle.form.names[1:]))
    found = hindcast(replace(bundle, forms={"encoder.json": form}), built_data().panels, ORIGINS, twins=False)
    assert found.empty


def test_a_graph_that_cannot_run_has_no_rows(bundle):
    failing = Segment("north", "large", "fast")

    class Broken:
        def run(self, *_):
            raise GRAPH_ERRORS[0]("broken on purpose")

    sessions = {**bundle.sessions, failing: Broken()}
    found = hindcast(replace(bundle, sessions=sessions), built_data().panels, ORIGINS, twins=False)
    assert len(found) == 16 * 4 * 2 - 2 * 4 * 2
