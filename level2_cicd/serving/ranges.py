"""The range that a segment's model was trained on, read off its graph: no ONNX package needed to serve."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from demand.errors import IntegrityError

GRAPH, INITIALIZER = 7, 5  # fields of ModelProto and GraphProto
NAME, RAW = 8, 9  # fields of TensorProto
WANTED = (b"center", b"inverse_deviation", b"clip_high")
VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5  # Protocol Buffers' wire types
Floats = NDArray[np.float32]


@dataclass(frozen=True)
class TrainingRange:
    """Mean and inverse deviation of each feature in training, (n_features,); `clip` in deviations."""

    center: Floats
    inverse_deviation: Floats
    clip: float

    def outside(self, features: Floats) -> NDArray[np.bool_]:
        """Which features the model cuts off, for it never met their like; NaN is inside; as `features`."""
        away = np.abs((features - self.center) * self.inverse_deviation)
        return np.asarray(away > self.clip)


def read_range(graph: bytes, origin: str) -> TrainingRange:
    """The range in the bytes of a verified graph; raises IntegrityError naming `origin` where it has none."""
    found: dict[bytes, Floats] = {}
    try:
        for _, tensor in _fields(dict(_fields(memoryview(graph)))[GRAPH], only=INITIALIZER):
            parts = dict(_fields(tensor))
            name = bytes(parts.get(NAME, b""))
            if name in WANTED:
                found[name] = np.frombuffer(parts[RAW], np.float32).copy()  # a view would hold the graph
        center, inverse, clip = (found[name] for name in WANTED)
    except (KeyError, IndexError, ValueError) as error:
        raise IntegrityError(
            f"{origin}: expected a graph of this package, with the scale of its features; got {error!r}. "
            "Export the bundle again."
        ) from error
    return TrainingRange(center, inverse, float(clip.item()))


def _fields(message: memoryview, only: int | None = None) -> Iterator[tuple[int, memoryview]]:
    """Number and bytes of each length-delimited field of a message, of all or of one number."""
    at = 0
    while at < len(message):
        key, at = _varint(message, at)
        kind = key & 7
        if kind == BYTES:
            length, at = _varint(message, at)
            if at + length > len(message):
                raise ValueError("a field that ends after its message")
            if only in (None, key >> 3):
                yield key >> 3, message[at : at + length]
            at += length
        elif kind == VARINT:
            at = _varint(message, at)[1]
        elif kind in (FIXED32, FIXED64):
            at += 4 if kind == FIXED32 else 8
        else:
            raise ValueError(f"wire type {kind}")


def _varint(message: memoryview, at: int) -> tuple[int, int]:
    """A number of seven bits a byte, lowest first, and where it ends."""
    value = shift = 0
    while True:
        byte = message[at]
        value |= (byte & 127) << shift
        at, shift = at + 1, shift + 7
        if byte < 128:
            return value, at
