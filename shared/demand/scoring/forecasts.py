"""Forecasts of a bundle, with the historical average where there is no model to ask."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import date

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from demand.bundle import GRAPH_ERRORS, InputForm, RawRows, raw_rows, run_graph
from demand.contracts import check, columns
from demand.errors import IntegrityError, UsageError
from demand.features import CATEGORIES, FeatureTable, Panel, build_features, offset_of
from demand.models.scale import to_units
from demand.scoring.read import Bundle
from demand.segments import Segment, assign_segments

NUMBERS = ("units", "lower", "upper")
UNKNOWN_YEAR = "no week is known of the year up to as_of"
WIDEST = 3.0  # log ratio to either side of a baseline, of whose errors nothing is known


def score(bundle: Bundle, panels: Iterable[Panel], as_of: date, *, weeks: int | None = None) -> pd.DataFrame:
    """The contracted forecasts: one row per live series and week, 1 to `weeks` (default all) after `as_of`.

    `as_of` is the Monday of the last week a forecast may know. A series lives in a week that its panel has a
    row for, if it began by then. Where its segment has no model, the model fails or nothing is known of the
    last year, the row is the baseline's and says why.
    Raises UsageError for an `as_of` or `weeks` that it cannot score.
    """
    horizons = bundle.form.spec.horizons
    if weeks is not None and not 1 <= weeks <= len(horizons):
        raise UsageError(f"weeks: expected 1 to {len(horizons)}, as trained; got {weeks}. Choose one.")
    short = replace(bundle.form.spec, horizons=horizons[:weeks])
    chosen = replace(bundle, form=replace(bundle.form, spec=short))
    frames = [_score_panel(chosen, panel, _column(panel, as_of)) for panel in panels]
    if not frames:
        raise UsageError("panels: expected the panel of at least one region; got none.")
    return check("forecasts", pd.concat(frames, ignore_index=True), "forecasts")


def _column(panel: Panel, as_of: date) -> int:
    """Column of the week that starts on `as_of`, one with known units."""
    found = panel.weeks[: panel.n_known].get_indexer(pd.DatetimeIndex([pd.Timestamp(as_of)]))[0]
    if found < 0:
        known = f"{panel.weeks[0]:%Y-%m-%d} to {panel.weeks[panel.n_known - 1]:%Y-%m-%d}"
        raise UsageError(f"as_of: expected a known Monday from {known}; got {as_of}. Choose one of them.")
    return int(found)


class _Sheet:
    """Forecasts of a panel as they fill in: arrays (n_series, n_horizons), NaN until a model has spoken."""

    def __init__(self, n_series: int, n_horizons: int) -> None:
        self.numbers = {name: np.full((n_series, n_horizons), np.nan) for name in NUMBERS}
        self.reason = np.full((n_series, n_horizons), UNKNOWN_YEAR, dtype=object)


def _score_panel(bundle: Bundle, panel: Panel, at: int) -> pd.DataFrame:
    """Forecast rows of one panel from the column `at`, in the contract's columns."""
    horizons = bundle.form.spec.horizons
    sheet = _Sheet(len(panel.series), len(horizons))
    live = _live(panel, at, horizons)
    table = build_features(panel, bundle.form.spec, np.array([at]))
    _check_names(table.names, bundle.form.names)
    table = table.take(np.flatnonzero(live[table.series, table.horizon - 1]))
    _ask_models(bundle, table, sheet)
    from_model = np.isfinite(sheet.numbers["units"])
    _fill_baseline(sheet, bundle.baseline.predict(panel.series), ~from_model)
    series, step = np.nonzero(live)
    target = at + step + 1
    frame = panel.series.iloc[series][["region", "store_id", "product_id"]].reset_index(drop=True)
    frame = frame.assign(
        week=panel.weeks[0] + pd.to_timedelta(7 * target, unit="D"),
        horizon=step + 1,
        **{name: values[series, step] for name, values in sheet.numbers.items()},
        source=np.where(from_model[series, step], "champion", "baseline"),
        model_version=bundle.meta.model_version,
        trained_at=pd.Timestamp(bundle.meta.trained_at),
        data_hash=bundle.meta.data_hash,
        reason=sheet.reason[series, step],
    )
    return frame[columns("forecasts")]


def _live(panel: Panel, at: int, horizons: tuple[int, ...]) -> NDArray[np.bool_]:
    """Whether each series lives in each target week, (n_series, n_horizons).

    After the last week of the plan its state stands.
    """
    has_row = ~np.isnan(panel.inputs["event_holiday"])
    target = np.minimum(at + np.array(horizons), has_row.shape[1] - 1)
    began: NDArray[np.bool_] = np.any(has_row[:, : at + 1], axis=1, keepdims=True)
    return np.asarray(has_row[:, target] & began)


def _check_names(got: tuple[str, ...], expected: tuple[str, ...]) -> None:
    if got != expected:
        odd = sorted(set(got) ^ set(expected))
        raise IntegrityError(
            f"features: expected those the bundle was trained on; these differ or are out of place: {odd}. "
            "Score with the version of this package that exported it."
        )


def _ask_models(bundle: Bundle, table: FeatureTable, sheet: _Sheet) -> None:
    """Enter every segment's forecasts into the sheet, and why there is none where there is none."""
    rows = raw_rows(table)
    segments = assign_segments(table.keys, bundle.speeds)
    places, index = np.unique([segment.name for segment in segments], return_inverse=True)
    of_name = {segment.name: segment for segment in segments}
    unseen = _unseen(bundle.form, table.keys)
    for i, name in enumerate(places):
        own = np.flatnonzero(index[table.series] == i)
        place = (table.series[own], table.horizon[own] - 1)
        numbers, fault = _forecast(bundle, of_name[name], rows.take(own))
        good = np.isfinite(list(numbers.values())).all(axis=0)
        for number, values in numbers.items():
            sheet.numbers[number][place] = np.where(good, values, np.nan)
        sheet.reason[place] = np.where(good, unseen[table.series[own]], fault)


def _forecast(bundle: Bundle, segment: Segment, rows: RawRows) -> tuple[dict[str, NDArray[np.floating]], str]:
    """Units, lower and upper of a segment's rows, NaN where there is none, and the reason for NaN."""
    nothing: NDArray[np.floating] = np.full(len(rows), np.nan)
    missing = dict.fromkeys(NUMBERS, nothing)
    if segment not in bundle.sessions:
        return missing, f"no model for segment {segment.name}"
    try:
        found = run_graph(bundle.sessions[segment], rows)
    except GRAPH_ERRORS as error:
        return missing, f"the model of segment {segment.name} failed: {_one_line(error)}"
    fault = f"the model of segment {segment.name} gave no finite number"
    return {name: found[name] for name in NUMBERS}, fault


def _one_line(error: BaseException) -> str:
    """The message of an error as printable text on one line."""
    return " ".join("".join(c if c.isprintable() else " " for c in str(error)).split())


def _unseen(form: InputForm, series: pd.DataFrame) -> NDArray[np.object_]:
    """For each series the categories that training has not seen, as a reason; empty where it has seen all."""
    codes = form.vocabulary.codes(series)
    texts = series[list(CATEGORIES)].to_numpy(dtype=object)
    reasons: list[str] = [
        ", ".join(f"{CATEGORIES[column]} {text[column]}" for column in np.flatnonzero(code == 0))
        for code, text in zip(codes, texts, strict=True)
    ]
    return np.array([reason and f"not seen in training: {reason}" for reason in reasons], dtype=object)


def _fill_baseline(sheet: _Sheet, average: NDArray[np.float64], where: NDArray[np.bool_]) -> None:
    """Enter the historical average, (n_series,), with the widest interval, where no model spoke."""
    level = average.astype(np.float32)
    offset = offset_of(level)
    found: dict[str, NDArray[np.floating]] = {
        "units": average,
        "lower": to_units(np.full_like(level, -WIDEST), level, offset),
        "upper": to_units(np.full_like(level, WIDEST), level, offset),
    }
    for name, values in found.items():
        sheet.numbers[name] = np.where(where, values[:, None], sheet.numbers[name])
