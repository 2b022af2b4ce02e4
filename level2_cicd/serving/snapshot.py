"""The feature snapshot of a release: what its graphs read of every living series, for the weeks to come."""

from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

from demand.errors import IntegrityError
from level2_cicd.serving.engine import CATEGORIES, Floats, Ints, Names, Rows
from level2_cicd.serving.tables import Columns

KEYS = (*CATEGORIES, "week", "horizon", "level")
Key = tuple[str, str, str]  # region, store, product


@dataclass(frozen=True)
class Snapshot:
    """Rows of every living series; columns: of the features. place: rows of a series, by week."""

    columns: tuple[str, ...]
    names: list[Names]
    week: list[date]
    horizon: Ints
    level: Floats
    features: Floats
    place: dict[Key, dict[date, int]]

    def rows(self, place: list[int]) -> Rows:
        """The chosen rows."""
        index: NDArray[np.intp] = np.array(place, dtype=np.intp)
        names = [self.names[row] for row in place]
        return Rows(names, self.horizon[index], self.level[index], self.features[index])


def read_snapshot(table: Columns, origin: str) -> Snapshot:
    """The snapshot in such a table; raises IntegrityError naming `origin` where it is none."""
    try:
        keys = zip(*(table.text(kind) for kind in CATEGORIES), strict=True)
        week = [moment.date() for moment in table.moments("week")]
        horizon, level = table.number("horizon"), table.number("level")
    except KeyError as error:
        raise IntegrityError(
            f"{origin}: expected a feature snapshot; it has no {error}. Export it again."
        ) from None
    shared: dict[Names, Names] = {}
    names = [shared.setdefault(each, each) for each in keys]
    place: dict[Key, dict[date, int]] = {}
    for row, (each, monday) in enumerate(zip(names, week, strict=True)):
        place.setdefault(each[:3], {})[monday] = row
    ahead, scale = horizon.astype(np.int64), level.astype(np.float32)
    return Snapshot(tuple(table.floats), names, week, ahead, scale, table.features(), place)
