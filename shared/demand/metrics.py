"""Accuracy of a forecast: actual and forecast in units, arrays of shape (n_rows,), in; one float out.

A row whose actual is NaN is not known and not scored. A forecast of NaN on a scored row makes the result NaN:
a missing forecast must show. Where nothing is left to average, the result is NaN.
Shapes that differ raise ValueError, values that are not numbers TypeError.
Formulas: Hyndman and Athanasopoulos, Forecasting: Principles and Practice, 3rd ed., section 5.8;
WAPE is their MAE over the mean of the actuals (Kolassa and Schuetz, 2007).
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray


def mape(actual: ArrayLike, forecast: ArrayLike) -> float:
    """MAPE in percent over rows with actual > 0; arrays of shape (n_rows,)."""
    y, p = _scored(actual, forecast)
    sold = y > 0
    return 100 * _mean(np.abs(p[sold] - y[sold]) / y[sold])


def wape(actual: ArrayLike, forecast: ArrayLike) -> float:
    """WAPE in percent, sum of absolute errors over sum of actuals; NaN where the actuals sum to 0."""
    y, p = _scored(actual, forecast)
    return 100 * _ratio(np.abs(p - y).sum(), np.abs(y).sum())


def rmse(actual: ArrayLike, forecast: ArrayLike) -> float:
    """RMSE in units over all rows; arrays of shape (n_rows,)."""
    y, p = _scored(actual, forecast)
    return float(np.sqrt(_mean((p - y) ** 2)))


def rmse_zero(actual: ArrayLike, forecast: ArrayLike) -> float:
    """RMSE in units over rows with actual = 0, that MAPE cannot see; arrays of shape (n_rows,)."""
    y, p = _scored(actual, forecast)
    return float(np.sqrt(_mean(p[y == 0] ** 2)))


def bias(actual: ArrayLike, forecast: ArrayLike) -> float:
    """Bias in percent, sum of (forecast - actual) over sum of actuals: below 0 forecasts too little."""
    y, p = _scored(actual, forecast)
    return 100 * _ratio((p - y).sum(), y.sum())


def coverage(actual: ArrayLike, lower: ArrayLike, upper: ArrayLike) -> float:
    """Share in percent of rows with lower <= actual <= upper; arrays of shape (n_rows,), in units."""
    y, low, high = _scored(actual, lower, upper)
    unknown = np.isnan(low) | np.isnan(high)
    return 100 * _mean(np.where(unknown, np.nan, (low <= y) & (y <= high)))


def _scored(actual: ArrayLike, *others: ArrayLike) -> tuple[NDArray[np.float64], ...]:
    """The columns as floats of shape (n_scored,), without the rows whose actual is NaN."""
    columns = [_floats(values) for values in (actual, *others)]
    shapes = [column.shape for column in columns]
    if columns[0].ndim != 1 or len(set(shapes)) != 1:
        raise ValueError(f"A metric expects columns of one shape (n_rows,), got {shapes}: align them first.")
    known = ~np.isnan(columns[0])
    return tuple(column[known] for column in columns)


def _floats(values: ArrayLike) -> NDArray[np.float64]:
    column = np.asarray(values)
    if column.size and column.dtype.kind not in "fiu":
        raise TypeError(f"A metric expects numbers, got dtype {column.dtype}: convert the column first.")
    return column.astype(np.float64)


def _mean(values: NDArray[np.float64]) -> float:
    return float(values.mean()) if values.size else float("nan")


def _ratio(part: float, whole: float) -> float:
    return float(part / whole) if whole else float("nan")
