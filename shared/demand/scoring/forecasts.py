"""Forecasts of a bundle for panels, with the historical average where there is no model to ask."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from demand.bundle import ENCODER, Bundle, InputForm, form_features, live, raw_rows
from demand.contracts import check, columns
from demand.errors import IntegrityError, UsageError
from demand.features import Panel
from demand.scoring.answers import Answers, Inputs, Question

ABSENT = ["region", "store_id", "product_id", "week", "horizon", "reason"]
Ints = NDArray[np.intp]


@dataclass(frozen=True)
class Scored:
    """Every live series and week, in one table or the other.

    forecasts: as contracted. absent: region, store_id, product_id, week, horizon, reason of those for which
    there is neither a model nor so much as an average.
    """

    forecasts: pd.DataFrame
    absent: pd.DataFrame


def score(bundle: Bundle, panels: Iterable[Panel], as_of: date, *, weeks: int | None = None) -> pd.DataFrame:
    """The forecasts of `score_all`, without what it says of series that have none."""
    return score_all(bundle, panels, as_of, weeks=weeks).forecasts


def score_all(bundle: Bundle, panels: Iterable[Panel], as_of: date, *, weeks: int | None = None) -> Scored:
    """A row per live series and week, 1 to `weeks` (default all) after `as_of`: its forecast, or its absence.

    `as_of` is the Monday of the last week a forecast may know. A series lives in a week that its panel has a
    row for, if it began by then. Each segment is scored by its own graph, the bundle's own ("champion") or
    one carried over ("previous"). Where its segment has no graph, the graph fails or nothing is known of the
    last year, the row is the historical average's and says why.
    Raises UsageError for an `as_of` or `weeks` that it cannot score.
    """
    horizons = bundle.horizons
    if weeks is not None and not 1 <= weeks <= len(horizons):
        raise UsageError(f"weeks: expected 1 to {len(horizons)}, as trained; got {weeks}. Choose one.")
    frames = [_score_panel(bundle, panel, _column(panel, as_of), horizons[:weeks]) for panel in panels]
    if not frames:
        raise UsageError("panels: expected the panel of at least one region; got none.")
    every = pd.concat(frames, ignore_index=True)
    forecasts = every.loc[~every["absent"], columns("forecasts")]
    absent = every.loc[every["absent"], ABSENT].reset_index(drop=True)
    return Scored(check("forecasts", forecasts, "forecasts"), absent)


def _column(panel: Panel, as_of: date) -> int:
    """Column of the week that starts on `as_of`, one with known units."""
    found = panel.weeks[: panel.n_known].get_indexer(pd.DatetimeIndex([pd.Timestamp(as_of)]))[0]
    if found < 0:
        known = f"{panel.weeks[0]:%Y-%m-%d} to {panel.weeks[panel.n_known - 1]:%Y-%m-%d}"
        raise UsageError(f"as_of: expected a known Monday from {known}; got {as_of}. Choose one of them.")
    return int(found)


def _score_panel(bundle: Bundle, panel: Panel, at: int, horizons: tuple[int, ...]) -> pd.DataFrame:
    """Forecast rows of one panel from the column `at`, in the contract's columns, and `absent`."""
    series, step = np.nonzero(live(panel, at, horizons))
    answers = Answers(bundle, Question(panel.series, series, step + 1))
    row_of = np.full((len(panel.series), len(horizons)), -1)
    row_of[series, step] = np.arange(len(series))
    for inputs in _inputs(bundle, panel, at, (answers.form_of_series(), row_of)):
        answers.ask(inputs)
    keys = panel.series.iloc[series][["region", "store_id", "product_id"]].reset_index(drop=True)
    week = panel.weeks[0] + pd.to_timedelta(7 * (at + step + 1), unit="D")
    return pd.concat([keys.assign(week=week, horizon=step + 1), answers.table()], axis=1)


def _inputs(
    bundle: Bundle, panel: Panel, at: int, wanted: tuple[NDArray[np.object_], Ints]
) -> Iterator[Inputs]:
    """What the graphs of each form read for its own live series.

    wanted: the form of each series, and the row of each series and horizon, -1 where it does not live.
    """
    form_of_series, row_of = wanted
    for name in sorted({*form_of_series} - {""}):
        own = np.where((form_of_series == name)[:, None], row_of, -1)
        try:
            table = form_features(panel, _cut(bundle.forms[name], own.shape[1]), np.array([at]))
        except IntegrityError as error:
            if name == ENCODER:
                raise
            yield Inputs(name, None, own[own >= 0], f"the carried model cannot be asked: {error}")
            continue
        place = own[table.series, table.horizon - 1]
        keep = np.flatnonzero(place >= 0)
        yield Inputs(name, raw_rows(table.take(keep)), place[keep])


def _cut(form: InputForm, weeks: int) -> InputForm:
    """The form for at most so many weeks ahead."""
    return replace(form, spec=replace(form.spec, horizons=form.spec.horizons[:weeks]))
