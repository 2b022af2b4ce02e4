import hashlib
import json
from dataclasses import replace
from datetime import UTC, datetime

import builders
import numpy as np
import onnx
import pytest
from ensembles import META, built_data, data_set, drawn_ensemble, judged_ensemble, write

from demand.bundle import OUTPUTS, BundleMeta
from demand.errors import IntegrityError, UsageError
from demand.export import Release, certify, export, export_graphs, exported, write_bundle
from demand.export.certificate import relative_difference


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write(tmp_path_factory.mktemp("export") / "bundle")


def test_a_bundle_holds_a_graph_per_segment_and_what_scoring_needs(folder):
    segments = [segment.name for segment in drawn_ensemble().models]
    expected = {f"{name}.onnx" for name in segments} | {
        *("encoder.json", "baseline.parquet", "speeds.parquet", "parity.json"),
        *("features.parquet", "manifest.json"),
    }  # fmt: skip
    assert {path.name for path in folder.iterdir()} == expected
    assert len(segments) == 8


def test_the_manifest_signs_every_file_and_tells_where_the_models_come_from(folder):
    manifest = json.loads((folder / "manifest.json").read_bytes())
    for name, entry in manifest["files"].items():
        content = (folder / name).read_bytes()
        assert entry == {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}
    assert manifest["model_version"] == "v7"
    assert manifest["trained_at"] == "2024-05-06T07:08:09"
    assert manifest["data_hash"] == "c0ffee"
    assert manifest["config"] == {"forecast": {"horizon": 4}}


def test_writing_again_gives_the_same_bytes_and_returns_the_manifest(folder, tmp_path):
    again = tmp_path / "again"
    manifest = write_bundle(drawn_ensemble(), built_data(), again, meta=META)
    assert manifest == json.loads((folder / "manifest.json").read_bytes())
    for path in folder.iterdir():
        assert (again / path.name).read_bytes() == path.read_bytes()


def test_the_certificate_tells_rows_differences_and_versions(folder):
    parity = json.loads((folder / "parity.json").read_bytes())
    assert parity["limit"] == 1e-4
    assert parity["versions"]["onnx"] == onnx.__version__
    assert set(parity["versions"]) == {"numpy", "onnx", "onnxruntime", "torch"}
    assert set(parity["segments"]) == {segment.name for segment in drawn_ensemble().models}
    for found in parity["segments"].values():
        assert found["rows"] == 8  # 1 store x 2 products x 4 horizons
        assert found["edge_rows"] == 17 * 4  # 17 edge cases of 4 rows each
        assert set(found["difference"]) == set(OUTPUTS)
        assert 0 < max(found["difference"].values()) <= 1e-4


@pytest.mark.parametrize(
    ("weight", "output"),
    [
        ("lasso_weight", "units"),
        ("upper_cells", "upper"),
        ("least_offset", "lower"),
        ("least_units", "units"),
    ],
)
def test_a_graph_that_differs_from_the_python_path_is_refused(weight, output):
    graphs = export_graphs(drawn_ensemble())
    segment, graph = next(iter(graphs.items()))
    graphs[segment] = changed(graph, weight, 1.01)
    with pytest.raises(IntegrityError, match=rf"within 0.0001 .* {segment.name} .*{output} 0.0"):
        certify(drawn_ensemble(), built_data(), graphs)


def test_a_graph_that_knows_one_store_less_is_refused_by_its_real_rows():
    graphs = export_graphs(drawn_ensemble())
    segment, graph = next(iter(graphs.items()))
    model = onnx.load_model_from_string(graph)
    encoder = next(
        node for node in model.graph.node if node.op_type == "LabelEncoder" and "store" in node.name
    )
    names = next(each for each in encoder.attribute if each.name == "keys_strings")
    names.strings[:] = [b"other" for _ in names.strings]
    graphs[segment] = model.SerializeToString()
    with pytest.raises(IntegrityError, match=segment.name):
        certify(drawn_ensemble(), built_data(), graphs)


def test_a_graph_that_gives_nan_is_refused():
    graphs = export_graphs(drawn_ensemble())
    segment, graph = next(iter(graphs.items()))
    graphs[segment] = changed(graph, "first_bias", np.nan)
    with pytest.raises(IntegrityError, match=f"{segment.name} units inf"):
        certify(drawn_ensemble(), built_data(), graphs)


@pytest.mark.parametrize("judged", [False, True])
def test_nothing_is_written_when_parity_fails(tmp_path, judged):
    segment, model = next(iter(drawn_ensemble().models.items()))
    broken = {**drawn_ensemble().models, segment: replace(model, weight=float("nan"))}
    spoiled = replace(judged_ensemble() if judged else drawn_ensemble(), models=broken)
    kind = "evaluation twin" if judged else "graph"
    final, release = (drawn_ensemble(), Release(judged=spoiled)) if judged else (spoiled, None)
    with pytest.raises(
        IntegrityError, match=f"every {kind} to have one; 1 have not, first {segment.name}: parity"
    ):
        write_bundle(final, built_data(), tmp_path / "bundle", meta=META, release=release)
    assert list(tmp_path.iterdir()) == []


def test_a_graph_that_fails_costs_no_other_segment_its_own():
    segment, model = next(iter(drawn_ensemble().models.items()))
    broken = {**drawn_ensemble().models, segment: replace(model, weight=float("nan"))}
    found = export(replace(drawn_ensemble(), models=broken), built_data())
    assert set(found.faults) == {segment}
    assert found.faults[segment].startswith(
        "parity: expected the graph within 0.0001 of the Python path; got"
    )
    assert "units inf" in found.faults[segment]
    assert set(found.graphs) == set(found.certificates) == set(broken) - {segment}
    assert found.graphs == {s: g for s, g in export_graphs(drawn_ensemble()).items() if s != segment}


@pytest.mark.parametrize(
    ("step", "error"), [("fill", onnx.checker.ValidationError), ("certificate", IntegrityError)]
)
def test_a_graph_that_cannot_be_made_or_run_is_a_fault_of_its_segment_alone(monkeypatch, step, error):
    first = next(iter(drawn_ensemble().models))
    calls = []
    real = getattr(exported, step)

    def fail_once(*arguments):
        calls.append(1)
        if len(calls) == 1:
            raise error("broken\n  on purpose")
        return real(*arguments)

    monkeypatch.setattr(exported, step, fail_once)
    found = export(drawn_ensemble(), built_data())
    assert found.faults == {first: f"export: {error.__name__}: broken on purpose"}
    assert len(found.graphs) == 7


def test_a_segment_without_a_series_is_certified_on_edge_rows_alone():
    shipments = builders.shipments()
    one_product = builders.own(shipments, "S1", "P1").reset_index()[shipments.columns]
    data = data_set(builders.raw_tables(shipments=one_product, returns=None))
    base = drawn_ensemble()
    # The only product of a format lies on the median, not above it: it is slow, and no series is fast.
    own = {s: m for s, m in base.models.items() if (s.region, s.format) == ("north", "large")}
    ensemble = replace(base, models=own)
    found = {s.speed: each for s, each in certify(ensemble, data, export_graphs(ensemble)).items()}
    assert (found["fast"].rows, found["fast"].edge_rows) == (0, 17)
    assert (found["slow"].rows, found["slow"].edge_rows) == (4, 17 * 4)


def test_a_folder_with_another_s_files_is_left_alone(tmp_path):
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(UsageError, match=r"thesis\.txt"):
        write(tmp_path)
    assert (tmp_path / "thesis.txt").read_text() == "years of work"


def test_a_time_with_a_zone_is_refused():
    with pytest.raises(ValueError, match="trained_at: expected a time in UTC without a time zone"):
        BundleMeta("v1", datetime(2024, 5, 6, tzinfo=UTC), "hash", {})


def test_relative_difference_is_to_the_units_or_the_offset():
    expected, offset = np.array([10.0, 0.01], np.float32), np.array([2.0, 2.0], np.float32)
    got = np.array([10.1, 0.11], np.float32)
    # 0.1 / 10 = 0.01 against 0.1 / 2 = 0.05
    assert relative_difference(got, expected, offset) == pytest.approx(0.05, rel=1e-5)
    assert relative_difference(got[:1], expected[:1], offset[:1]) == pytest.approx(0.01, rel=1e-5)
    assert relative_difference(np.array([np.nan]), expected[:1], offset[:1]) == np.inf


def changed(graph, weight, factor):
    """The graph with one of its weights multiplied."""
    model = onnx.load_model_from_string(graph)
    tensor = next(each for each in model.graph.initializer if each.name == weight)
    tensor.CopyFrom(
        onnx.numpy_helper.from_array(onnx.numpy_helper.to_array(tensor) * np.float32(factor), weight)
    )
    return model.SerializeToString()
