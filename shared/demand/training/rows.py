"""Panels become rows to learn from: scaled features and codes of many series, origins and horizons."""

from dataclasses import dataclass, fields, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from demand.config import Config
from demand.features import FeatureSpec, Panel, Windows, anchors, build_features, learn_spec
from demand.models.encoding import Codes, Floats, Scaler, Vocabulary, learn_scaler, learn_vocabulary
from demand.models.scale import to_ratio
from demand.segments import Segment, assign_segments, every_segment, learn_speeds

Ints = NDArray[np.intp]


@dataclass(frozen=True)
class Rows:
    """Model inputs and targets; all arrays have n_rows rows.

    values: scaled features (n_rows, n_features). codes: (n_rows, n_categories). series: index into the series
    of the data set. origin, horizon: column of the last known week, weeks ahead. level, offset, units, ratio:
    S, k and the target in units, and the target's log ratio; NaN where it is not known yet.
    anchor: log ratio of last year in weeks that no model has learned, NaN elsewhere.
    """

    values: Floats
    codes: Codes
    series: Ints
    origin: Ints
    horizon: Ints
    level: Floats
    offset: Floats
    units: Floats
    ratio: Floats
    anchor: Floats

    def __len__(self) -> int:
        return len(self.values)

    @property
    def target(self) -> Ints:
        """Column of the target week."""
        return self.origin + self.horizon

    def take(self, rows: NDArray[np.generic] | slice) -> "Rows":
        """The chosen rows, by index, mask or slice."""
        return Rows(**{field.name: getattr(self, field.name)[rows] for field in fields(self)})

    def joined(self, others: list["Rows"]) -> "Rows":
        """These rows and the others below them."""
        every = [self, *others]
        return Rows(
            **{f.name: np.concatenate([getattr(rows, f.name) for rows in every]) for f in fields(self)}
        )

    def without_inputs(self) -> "Rows":
        """The rows with no column of values or codes: what judging needs, and a hundredth of the memory."""
        return replace(self, values=self.values[:, :0], codes=self.codes[:, :0])

    def known(self, last: int) -> "Rows":
        """Rows whose target is known and not after the column `last`."""
        return self.take((self.target <= last) & ~np.isnan(self.units))


@dataclass(frozen=True)
class Encoder:
    """How a data set becomes rows: what is learned on training weeks and kept with the models."""

    spec: FeatureSpec
    names: tuple[str, ...]
    vocabulary: Vocabulary
    scaler: Scaler


@dataclass(frozen=True)
class DataSet:
    """Panels of the same weeks, one per region, and their series one below the other."""

    panels: tuple[Panel, ...]
    series: pd.DataFrame

    @property
    def last_week(self) -> int:
        """Column of the last known week."""
        return min(panel.n_known for panel in self.panels) - 1

    def mean_units(self, last: int) -> NDArray[np.float64]:
        """Mean known units a week of each series up to the column `last`; NaN where none is known."""
        parts = [Windows(p.units[:, : last + 1]).mean(np.array([last]), last + 1)[:, 0] for p in self.panels]
        return np.concatenate(parts).astype(np.float64)

    def segments(self, last: int) -> tuple[tuple[Segment, ...], Ints, pd.DataFrame]:
        """All segments, the index of each series' own (n_series,), and the speeds behind it, as of `last`."""
        speeds = learn_speeds(self.series, self.mean_units(last))
        every = every_segment(self.series)
        index = {segment: i for i, segment in enumerate(every)}
        own = [index[segment] for segment in assign_segments(self.series, speeds)]
        return tuple(every), np.array(own, dtype=np.intp), speeds


def build_data_set(panels: list[Panel]) -> DataSet:
    """The data set of panels, one per region; raises ValueError where they begin in different weeks."""
    begins = sorted({f"{panel.weeks[0]:%Y-%m-%d}" for panel in panels})
    if len(begins) > 1:
        raise ValueError(f"panels: expected one first week, got {begins}. Build them with the same span.")
    return DataSet(tuple(panels), pd.concat([panel.series for panel in panels], ignore_index=True))


def learn_encoder(data: DataSet, at: Ints, config: Config) -> Encoder:
    """The encoder of a data set; the scale of features is learned at the origins `at`, the last one known."""
    spec = learn_spec(list(data.panels), config.forecast.horizon, int(at[-1]) + 1)
    tables = [build_features(panel, spec, at) for panel in data.panels]
    values = np.concatenate([table.values for table in tables])
    scaler = learn_scaler(values, config.training.clip)
    return Encoder(spec, tables[0].names, learn_vocabulary(data.series), scaler)


def build_rows(data: DataSet, encoder: Encoder, at: Ints, *, min_weeks: int = 1) -> Rows:
    """Rows of every series with `min_weeks` known weeks at the origins `at`, region after region."""
    parts = []
    first = 0
    for panel in data.panels:
        parts.append(build_panel_rows(panel, encoder, at, (first, min_weeks)))
        first += len(panel.series)
    return parts[0].joined(parts[1:])


def build_panel_rows(panel: Panel, encoder: Encoder, at: Ints, place: tuple[int, int]) -> Rows:
    """Rows of one panel; place: index of its first series in the data set, and the fewest known weeks."""
    first, min_weeks = place
    table = build_features(panel, encoder.spec, at, min_weeks=min_weeks)
    if table.names != encoder.names:
        odd = sorted(set(table.names) ^ set(encoder.names))
        raise ValueError(
            f"features: expected those of training, these differ: {odd}. Build with its FeatureSpec."
        )
    return Rows(
        values=encoder.scaler(table.values),
        codes=encoder.vocabulary.codes(panel.series)[table.series],
        series=table.series + first,
        origin=table.origin,
        horizon=table.horizon,
        level=table.level,
        offset=table.offset,
        units=table.units,
        ratio=to_ratio(table.units, table.level, table.offset),
        anchor=anchors(table.values, table.names),
    )
