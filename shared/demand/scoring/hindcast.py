"""What a bundle would have forecast at past origins: what a later challenger is compared with."""

from collections.abc import Iterable, Iterator, Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from demand.bundle import GRAPH_ERRORS, Bundle, Session, form_features, open_twins, raw_rows, run_graph
from demand.errors import IntegrityError
from demand.features import FeatureTable, Panel
from demand.segments import Segment, assign_segments

COLUMNS = ["region", "store_id", "product_id", "origin", "week", "champion"]


def hindcast(
    bundle: Bundle, panels: Iterable[Panel], origins: NDArray[np.intp], *, twins: bool
) -> pd.DataFrame:
    """Region, store_id, product_id, origin, week and champion: units a week by the graphs of the bundle.

    origins: columns of the panels. twins: ask the evaluation twins, which know no week after
    `judged_as_of`, instead of the graphs that forecast. A row is there for each series, origin and week for
    which there is a finite number: a segment without a graph, one whose graph fails, and a carried one whose
    features this package no longer builds have none.
    Raises IntegrityError where a twin's bytes changed since the bundle was read.
    """
    graphs = open_twins(bundle) if twins else bundle.sessions
    parts = [part for panel in panels for part in _of_panel(bundle, panel, origins, graphs)]
    if not parts:
        moments = pd.Series(dtype="datetime64[us]")
        kinds = {"origin": moments, "week": moments, "champion": pd.Series(dtype="float64")}
        return pd.DataFrame({name: kinds.get(name, pd.Series(dtype="str")) for name in COLUMNS})
    return pd.concat(parts, ignore_index=True)


def _of_panel(
    bundle: Bundle, panel: Panel, origins: NDArray[np.intp], graphs: Mapping[Segment, Session]
) -> Iterator[pd.DataFrame]:
    segments = assign_segments(panel.series, bundle.speeds)
    used = sorted({bundle.entries[each].form for each in segments if each in graphs})
    for name in used:
        try:
            table = form_features(panel, bundle.forms[name], origins)
        except IntegrityError:
            continue
        for segment in sorted({*segments} & {*graphs}):
            own = np.array([each == segment for each in segments])
            if bundle.entries[segment].form == name and own.any():
                yield _rows(panel, table.take(own[table.series]), graphs[segment])


def _rows(panel: Panel, table: FeatureTable, graph: Session) -> pd.DataFrame:
    try:
        units = run_graph(graph, raw_rows(table))["units"].astype(np.float64)
    except GRAPH_ERRORS:
        units = np.full(len(table), np.nan)
    series = panel.series.iloc[table.series]
    frame = pd.DataFrame(
        {
            **{name: series[name].to_numpy() for name in ("region", "store_id", "product_id")},
            "origin": panel.weeks[table.origin],
            "week": panel.weeks[0] + pd.to_timedelta(7 * (table.origin + table.horizon), unit="D"),
            "champion": units,
        }
    )
    return frame[np.isfinite(units)]
