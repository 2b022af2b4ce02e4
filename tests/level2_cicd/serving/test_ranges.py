"""The training range is read from a graph's bytes without the ONNX package, and says what lies outside."""

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from demand.errors import IntegrityError
from level2_cicd.serving.app import Service
from level2_cicd.serving.ranges import TrainingRange, read_range


@pytest.fixture(scope="module")
def graph(served: Path, service: Service) -> bytes:
    path = min((served / "bundle" / service.reloader.now.release.version).glob("R01-large-fast.onnx"))
    return path.read_bytes()


def test_the_range_is_what_the_graph_scales_by(graph):
    weights = {
        each.name: numpy_helper.to_array(each) for each in onnx.load_from_string(graph).graph.initializer
    }
    found = read_range(graph, "a graph")
    np.testing.assert_array_equal(found.center, weights["center"])
    np.testing.assert_array_equal(found.inverse_deviation, weights["inverse_deviation"])
    assert found.clip == weights["clip_high"]


@pytest.mark.parametrize("keep", [0, 1, 100, -1000])
def test_a_cut_graph_is_refused_by_name(graph, keep):
    with pytest.raises(IntegrityError, match=r"cut\.onnx: expected a graph of this package"):
        read_range(graph[:keep], "cut.onnx")


def test_bytes_that_are_no_message_are_refused():
    with pytest.raises(IntegrityError, match="odd: expected a graph"):
        read_range(b"\x07not a protocol buffer", "odd")


def test_beyond_the_clip_is_outside_and_the_unknown_is_not():
    # deviation 0.5, clip 6: inside are 10 - 3 to 10 + 3
    known = TrainingRange(np.full(4, 10.0, np.float32), np.full(4, 2.0, np.float32), 6.0)
    values = np.array([13.0, 13.1, 6.9, np.nan], np.float32)
    assert known.outside(values).tolist() == [False, True, True, False]
