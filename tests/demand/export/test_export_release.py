import json
from dataclasses import replace

import builders
import numpy as np
import pandas as pd
import pytest
from ensembles import (
    META,
    built_data,
    data_set,
    drawn_ensemble,
    eventless_ensemble,
    judged_ensemble,
    redrawn,
    write,
)

from demand.bundle import Entry, open_twins, read_bundle, read_snapshot
from demand.errors import IntegrityError
from demand.export import Carried, Detail, Release, export, export_graphs, write_bundle
from demand.features import build_features
from demand.segments import Segment

NORTH, SOUTH = Segment("north", "large", "fast"), Segment("south", "small", "slow")
LOST = Segment("south", "large", "fast")
WHY = "gate: 4.1 % worse than the champion"


@pytest.fixture(scope="module")
def first(tmp_path_factory):
    """v7: every segment's own, with twins."""
    details = {NORTH: Detail("run-1", {"mape": 31.5, "n": 400, "gain": float("nan")})}
    folder = tmp_path_factory.mktemp("first") / "bundle"
    return read_bundle(write(folder, judged=judged_ensemble(), details=details))


@pytest.fixture(scope="module")
def second(first, tmp_path_factory):
    """v8, which reads another form: two segments carried over from v7, one failed."""
    carried = {NORTH: Carried(first, WHY), SOUTH: Carried(first, WHY)}
    folder = tmp_path_factory.mktemp("second") / "bundle"
    return read_bundle(
        write(folder, eventless_ensemble(), "v8", carried=carried, failed={LOST: "training: no rows"})
    )


def test_an_own_segment_s_entry_tells_run_metrics_and_twin(first):
    assert first.entries[NORTH] == Entry(
        file="north-large-fast.onnx",
        judged="north-large-fast.judged.onnx",
        form="encoder.json",
        version="v7",
        trained_at=META.trained_at,
        data_hash="c0ffee",
        run_id="run-1",
        metrics={"gain": None, "mape": 31.5, "n": 400},  # what is not a number is not known
    )
    assert (first.entries[SOUTH].run_id, first.entries[SOUTH].metrics) == (None, {})
    assert first.manifest.failed == {}


def test_the_manifest_holds_what_format_2_promises(first):
    content = json.loads((first.folder / "manifest.json").read_bytes())
    assert content["format"] == 2
    assert content["as_of"] == builders.monday(59).date().isoformat()
    assert content["judged_as_of"] == builders.monday(51).date().isoformat()
    assert content["previous"] is None
    assert content["failed"] == []
    keys = "region format speed file judged form version run_id trained_at data_hash metrics reason"
    assert {frozenset(each) for each in content["segments"]} == {frozenset(keys.split())}


def test_twins_are_the_judged_ensemble_s_graphs_and_have_certificates(first):
    graphs = export_graphs(judged_ensemble())
    for segment, entry in first.entries.items():
        assert (first.folder / entry.judged).read_bytes() == graphs[segment]
    parity = json.loads((first.folder / "parity.json").read_bytes())
    assert set(parity["twins"]) == set(parity["segments"]) == {s.name for s in graphs}
    assert set(open_twins(first)) == set(graphs)


def test_a_twin_without_a_certificate_is_refused(first, tmp_path):
    folder = write(tmp_path / "bundle", judged=judged_ensemble())
    parity = json.loads((folder / "parity.json").read_bytes())
    parity["twins"]["north-large-fast"]["difference"]["units"] = 1.0
    signed_again(folder, "parity.json", json.dumps(parity).encode())
    with pytest.raises(IntegrityError, match=r"certificate of north-large-fast within 0\.0001; got 1"):
        read_bundle(folder)


def test_a_carried_segment_keeps_graph_twin_form_and_where_they_come_from(first, second):
    before, now = first.entries[NORTH], second.entries[NORTH]
    assert now == replace(before, form="encoder-v7.json", reason=WHY)
    for name in (before.file, before.judged):
        assert (second.folder / name).read_bytes() == (first.folder / name).read_bytes()
    assert (second.folder / "encoder-v7.json").read_bytes() == (first.folder / "encoder.json").read_bytes()
    assert second.forms["encoder-v7.json"] == first.form
    assert second.form.names != first.form.names
    parity = json.loads((second.folder / "parity.json").read_bytes())
    old = json.loads((first.folder / "parity.json").read_bytes())
    expected = {"versions": old["versions"], **old["segments"][NORTH.name]}
    assert parity["segments"][NORTH.name] == expected
    assert set(parity["twins"]) == {NORTH.name, SOUTH.name}


def test_a_failed_segment_has_a_reason_and_no_graph(second):
    assert second.manifest.failed == {LOST: "training: no rows"}
    assert LOST not in second.entries
    assert not list(second.folder.glob(f"{LOST.name}*"))
    assert len(second.entries) == 7


def test_a_segment_carried_twice_still_names_the_run_that_trained_it(first, second, tmp_path):
    carried = {NORTH: Carried(second, "training: failed again")}
    third = read_bundle(write(tmp_path / "third", redrawn(drawn_ensemble(), 300), "v9", carried=carried))
    entry = third.entries[NORTH]
    assert (entry.version, entry.form, entry.run_id) == ("v7", "encoder-v7.json", "run-1")
    assert entry.reason == "training: failed again"
    assert (third.folder / entry.file).read_bytes() == (first.folder / entry.file).read_bytes()


def test_an_earlier_bundle_that_changed_meanwhile_is_not_carried_on(tmp_path):
    before = read_bundle(write(tmp_path / "before"))
    graph = before.folder / before.entries[NORTH].file
    content = graph.read_bytes()
    graph.write_bytes(content[:-1])
    with pytest.raises(IntegrityError, match=r"north-large-fast\.onnx: expected"):
        write(tmp_path / "now", eventless_ensemble(), "v8", carried={NORTH: Carried(before, WHY)})
    assert not (tmp_path / "now").exists()


def test_two_forms_of_one_version_are_refused(first, tmp_path):
    other = read_bundle(write(tmp_path / "other", eventless_ensemble()))
    carried = {NORTH: Carried(first, WHY), SOUTH: Carried(other, WHY)}
    with pytest.raises(IntegrityError, match="one form for model version v7; got two that differ"):
        write(tmp_path / "now", drawn_ensemble(), "v8", carried=carried)


def test_a_region_without_data_takes_averages_and_speeds_along(first, tmp_path):
    """North was refused this time; its carried graphs need to know who is fast, and the averages."""
    base, data = drawn_ensemble(), built_data()
    south = [panel for panel in data.panels if set(panel.series["region"]) == {"south"}]
    small = replace(data, panels=tuple(south), series=south[0].series)
    own = {s: m for s, m in base.models.items() if s.region == "south"}
    table = base.baseline.series.reset_index()
    ensemble = replace(
        base,
        models=own,
        speeds=base.speeds[base.speeds["region"] == "south"].assign(speed="slow"),
        baseline=replace(base.baseline, series=base.baseline.series.drop("north", level="region")),
    )
    carried = {s: Carried(first, "region north was refused") for s in base.models if s.region == "north"}
    meta = replace(META, model_version="v8")
    write_bundle(ensemble, small, tmp_path / "b", meta=meta, release=Release(carried=carried))
    found = read_bundle(tmp_path / "b")
    north = found.speeds[found.speeds["region"] == "north"].reset_index(drop=True)
    expected = base.speeds[base.speeds["region"] == "north"].reset_index(drop=True)
    pd.testing.assert_frame_equal(north, expected)
    assert set(found.speeds.loc[found.speeds["region"] == "south", "speed"]) == {"slow"}
    averages = found.baseline.series.reset_index()
    assert len(averages) == len(table)
    keys = ["region", "format", "store_id", "product_id"]
    pd.testing.assert_frame_equal(
        averages.sort_values(keys, ignore_index=True), table.sort_values(keys, ignore_index=True)
    )


@pytest.mark.parametrize(
    ("release", "message"),
    [
        ({"failed": {NORTH: "x"}, "carried": {NORTH: "c"}}, "in one of them; got .*north-large-fast"),
        ({"failed": {NORTH: " "}}, "reason: expected why"),
        ({"carried": {LOST: "c"}}, "it has no graph of .*south-large-fast"),
    ],
)
def test_a_release_that_contradicts_itself_is_refused(second, release, message):
    carried = {segment: Carried(second, WHY) for segment in release.get("carried", {})}
    with pytest.raises(ValueError, match=message):
        Release(failed=release.get("failed", {}), carried=carried)


def test_exported_ensembles_are_not_exported_again(first, tmp_path, monkeypatch):
    final, twins = export(drawn_ensemble(), built_data()), export(judged_ensemble(), built_data())
    monkeypatch.setattr("demand.export.bundle.export", lambda *_: pytest.fail("exported twice"))
    details = {NORTH: Detail("run-1", {"mape": 31.5, "n": 400, "gain": float("nan")})}
    release = Release(judged=twins, details=details)
    write_bundle(final, built_data(), tmp_path / "b", meta=META, release=release)
    for path in first.folder.iterdir():
        assert (tmp_path / "b" / path.name).read_bytes() == path.read_bytes()


@pytest.mark.parametrize("name", ["as_of", "judged_as_of"])
def test_a_date_that_is_not_the_ensemble_s_is_refused(tmp_path, name):
    meta = replace(META, **{name: builders.monday(3).date()})
    with pytest.raises(
        ValueError, match=f"{name}: expected {builders.monday(59 if name == 'as_of' else 51).date()}"
    ):
        write_bundle(
            drawn_ensemble(), built_data(), tmp_path / "b", meta=meta, release=Release(judged_ensemble())
        )


@pytest.mark.parametrize("version", ["", "a/b", "..\\b", "v\n7"])
def test_a_version_that_no_file_can_be_named_by_is_refused(version):
    with pytest.raises(ValueError, match="model version: expected text that a file can be named by; got"):
        replace(META, model_version=version)


def test_twins_that_read_another_form_are_refused(tmp_path):
    with pytest.raises(ValueError, match=r"judged: expected an ensemble that reads encoder\.json too"):
        write(tmp_path / "b", judged=eventless_ensemble())


def test_the_snapshot_has_the_features_of_every_live_series_and_horizon(first):
    found = read_snapshot(first)
    keys = ["region", "store_id", "product_id", "category", "format", "week", "horizon", "level"]
    assert list(found.columns) == keys + [name for name in first.form.names if name != "horizon"]
    assert len(found) == 16 * 4
    assert set(found.dtypes[len(keys) :]) == {np.dtype(np.float32)}
    data = built_data()
    table = build_features(data.panels[0], first.form.spec, np.array([data.last_week]))
    expected = pd.DataFrame(table.values, columns=list(table.names))
    expected[["store_id", "product_id"]] = table.keys[["store_id", "product_id"]].to_numpy()[table.series]
    order = ["store_id", "product_id", "horizon"]
    north = found[found["region"] == "north"].sort_values(order, ignore_index=True)
    expected = expected.sort_values(order, ignore_index=True)
    np.testing.assert_array_equal(north[list(table.names)], expected[list(table.names)])
    assert sorted(north["week"].unique()) == [builders.monday(60 + i) for i in range(4)]


def test_the_snapshot_has_each_row_as_its_segment_s_form_builds_it(first, second):
    old, new = read_snapshot(first), read_snapshot(second)
    gone = sorted({*first.form.names} - {*second.form.names})
    assert gone
    assert {*new.columns} == {*old.columns} | {*second.form.names}
    carried = new["store_id"].eq("S1") & new["product_id"].isin(["P3", "P4"])  # north-large-fast
    order = ["store_id", "product_id", "horizon"]
    same = old[old["store_id"].eq("S1") & old["product_id"].isin(["P3", "P4"])]
    pd.testing.assert_frame_equal(
        new.loc[carried, old.columns].sort_values(order, ignore_index=True),
        same.sort_values(order, ignore_index=True),
    )
    own = new["store_id"].eq("S1") & new["product_id"].isin(["P1", "P2"])  # north-large-slow
    assert new.loc[own, gone].isna().all(axis=None)


def test_rows_of_a_form_that_this_package_no_longer_builds_come_in_the_own_one(first, tmp_path):
    gone = replace(first.form, names=("lag_77", *first.form.names[1:]))
    old = replace(first, forms={"encoder.json": gone})
    folder = write(tmp_path / "b", eventless_ensemble(), "v8", carried={NORTH: Carried(old, WHY)})
    found = read_snapshot(read_bundle(folder))
    assert len(found) == 64
    carried = found[found["store_id"].eq("S1") & found["product_id"].isin(["P3", "P4"])]
    assert len(carried) == 8
    assert carried["lag_77"].isna().all()
    assert carried["lag_0"].notna().all()


def test_a_dead_series_is_not_in_the_snapshot(tmp_path):
    products = builders.products()
    gone = products["delisted"].mask(products["product_id"] == "P2", builders.monday(50))
    data = data_set(builders.raw_tables(products=products.assign(delisted=gone)))
    write_bundle(drawn_ensemble(), data, tmp_path / "b", meta=META)
    assert set(read_snapshot(read_bundle(tmp_path / "b"))["product_id"]) == {"P1", "P3", "P4"}


def signed_again(folder, name, content):
    """Puts other bytes into a bundle and signs them, as its writer would."""
    from demand.bundle import encode_manifest, file_entry, read_manifest

    manifest = read_manifest(folder)
    (folder / name).write_bytes(content)
    files = {**manifest.files, name: file_entry(content)}
    (folder / "manifest.json").write_bytes(encode_manifest(replace(manifest, files=files)))
