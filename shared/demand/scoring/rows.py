"""Forecasts of ready feature rows: what a served model is asked."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from demand.bundle import Bundle, RawRows
from demand.errors import UsageError
from demand.features import CATEGORIES
from demand.scoring.answers import Answers, Inputs, Question

COLUMNS = ["units", "lower", "upper", "source", "model_version", "reason"]


def score_rows(bundle: Bundle, rows: pd.DataFrame) -> pd.DataFrame:
    """Units, lower, upper, source, model_version and reason of each row of raw features, in their order.

    rows: region, store_id, product_id, category, format, horizon, level (S in units) and the features of the
    graphs that are asked, unscaled, as in the feature snapshot. Where there is neither a graph nor an
    average, the source is "absent" and the numbers are NaN.
    Raises UsageError for a column that is missing, ValueError for a level or horizon that no row can have.
    """
    _expect(rows, [*CATEGORIES, "horizon", "level"])
    text = rows[list(CATEGORIES)].astype(object)
    of_row = text.groupby(list(CATEGORIES), sort=False, dropna=False).ngroup().to_numpy().astype(np.intp)
    series = text.iloc[np.unique(of_row, return_index=True)[1]].reset_index(drop=True)
    answers = Answers(bundle, Question(series, of_row, rows["horizon"].to_numpy(dtype=np.intp)))
    form_of_row = answers.form_of_series()[of_row]
    for name in sorted({*form_of_row} - {""}):
        place = np.flatnonzero(form_of_row == name)
        wide = _within(bundle, name, rows["horizon"].to_numpy()[place])
        answers.ask(Inputs(name, _raw(bundle, name, rows, (series, of_row, place[wide])), place[wide]))
    table = answers.table()
    numbers = {each: table[each].mask(table["absent"]) for each in ("units", "lower", "upper")}
    source = table["source"].mask(table["absent"], "absent")
    return table.assign(**numbers, source=source)[COLUMNS].set_axis(rows.index)


def _within(bundle: Bundle, form: str, horizon: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Whether the graphs of a form forecast so many weeks ahead."""
    return np.asarray(horizon <= max(bundle.forms[form].spec.horizons))


def _raw(
    bundle: Bundle,
    form: str,
    rows: pd.DataFrame,
    at: tuple[pd.DataFrame, NDArray[np.intp], NDArray[np.intp]],
) -> RawRows:
    """The chosen rows as the graphs of a form read them."""
    series, of_row, place = at
    names = list(bundle.forms[form].names)
    _expect(rows, names)
    chosen = rows.iloc[place]
    return RawRows(
        features=chosen[names].to_numpy(dtype=np.float32),
        level=chosen["level"].to_numpy(dtype=np.float32),
        horizon=chosen["horizon"].to_numpy(dtype=np.int64),
        series=of_row[place].astype(np.int64),
        categories={name: series[name].to_numpy(dtype=object) for name in CATEGORIES},
    )


def _expect(rows: pd.DataFrame, names: list[str]) -> None:
    missing = [name for name in names if name not in rows.columns]
    if missing:
        raise UsageError(
            f"rows: expected the columns of the feature snapshot; {len(missing)} are missing, "
            f"first {', '.join(missing[:3])}. Build them with the bundle's own form."
        )
