from dataclasses import replace

import numpy as np
import pytest
from ensembles import built_data, drawn_ensemble

from demand.bundle import CHUNK, OUTPUTS, RawRows, joined, open_graph, raw_rows, run_graph
from demand.errors import IntegrityError
from demand.export import export_graphs
from demand.features import CATEGORIES, build_features


@pytest.fixture(scope="module")
def rows():
    data = built_data()
    table = build_features(data.panels[0], drawn_ensemble().encoder.spec, np.array([data.last_week]))
    return raw_rows(table)


@pytest.fixture(scope="module")
def session():
    return open_graph(next(iter(export_graphs(drawn_ensemble()).values())), "a graph")


def test_rows_scored_in_chunks_equal_rows_scored_one_by_one(session, rows):
    many = joined([rows] * (CHUNK // len(rows) + 2))
    assert len(many) > CHUNK
    found = run_graph(session, many)
    alone = [run_graph(session, rows.take(slice(i, i + 1))) for i in range(len(rows))]
    for name in OUTPUTS:
        one_by_one = np.concatenate([each[name] for each in alone])
        repeats = len(many) // len(rows)
        np.testing.assert_allclose(found[name], np.tile(one_by_one, repeats), rtol=1e-5, atol=1e-5)


def test_no_row_gives_no_forecast(session, rows):
    found = run_graph(session, rows.take(slice(0, 0)))
    assert {name: values.shape for name, values in found.items()} == dict.fromkeys(OUTPUTS, (0,))


def test_taken_rows_keep_their_own_series_and_no_other(rows):
    taken = rows.take(np.array([5, 2]))
    assert len(taken) == 2
    assert taken.series.max() < len(taken.categories["store_id"]) <= 2
    for name in CATEGORIES:
        expected = rows.categories[name][rows.series[[5, 2]]]
        assert list(taken.categories[name][taken.series]) == list(expected)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("series", -1, r"series: expected an index from 0 to \d+; got -1 in row 3"),
        ("series", 99, r"series: expected an index from 0 to \d+; got 99 in row 3"),
        ("level", np.nan, "level: expected units of at least 0; got nan in row 3"),
        ("level", -0.5, "level: expected units of at least 0; got -0.5 in row 3"),
        ("level", np.inf, "level: expected units of at least 0; got inf in row 3"),
        ("horizon", 0, "horizon: expected weeks, at least 1; got 0 in row 3"),
    ],
)
def test_what_the_graph_would_take_without_a_word_is_refused(session, rows, name, value, message):
    values = getattr(rows, name).copy()
    values[3] = value
    with pytest.raises(ValueError, match=message):
        run_graph(session, replace(rows, **{name: values}))


@pytest.mark.parametrize("content", [b"", b"not a graph", None])
def test_bytes_that_are_no_graph_are_refused_by_name(content):
    graph = next(iter(export_graphs(drawn_ensemble()).values()))
    with pytest.raises(IntegrityError, match=r"bundle/R01\.onnx: expected an ONNX graph"):
        open_graph(graph[: len(graph) // 2] if content is None else content, "bundle/R01.onnx")


def test_rows_are_the_feature_table_s(rows):
    assert isinstance(rows, RawRows)
    assert np.isnan(rows.features).any()  # unscaled, gaps as they are
    assert rows.horizon.dtype == rows.series.dtype == np.int64
