"""Rows of forecasts as they fill in: by the graph of the row's segment, else the historical average."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from demand.bundle import GRAPH_ERRORS, Bundle, InputForm, RawRows, run_graph
from demand.features import CATEGORIES, offset_of
from demand.models.scale import to_units
from demand.segments import Segment, assign_segments

NUMBERS = ("units", "lower", "upper")
UNKNOWN_YEAR = "no week is known of the year up to as_of"
WIDEST = 3.0  # log ratio to either side of a baseline, of whose errors nothing is known
Ints = NDArray[np.intp]
Texts = NDArray[np.object_]


@dataclass(frozen=True)
class Question:
    """What is to be forecast: the series, and the series and horizon of each row, both (n_rows,)."""

    series: pd.DataFrame
    of_row: Ints
    horizon: Ints


@dataclass(frozen=True)
class Inputs:
    """What the graphs of one form read, and which row of the question each input row answers, (n,).

    fault: why there are no inputs of that form, where there are none.
    """

    form: str
    rows: RawRows | None
    place: Ints
    fault: str = ""


class Answers:
    """Forecasts of a question's rows; all arrays are (n_rows,), numbers NaN until a graph has spoken."""

    def __init__(self, bundle: Bundle, question: Question) -> None:
        self.bundle, self.question = bundle, question
        segments = assign_segments(question.series, bundle.speeds)
        self.names, self.of_series = np.unique([each.name for each in segments], return_inverse=True)
        self.segments = {segment.name: segment for segment in segments}
        self.of_row = self.of_series[question.of_row]  # index into names
        self.numbers = {name: np.full(len(self.of_row), np.nan) for name in NUMBERS}
        self.reason = self._first_reasons()

    def form_of_series(self) -> Texts:
        """The form that each series' graph reads, (n_series,), empty where its segment has no graph."""
        forms = [self._form(name) for name in self.names]
        found: Texts = np.array([*forms, ""], dtype=object)[self.of_series]
        return found

    def ask(self, inputs: Inputs) -> None:
        """Enters what the graphs of one form give, and why there is nothing where they give nothing."""
        if inputs.rows is None:
            self.reason[inputs.place] = inputs.fault
            return
        form = self.bundle.forms[inputs.form]
        unseen = _unseen(form, pd.DataFrame(inputs.rows.categories))
        index = self.of_row[inputs.place]
        for i in np.unique(index):
            own = np.flatnonzero(index == i)
            place = inputs.place[own]
            segment = self.segments[self.names[i]]
            numbers, fault = _forecast(self.bundle, segment, inputs.rows.take(own))
            good = np.isfinite(list(numbers.values())).all(axis=0)
            for name, values in numbers.items():
                self.numbers[name][place] = np.where(good, values, np.nan)
            told = _joined(self.bundle.entries[segment].reason, unseen[inputs.rows.series[own]])
            self.reason[place] = np.where(good, told, fault)

    def table(self) -> pd.DataFrame:
        """Units, lower, upper, source, model_version, trained_at, data_hash, reason, absent of each row.

        absent: there is neither a graph's forecast nor an average; the numbers are then 0 and mean nothing.
        """
        spoken = np.isfinite(self.numbers["units"])
        told = pd.DataFrame([*(self._told(self.segments[name]) for name in self.names), self._told(None)])
        told = told.iloc[np.where(spoken, self.of_row, len(self.names))]
        known = self.bundle.baseline.knows(self.question.series)[self.question.of_row]
        return pd.DataFrame(
            {
                **self._numbers_or_average(spoken),
                **{str(name): told[name].to_numpy() for name in told},
                "reason": self.reason,
                "absent": ~spoken & ~known,
            }
        )

    def _told(self, segment: Segment | None) -> dict[str, object]:
        """Where a segment's forecasts come from: its graph's run, or the run that has the averages."""
        meta, entry = self.bundle.meta, self.bundle.entries.get(segment) if segment else None
        version = entry.version if entry else meta.model_version
        own = "champion" if version == meta.model_version else "previous"
        return {
            "source": own if entry else "baseline",
            "model_version": version,
            "trained_at": np.datetime64((entry or meta).trained_at, "us"),
            "data_hash": (entry or meta).data_hash,
        }

    def _first_reasons(self) -> Texts:
        """Why a row has no forecast as long as no graph was asked."""
        of_segment = []
        for name in self.names:
            segment = self.segments[name]
            if segment in self.bundle.sessions:
                of_segment.append(UNKNOWN_YEAR)
            else:
                of_segment.append(self.bundle.manifest.failed.get(segment, f"no model for segment {name}"))
        reason: Texts = np.array([*of_segment, ""], dtype=object)[self.of_row]
        horizons = self._horizons()[self.of_row]
        for row in np.flatnonzero((horizons > 0) & (self.question.horizon > horizons)):
            reason[row] = (
                f"the model of segment {self.names[self.of_row[row]]} forecasts {horizons[row]} weeks"
            )
        return reason

    def _horizons(self) -> Ints:
        """The weeks ahead that each segment's graph forecasts, 0 where there is none."""
        forms = [self._form(name) for name in self.names]
        return np.array([len(self.bundle.forms[form].spec.horizons) if form else 0 for form in forms] + [0])

    def _form(self, name: str) -> str:
        segment = self.segments[name]
        return self.bundle.entries[segment].form if segment in self.bundle.sessions else ""

    def _numbers_or_average(self, spoken: NDArray[np.bool_]) -> dict[str, NDArray[np.floating]]:
        """The numbers, with the historical average and the widest interval where no graph spoke."""
        average = self.bundle.baseline.predict(self.question.series)
        level = average.astype(np.float32)
        offset = offset_of(level)
        found: dict[str, NDArray[np.floating]] = {
            "units": average,
            "lower": to_units(np.full_like(level, -WIDEST), level, offset),
            "upper": to_units(np.full_like(level, WIDEST), level, offset),
        }
        rows = self.question.of_row
        return {name: np.where(spoken, self.numbers[name], values[rows]) for name, values in found.items()}


def _forecast(bundle: Bundle, segment: Segment, rows: RawRows) -> tuple[dict[str, NDArray[np.floating]], str]:
    """Units, lower and upper of a segment's rows, NaN where there is none, and the reason for NaN."""
    try:
        found = run_graph(bundle.sessions[segment], rows)
    except GRAPH_ERRORS as error:
        nothing: NDArray[np.floating] = np.full(len(rows), np.nan)
        fault = f"the model of segment {segment.name} failed: {_one_line(error)}"
        return dict.fromkeys(NUMBERS, nothing), fault
    fault = f"the model of segment {segment.name} gave no finite number"
    return {name: found[name] for name in NUMBERS}, fault


def _one_line(error: BaseException) -> str:
    """The message of an error as printable text on one line."""
    return " ".join("".join(c if c.isprintable() else " " for c in str(error)).split())


def _unseen(form: InputForm, series: pd.DataFrame) -> Texts:
    """For each series the categories that training has not seen, as a reason; empty where it has seen all."""
    codes = form.vocabulary.codes(series)
    texts = series[list(CATEGORIES)].to_numpy(dtype=object)
    reasons: list[str] = [
        ", ".join(f"{CATEGORIES[column]} {text[column]}" for column in np.flatnonzero(code == 0))
        for code, text in zip(codes, texts, strict=True)
    ]
    return np.array([reason and f"not seen in training: {reason}" for reason in reasons], dtype=object)


def _joined(reason: str, more: Texts) -> Texts:
    """The reason of a segment before that of each row; empty where neither is known."""
    if not reason:
        return more
    return np.array([f"{reason}; {each}" if each else reason for each in more], dtype=object)
