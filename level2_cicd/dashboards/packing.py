"""Numbers in few characters: arrays of codes, deflated, as base64 text that a browser unpacks by itself."""

import base64
import zlib
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Doubles: TypeAlias = NDArray[np.float64]
WHOLE, FINE, COARSE = 65_534, 4_094, 254  # the largest codes
UNKNOWN = {1: 255, 2: 65_535}  # by bytes of a code


def pack(values: Doubles, *, coarse: bool = False) -> dict[str, Any]:
    """A matrix (n_rows, n_columns) of numbers >= 0 in codes, each row with a step of its own; NaN: not known.

    Two bytes a number: exact for a row of whole numbers up to 65,534, else within 1/8,188 of the row's
    largest. Coarse, one byte for the square root: within 0.4 % of the largest, closer the smaller the number.
    """
    known = np.isfinite(values)
    filled = np.where(known, values, 0.0)
    largest = filled.max(axis=1, initial=0.0)
    if coarse:
        steps = largest / COARSE**2
        codes = np.sqrt(_over(filled, steps))
    else:
        whole = np.all(filled == np.rint(filled), axis=1) & (largest <= WHOLE)
        steps = np.where(whole, 1.0, largest / FINE)
        codes = _over(filled, steps)
    size = 1 if coarse else 2
    text = _text(np.where(known, np.rint(codes), UNKNOWN[size]).astype(f"<u{size}"))
    rows, columns = values.shape
    steps_ = [float(f"{each:.7g}") for each in steps]
    return {"rows": rows, "columns": columns, "bytes": size, "steps": steps_, "codes": text}


def _over(values: Doubles, steps: Doubles) -> Doubles:
    """Values over their row's step, 0 where the step is 0."""
    return values / np.where(steps > 0, steps, 1.0)[:, None]


def _text(codes: NDArray[np.generic]) -> str:
    """Byte planes deflate better than bytes in turn: the upper byte of neighbours is alike."""
    plain = np.ascontiguousarray(codes).view(np.uint8).reshape(-1, codes.itemsize)
    return base64.b64encode(zlib.compress(plain.T.tobytes(), 9)).decode()


def rounded(value: float | None, digits: int = 4) -> float | None:
    """A number with so many significant digits, None where it is none."""
    if value is None or not np.isfinite(value):
        return None
    return float(f"{value:.{digits}g}")
