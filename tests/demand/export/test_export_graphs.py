import re
from dataclasses import replace

import numpy as np
import onnx
import pytest
import torch
from ensembles import built_data, drawn_encoder, drawn_ensemble, drawn_model

from demand.bundle import OUTPUTS, joined, open_graph, raw_rows, run_graph
from demand.export import export_graphs
from demand.export.certificate import reference
from demand.export.weights import movers
from demand.features import CATEGORIES, build_features, offset_of
from demand.models.network import predict_network


@pytest.fixture(scope="module")
def graphs():
    return export_graphs(drawn_ensemble())


@pytest.fixture(scope="module")
def rows():
    data = built_data()
    spec = drawn_ensemble().encoder.spec
    at = np.array([20, 40, data.last_week])
    return joined([raw_rows(build_features(panel, spec, at)) for panel in data.panels])


def worst(got, expected, rows):
    """Largest difference over each output, relative to the larger of its units and 1 % of the scale."""
    scale = rows.level + offset_of(rows.level)
    return max(
        (np.abs(got[name] - expected[name]) / np.maximum(np.abs(expected[name]), 0.01 * scale)).max()
        for name in OUTPUTS
    )


def test_every_graph_gives_what_the_python_path_gives(graphs, rows):
    ensemble = drawn_ensemble()
    for segment, graph in graphs.items():
        got = run_graph(open_graph(graph, segment.name), rows)
        expected = reference(ensemble.encoder, ensemble.models[segment], rows)
        assert worst(got, expected, rows) < 1e-4
        assert np.ptp(expected["units"]) > 1  # forecasts that differ from row to row
        np.testing.assert_allclose(got["network"], expected["network"], rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("column", CATEGORIES)
def test_an_unseen_category_is_code_0_and_not_the_last_one(graphs, rows, column):
    ensemble = drawn_ensemble()
    segment, graph = next(iter(graphs.items()))
    model, encoder = ensemble.models[segment], ensemble.encoder
    unseen = np.full(len(rows.categories[column]), "never seen", dtype=object)
    strange = replace(rows, categories={**rows.categories, column: unseen})
    got = run_graph(open_graph(graph, "graph"), strange)
    codes = encoder.vocabulary.codes(built_data().series.assign(**{column: "never seen"}).iloc[:1])
    assert codes[0, CATEGORIES.index(column)] == 0
    assert worst(got, reference(encoder, model, strange), rows) < 1e-4
    last = np.full(len(unseen), encoder.vocabulary.values[CATEGORIES.index(column)][-1], dtype=object)
    wrapped = replace(rows, categories={**rows.categories, column: last})
    assert not np.allclose(got["network"], run_graph(open_graph(graph, "graph"), wrapped)["network"])


@pytest.mark.parametrize("value", [np.nan, 1e9, -1e9, np.inf])
def test_features_not_known_or_beyond_the_clip_are_scaled_as_in_training(graphs, rows, value):
    ensemble = drawn_ensemble()
    segment, graph = next(iter(graphs.items()))
    odd = replace(rows, features=np.full_like(rows.features, value))
    got = run_graph(open_graph(graph, "graph"), odd)
    assert worst(got, reference(ensemble.encoder, ensemble.models[segment], odd), rows) < 1e-4


def test_a_level_of_zero_and_the_edges_of_the_volume_bands_agree(graphs, rows):
    ensemble = drawn_ensemble()
    segment, graph = next(iter(graphs.items()))
    model = ensemble.models[segment]
    for level in (0.0, 0.3, *model.intervals.edges, np.nextafter(model.intervals.edges[0], 0), 1e6):
        flat = replace(rows, level=np.full_like(rows.level, level))
        got = run_graph(open_graph(graph, "graph"), flat)
        assert worst(got, reference(ensemble.encoder, model, flat), flat) < 1e-4


def test_a_horizon_beyond_the_last_takes_the_last_interval(graphs, rows):
    ensemble = drawn_ensemble()
    segment, graph = next(iter(graphs.items()))
    model = ensemble.models[segment]
    horizons = [np.full_like(rows.horizon, h) for h in (1, 3, 4, 5, 26)]
    found = [run_graph(open_graph(graph, "graph"), replace(rows, horizon=h)) for h in horizons]
    for got, horizon in zip(found, horizons, strict=True):
        assert worst(got, reference(ensemble.encoder, model, replace(rows, horizon=horizon)), rows) < 1e-4
    np.testing.assert_array_equal(found[2]["upper"], found[4]["upper"])
    assert not np.allclose(found[1]["upper"], found[2]["upper"])


def test_the_network_s_own_output_is_torch_s(graphs, rows):
    """In log ratios, which the level's units would hide: within 1e-5."""
    ensemble = drawn_ensemble()
    segment, graph = next(iter(graphs.items()))
    got = run_graph(open_graph(graph, "graph"), rows)["network"]
    offset = offset_of(rows.level)
    codes = np.stack(
        [
            1 + np.array([known.index(text) for text in rows.categories[name][rows.series]])
            for name, known in zip(CATEGORIES, ensemble.encoder.vocabulary.values, strict=True)
        ],
        axis=1,
    )
    values = ensemble.encoder.scaler(rows.features)
    expected = predict_network(ensemble.models[segment].network, values, codes)
    ratio = np.log((got + offset) / (rows.level + offset))
    sold = got > 0
    np.testing.assert_allclose(ratio[sold], expected[sold], atol=1e-5)
    assert sold.mean() > 0.9


def test_equal_weights_give_equal_bytes(graphs):
    assert export_graphs(drawn_ensemble()) == graphs


def test_segments_differ_in_weights_and_in_nothing_else(graphs):
    models = [onnx.load_model_from_string(graph) for graph in graphs.values()]
    shapes = {tuple((i.name, tuple(i.dims), i.data_type) for i in m.graph.initializer) for m in models}
    for model in models:
        del model.graph.initializer[:]
    assert len(shapes) == 1
    assert len({model.SerializeToString(deterministic=True) for model in models}) == 1
    assert len(set(graphs.values())) == len(graphs)


def test_a_graph_holds_no_metadata_and_passes_onnx_s_full_check(graphs):
    for graph in graphs.values():
        model = onnx.load_model_from_string(graph)
        onnx.checker.check_model(model, full_check=True)
        assert not model.metadata_props
        assert not model.doc_string
        assert not any(node.doc_string or node.metadata_props for node in model.graph.node)
        assert not re.search(rb"/(home|usr|work|tmp|site-packages)|\.py", graph)


def test_a_graph_takes_raw_columns_and_gives_units(graphs):
    session = open_graph(next(iter(graphs.values())), "graph")
    inputs = {each.name: each.type for each in session.get_inputs()}
    assert inputs == {
        "features": "tensor(float)",
        "level": "tensor(float)",
        "horizon": "tensor(int64)",
        "series": "tensor(int64)",
        **dict.fromkeys(CATEGORIES, "tensor(string)"),
    }
    assert tuple(each.name for each in session.get_outputs()) == OUTPUTS
    assert session.get_session_options().intra_op_num_threads == 1


@pytest.mark.parametrize("hidden", [(6,), (8, 6, 4)])
def test_a_network_of_any_depth_is_exported(rows, hidden):
    base = drawn_ensemble()
    segment = next(iter(base.models))
    model = drawn_model(base.encoder, hidden, 3)
    graph = export_graphs(replace(base, models={segment: model}))[segment]
    got = run_graph(open_graph(graph, "graph"), rows)
    assert worst(got, reference(base.encoder, model, rows), rows) < 1e-4


def test_a_linear_member_without_products_is_exported(rows):
    base = drawn_ensemble()
    segment, model = next(iter(base.models.items()))
    plain = replace(model.lasso, products=np.empty(0, np.float32), pairs=np.empty((0, 2), np.intp))
    bare = replace(model, lasso=plain)
    graph = export_graphs(replace(base, models={segment: bare}))[segment]
    got = run_graph(open_graph(graph, "graph"), rows)
    assert worst(got, reference(base.encoder, bare, rows), rows) < 1e-4


def test_movers_cover_every_pair_with_the_most_frequent_features_first():
    assert movers(np.array([[1, 7], [2, 7], [3, 7], [3, 4], [5, 5]])) == (7, 3, 5)
    assert movers(np.empty((0, 2), np.intp)) == (0,)


def test_graphs_of_real_width_have_one_matrix_product_over_the_features():
    encoder = drawn_encoder(203, 150, 12)
    base = drawn_ensemble()
    segment = next(iter(base.models))
    graph = export_graphs(
        replace(base, encoder=encoder, models={segment: drawn_model(encoder, (128, 64), 0)})
    )
    model = onnx.load_model_from_string(graph[segment])
    wide = [i for i in model.graph.initializer if len(i.dims) == 2 and i.dims[0] == 203]
    assert [(i.name, list(i.dims)) for i in wide] == [("feature_matrix", [203, 128 + 1 + 1 + 2 * 3])]


def test_export_leaves_the_models_as_they_were():
    model = next(iter(drawn_ensemble().models.values()))
    before = {name: values.clone() for name, values in model.network.state_dict().items()}
    export_graphs(drawn_ensemble())
    after = model.network.state_dict()
    assert all(torch.equal(before[name], after[name]) for name in before)
