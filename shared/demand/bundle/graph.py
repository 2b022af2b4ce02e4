"""A bundle's graphs on ONNX Runtime: opened with one thread each, and only with a certificate."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from onnxruntime.capi.onnxruntime_pybind11_state import (
    Fail,
    InvalidArgument,
    InvalidGraph,
    InvalidProtobuf,
    RuntimeException,
)

from demand.bundle.manifest import Entry
from demand.errors import IntegrityError
from demand.segments import Segment

OUTPUTS = ("units", "lower", "upper", "lasso", "network")
GRAPHS, TWINS = "segments", "twins"  # what the certificate file tells of
PARITY_LIMIT = 1e-4  # relative difference from the Python path beyond which no graph is written or read
GRAPH_ERRORS = (Fail, InvalidArgument, RuntimeException)  # what a graph that cannot run raises
LOAD_ERRORS = (*GRAPH_ERRORS, InvalidGraph, InvalidProtobuf)
LOUD = 3  # of the runtime's log: errors alone


def open_graph(content: bytes, origin: str) -> onnxruntime.InferenceSession:
    """A session of one thread on a graph; raises IntegrityError naming `origin` where the bytes are none."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = LOUD
    # An arena keeps what the largest call took, for every session: megabytes a segment, for 4 % of the speed.
    options.enable_cpu_mem_arena = False
    try:
        return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    except LOAD_ERRORS as error:
        raise IntegrityError(
            f"{origin}: expected an ONNX graph; got {error}. Export the bundle again."
        ) from error


def check_certificates(path: Path, content: bytes, entries: Mapping[Segment, Entry]) -> None:
    """Raises IntegrityError unless every graph and every twin has a certificate within the limit."""
    parity: dict[str, Any] = json.loads(content)
    twins = [segment for segment, entry in entries.items() if entry.judged]
    _check_within(path, parity.get(GRAPHS, {}), entries)
    _check_within(path, parity.get(TWINS, {}), twins)


def _check_within(path: Path, certificates: Mapping[str, Any], segments: Iterable[Segment]) -> None:
    for segment in segments:
        difference = certificates.get(segment.name, {}).get("difference", {})
        worst = float(np.max([difference.get(output, np.inf) for output in OUTPUTS]))
        if not worst <= PARITY_LIMIT:
            raise IntegrityError(
                f"{path}: expected a certificate of {segment.name} within {PARITY_LIMIT:g}; "
                f"got {worst:g}. Export the bundle again."
            )
