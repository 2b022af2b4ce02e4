"""The feature table: one row per series, origin and horizon, every input of the models in one matrix."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from demand.features import anniversary, calendar, groups, history, promotion, rivals
from demand.features.block import Block, blocks
from demand.features.panel import Panel
from demand.features.windows import Floats, Ints

# A plan that is known for the latest weeks only teaches which weeks are late: on one real set, whose
# promotions are known for a third of the weeks, its features cost half a point of MAPE.
ENOUGH_KNOWN = 0.5
CATEGORIES = ("region", "store_id", "product_id", "category", "format")


@dataclass(frozen=True)
class FeatureSpec:
    """Which features there are, learned on the training panels and kept with the model.

    horizons: weeks ahead. events: names with columns of their own. met_once: those of them whose first
    anniversary is still to be learned from. groups: kinds that differ from each other.
    weather, shoppers, price, promotion: whether the data set has them. shelves: rivals, see `rivals`.
    """

    horizons: tuple[int, ...]
    events: tuple[str, ...]
    met_once: tuple[str, ...]
    groups: tuple[str, ...]
    weather: bool
    shoppers: bool
    price: bool
    promotion: bool
    shelves: rivals.Shelves


@dataclass(frozen=True)
class FeatureTable:
    """Features and what turns them back into units; all arrays have n_rows rows.

    values: (n_rows, n_features) float32, NaN where not known. names: of the columns.
    series, origin, horizon: index of the series in `keys`, column of the origin, weeks ahead.
    level, offset: S and k in units. units: the target, NaN where not known yet.
    """

    values: Floats
    names: tuple[str, ...]
    series: Ints
    origin: Ints
    horizon: Ints
    level: Floats
    offset: Floats
    units: Floats
    keys: pd.DataFrame

    def __len__(self) -> int:
        return len(self.values)

    def take(self, rows: Ints) -> "FeatureTable":
        """The chosen rows, by index or mask."""
        columns = ("values", "series", "origin", "horizon", "level", "offset", "units")
        return FeatureTable(names=self.names, keys=self.keys, **{c: getattr(self, c)[rows] for c in columns})


def learn_spec(panels: list[Panel], horizon: int, until: int | None = None) -> FeatureSpec:
    """The features that the panels' tables can carry, for 1 to `horizon` weeks ahead.

    until: column of the last week that trains, the last known one where it is None.
    """
    last = min(panel.n_known for panel in panels) - 1 if until is None else until
    planned = _known_share(panels, "price") >= ENOUGH_KNOWN
    price = planned and _varies(panels, "price")
    promoted = planned and (_varies(panels, "feature") or _varies(panels, "deal"))
    return FeatureSpec(
        horizons=tuple(range(1, horizon + 1)),
        events=calendar.event_vocabulary(panels),
        met_once=anniversary.met_once(panels, last),
        groups=_distinct_groups(panels),
        weather=_varies(panels, "temperature"),
        shoppers=any(np.isfinite(values).any() for panel in panels for values in panel.shoppers.values()),
        price=price,
        promotion=promoted,
        shelves=rivals.shelf_vocabulary(panels) if price else {},
    )


def build_features(panel: Panel, spec: FeatureSpec, at: Ints, *, min_weeks: int = 1) -> FeatureTable:
    """One row per series with at least `min_weeks` known weeks, per origin in `at`, per horizon of `spec`.

    A row's features come from weeks up to its origin, and from what the plan says of the weeks after it.
    Rows are ordered by block of series, horizon, series, origin.
    """
    shared = _Shared(panel, spec)
    found = [_rows(block, spec, shared, min_weeks) for block in blocks(panel, at)]
    names = found[0][0]
    parts = [part for _, of_block in found for part in of_block]
    columns = [np.concatenate(arrays) for arrays in zip(*parts, strict=True)]
    values, series, origin, horizon, level, offset, units = columns
    return FeatureTable(values, names, series, origin, horizon, level, offset, units, panel.series)


class _Shared:
    """What all blocks of a panel look at: groups, and shelves where there are prices."""

    def __init__(self, panel: Panel, spec: FeatureSpec) -> None:
        self.groups = [group for group in groups.build_groups(panel) if group.name in spec.groups]
        self.shelf = rivals.build_shelf(panel, spec.shelves) if spec.shelves else None


def _rows(
    block: Block, spec: FeatureSpec, shared: _Shared, min_weeks: int
) -> tuple[tuple[str, ...], list[list[np.ndarray]]]:
    """The names of a block's features, and for each horizon the columns of a FeatureTable."""
    n_series, n_origins = len(block.units.values), len(block.at)
    fixed = dict(_origin_features(block, spec, shared))
    keep = (block.units.count(block.at, block.panel.n_known) >= min_weeks) & ~np.isnan(block.level)
    names: tuple[str, ...] = ()
    parts: list[list[np.ndarray]] = []
    series = np.broadcast_to(np.arange(n_series)[:, None] + block.rows.start, keep.shape)[keep]
    origin = np.broadcast_to(block.at, keep.shape)[keep]
    for horizon in spec.horizons:
        found = fixed | dict(_target_features(block, spec, shared, horizon))
        names = tuple(found)
        values = np.empty((n_series, n_origins, len(found)), np.float32)
        for column, feature in enumerate(found.values()):
            values[:, :, column] = feature
        ahead = np.full(len(series), horizon)
        known = (block.level[keep], block.offset[keep], block.ahead(horizon)[keep])
        parts.append([values[keep], series, origin, ahead, *known])
    return names, parts


def _origin_features(block: Block, spec: FeatureSpec, shared: _Shared) -> Iterator[tuple[str, Floats]]:
    yield from history.recent(block).items()
    yield from history.spread(block).items()
    yield from history.growth(block).items()
    for group in shared.groups:
        yield from groups.group_recent(block, group).items()
    if spec.events:
        yield from calendar.event_origin(block).items()
    if spec.shoppers:
        yield from calendar.shoppers(block).items()
    if spec.promotion:
        yield from promotion.promoted_levels(block).items()


def _target_features(
    block: Block, spec: FeatureSpec, shared: _Shared, horizon: int
) -> Iterator[tuple[str, Floats]]:
    yield from history.season(block, horizon).items()
    for group in shared.groups:
        yield from groups.group_season(block, group, horizon).items()
    yield from calendar.season_of_year(block, horizon).items()
    if spec.events:
        yield from calendar.event_weeks(block, horizon, spec.events).items()
        yield from calendar.event_days(block, horizon).items()
    if spec.met_once:
        yield from anniversary.anniversary(block, horizon, spec.met_once).items()
    if spec.weather:
        yield from calendar.weather(block, horizon).items()
    if spec.promotion:
        yield from promotion.promotion_plan(block, horizon).items()
    if spec.price:
        yield from promotion.price_plan(block, horizon).items()
        yield from promotion.price_kernel(block, horizon).items()
    if shared.shelf is not None:
        yield from rivals.rival_plan(block, shared.shelf, horizon).items()


def _varies(panels: list[Panel], name: str) -> bool:
    """Whether an input is known and takes more than one value in the panels."""
    spans = [(np.nanmin(v), np.nanmax(v)) for p in panels if np.isfinite(v := p.inputs[name]).any()]
    return bool(spans) and bool(min(low for low, _ in spans) < max(high for _, high in spans))


def _known_share(panels: list[Panel], name: str) -> float:
    """Share of the weeks with known units in which an input is known as well."""
    known = [~np.isnan(panel.units) for panel in panels]
    both = [mask & np.isfinite(p.inputs[name][:, : p.n_known]) for mask, p in zip(known, panels, strict=True)]
    return sum(map(np.count_nonzero, both)) / max(1, sum(map(np.count_nonzero, known)))


def _distinct_groups(panels: list[Panel]) -> tuple[str, ...]:
    """Kinds of groups that split the series differently from every earlier kind."""
    found: dict[str, list[bytes]] = {}
    for name, keys in groups.GROUPS.items():
        splits = [panel.series.groupby(keys, sort=False).ngroup().to_numpy().tobytes() for panel in panels]
        if splits not in found.values():
            found[name] = splits
    return tuple(found)
