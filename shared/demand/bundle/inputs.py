"""What each segment's graph reads of a panel: features as its own form builds them, live series alone."""

import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from demand.bundle.form import InputForm
from demand.errors import IntegrityError
from demand.features import FeatureTable, Panel, build_features
from demand.segments import Segment, assign_segments

KEYS = ("region", "store_id", "product_id", "category", "format")
TOLD = (*KEYS, "week", "horizon", "level")  # columns before the features; a feature of that name is the same
Ints = NDArray[np.intp]


@dataclass(frozen=True)
class Forms:
    """Which form the graph of each segment reads; `own`, by name, serves a segment that has no graph."""

    by_name: Mapping[str, InputForm]
    of_segment: Mapping[Segment, str]
    own: str


def live(panel: Panel, at: int, horizons: tuple[int, ...]) -> NDArray[np.bool_]:
    """Whether each series lives in each target week after the column `at`, (n_series, n_horizons).

    A series lives in a week that its panel has a row for, if it began by then. After the last week of the
    plan its state stands.
    """
    has_row = ~np.isnan(panel.inputs["event_holiday"])
    target = np.minimum(at + np.array(horizons), has_row.shape[1] - 1)
    began: NDArray[np.bool_] = np.any(has_row[:, : at + 1], axis=1, keepdims=True)
    return np.asarray(has_row[:, target] & began)


def form_features(panel: Panel, form: InputForm, at: Ints) -> FeatureTable:
    """The feature table of a form; raises IntegrityError where this package builds other features."""
    table = build_features(panel, form.spec, at)
    if table.names != form.names:
        odd = sorted(set(table.names) ^ set(form.names))
        raise IntegrityError(
            f"features: expected those the bundle was trained on; these differ or are out of place: {odd}. "
            "Score with the version of this package that exported it."
        )
    return table


def snapshot(panels: tuple[Panel, ...], at: int, forms: Forms, speeds: pd.DataFrame) -> bytes:
    """The feature snapshot as Parquet: a row per live series and horizon at the column `at`.

    Columns: region, store_id, product_id, category, format, week, horizon, level, then every feature as
    float32, NaN where it is not known or the form of the row's segment does not have it. The feature
    `horizon` is the column of that name.
    """
    used = dict.fromkeys([forms.own, *forms.of_segment.values()])
    names = list(
        dict.fromkeys(name for form in used for name in forms.by_name[form].names if name not in TOLD)
    )
    out = io.BytesIO()
    writer = None
    for panel in panels:  # a row group for each: memory is bounded by the largest
        for table in _live_tables(panel, at, forms, assign_segments(panel.series, speeds)):
            part = _arrow(panel, table, names)
            writer = writer or pq.ParquetWriter(
                out, part.schema, compression="zstd", write_page_checksum=True
            )
            writer.write_table(part)
    if writer is not None:
        writer.close()
    return out.getvalue()


def _live_tables(panel: Panel, at: int, forms: Forms, segments: list[Segment]) -> Iterator[FeatureTable]:
    """The live rows of each form; rows of a form that this package does not build come in the own one."""
    own = forms.by_name[forms.own]
    alive = live(panel, at, own.spec.horizons)
    of_series = np.array([forms.of_segment.get(segment, forms.own) for segment in segments], dtype=object)
    for name in sorted(set(of_series)):
        try:
            table = form_features(panel, forms.by_name[name], np.array([at]))
        except IntegrityError:
            table = form_features(panel, own, np.array([at]))
        table = table.take(np.flatnonzero(table.horizon <= len(own.spec.horizons)))
        keep = (of_series[table.series] == name) & alive[table.series, table.horizon - 1]
        yield table.take(np.flatnonzero(keep))


def _arrow(panel: Panel, table: FeatureTable, names: list[str]) -> pa.Table:
    keys = table.keys[list(KEYS)].iloc[table.series]
    place = {name: column for column, name in enumerate(table.names)}
    unknown = np.full(len(table), np.nan, np.float32)
    columns = {name: pa.array(keys[name].to_numpy(dtype=object), pa.string()) for name in KEYS}
    columns["week"] = pa.array(panel.weeks[0] + pd.to_timedelta(7 * (table.origin + table.horizon), unit="D"))
    columns["horizon"] = pa.array(table.horizon.astype(np.int64))
    columns["level"] = pa.array(table.level)
    for name in names:
        columns[name] = pa.array(table.values[:, place[name]] if name in place else unknown)
    return pa.table(columns)
